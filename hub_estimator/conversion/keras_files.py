"""What must hold of a `.keras` file before Keras opens it: nothing in it makes Keras run others' code.

Keras imports the modules that a file's configuration names, and follows the links of its weights' file.
"""

from __future__ import annotations

import builtins
import posixpath
import zipfile
from collections.abc import Iterator
from typing import Any

from hub_estimator import errors, files, json_text, texts

CONFIG = "config.json"
METADATA = "metadata.json"
WEIGHTS = "model.weights.h5"

_MOST_BYTES_OF_TEXT = 256 << 20  # of a configuration; the largest models have some MB
_PACKAGES = ("keras", "tf_keras", "builtins")
_CODE = ("Lambda", "__lambda__", "TorchModuleWrapper", "JaxLayer", "FlaxLayer")


def keras_version(path: str) -> str:
    """Returns the version of Keras that wrote a `.keras` file, once it is known to be harmless.

    Args:
      path: the file, on the local disk.

    Raises:
      errors.KerasFileError: it is no such file, is damaged, or brings code of its own.
      errors.NotAFileError: it is no regular file.
      errors.LfsPointerError: it is a pointer of Git LFS.
    """
    files.check_file(path)
    try:
        with zipfile.ZipFile(path) as archive:
            _check_names(archive, path)
            config = _parsed(archive, CONFIG, path)
            metadata = _parsed(archive, METADATA, path)
            for part in _parts(config):
                _check_part(part, path)
            if WEIGHTS in archive.namelist():
                _check_weights(archive, path)
    except (zipfile.BadZipFile, KeyError, OSError, EOFError, NotImplementedError) as error:
        if isinstance(error, errors.Error):
            raise
        raise errors.KerasFileError(
            f"{path} is no file that Keras wrote, or is damaged: {error}. Save the model again: "
            "model.save('model.keras')."
        ) from error
    return str(metadata.get("keras_version", "")) if isinstance(metadata, dict) else ""


def _check_names(archive: zipfile.ZipFile, path: str) -> None:
    for name in archive.namelist():
        normal = posixpath.normpath(name)
        if posixpath.isabs(name) or normal.split("/")[0] == ".." or "\\" in name:
            raise errors.KerasFileError(
                f"{path} has an entry {texts.shown(name)}, which leads out of it. Do not use this "
                "file: ask its publisher."
            )


def _parsed(archive: zipfile.ZipFile, name: str, path: str) -> Any:
    if archive.getinfo(name).file_size > _MOST_BYTES_OF_TEXT:
        raise errors.KerasFileError(
            f"{name} in {path} has more than {_MOST_BYTES_OF_TEXT:,} bytes, which no model needs. Do "
            "not use this file: ask its publisher."
        )
    try:
        return json_text.parse(archive.read(name))
    except ValueError as error:
        raise errors.KerasFileError(
            f"{name} in {path} is no JSON ({error}). Save the model again: model.save('model.keras')."
        ) from error


def _parts(value: Any) -> Iterator[dict[str, Any]]:
    """Yields all objects in a configuration."""
    open_ = [value]
    while open_:
        current = open_.pop()
        if isinstance(current, dict):
            yield current
            open_ += current.values()
        elif isinstance(current, list):
            open_ += current


def _check_part(part: dict[str, Any], path: str) -> None:
    kind, module, config = part.get("class_name"), part.get("module"), part.get("config")
    if kind in _CODE:
        raise errors.KerasFileError(
            f"{path} has a {kind} layer, which brings Python code of its own, and opening a file runs "
            "no code of others. If the model is yours, load it in Python and pass the model to "
            "hub.convert."
        )
    package = module.partition(".")[0] if isinstance(module, str) else None
    is_python = package == "builtins" and isinstance(config, str) and hasattr(builtins, config)
    if package is not None and (package not in _PACKAGES or is_python):
        name = config if kind == "function" else kind
        raise errors.KerasFileError(
            f"{path} has an object {texts.shown(name)} of the Python module {texts.shown(module)}, "
            "and opening a file imports no modules that it names. If the model is yours, load it in "
            "Python and pass the model to hub.convert."
        )


def _check_weights(archive: zipfile.ZipFile, path: str) -> None:
    """Checks that the file of the weights has all of them itself."""
    import h5py

    def check(group: Any) -> None:
        for name in group:
            link = group.get(name, getlink=True)
            if not isinstance(link, h5py.HardLink):
                raise _leads_out(path, name)
            item = group[name]
            if isinstance(item, h5py.Group):
                check(item)
            elif item.external or item.is_virtual:
                raise _leads_out(path, name)

    with archive.open(WEIGHTS) as file, h5py.File(file, "r") as weights:
        check(weights)


def _leads_out(path: str, name: str) -> errors.KerasFileError:
    return errors.KerasFileError(
        f"The weights {texts.shown(name)} in {path} are in another file, which is not followed. Do "
        "not use this file: ask its publisher."
    )
