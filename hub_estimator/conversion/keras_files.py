"""What must hold of a `.keras` file before Keras opens it: nothing in it makes Keras run others' code.

Keras imports the modules that a file's configuration names, and follows the links of its weights' file.
"""

from __future__ import annotations

import builtins
import posixpath
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any

from hub_estimator import errors, files, json_text, texts

CONFIG = "config.json"
METADATA = "metadata.json"
WEIGHTS = "model.weights.h5"

_MOST_BYTES_OF_TEXT = 256 << 20  # of a configuration; the largest models have some MB
_PACKAGES = ("keras", "tf_keras", "builtins")
_CODE = ("Lambda", "__lambda__", "TorchModuleWrapper", "JaxLayer", "FlaxLayer")
# Modules of Keras with functions that download, load or configure: no model is made of these.
_TOOLS = ("applications", "config", "datasets", "export", "models", "saving", "utils")
_IN_PYTHON = "If the model is yours, load it in Python and pass the model to hub.convert."


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
    except (zipfile.BadZipFile, zlib.error, KeyError, OSError, EOFError, RuntimeError) as error:
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
    code = [name for name in (kind, part.get("registered_name")) if name in _CODE]
    if code:
        raise errors.KerasFileError(
            f"{path} has a {code[0]} layer, which brings Python code of its own, and opening a file "
            f"runs no code of others. {_IN_PYTHON}"
        )
    name = config if kind == "function" else kind
    if isinstance(module, str):
        _check_module(module, name, path)
    vocabulary = config.get("vocabulary") if isinstance(config, dict) else None
    if kind == "TFSMLayer" or isinstance(vocabulary, str):
        raise errors.KerasFileError(
            f"{path} has a {kind} layer, which reads what is not in the file, and opening it follows "
            f"no paths that it names. {_IN_PYTHON}"
        )


def _check_module(module: str, name: Any, path: str) -> None:
    """Checks that an object is one of Keras that models are made of."""
    package, *inner = module.split(".")
    is_python = package == "builtins" and isinstance(name, str) and hasattr(builtins, name)
    if package not in _PACKAGES or is_python:
        raise errors.KerasFileError(
            f"{path} has an object {texts.shown(name)} of the Python module {texts.shown(module)}, "
            f"and opening a file imports no modules that it names. {_IN_PYTHON}"
        )
    is_class = isinstance(name, str) and name[:1].isupper() and "applications" not in inner
    if not is_class and any(step in _TOOLS for step in inner):
        raise errors.KerasFileError(
            f"{path} has an object {texts.shown(name)} of {texts.shown(module)}, which is no part of "
            "models. Do not use this file: ask its publisher."
        )


def _check_weights(archive: zipfile.ZipFile, path: str) -> None:
    """Checks that the file of the weights has all of them itself."""
    import h5py

    with archive.open(WEIGHTS) as file, h5py.File(file, "r") as weights:
        open_, seen = [weights], set()
        while open_:
            group = open_.pop()
            for name in group:
                if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                    raise _leads_out(path, name)
                item = group[name]
                place = h5py.h5o.get_info(item.id).addr
                if isinstance(item, h5py.Dataset) and (item.external or item.is_virtual):
                    raise _leads_out(path, name)
                if isinstance(item, h5py.Group) and place not in seen:  # which may hold itself
                    seen.add(place)
                    open_.append(item)


def _leads_out(path: str, name: str) -> errors.KerasFileError:
    return errors.KerasFileError(
        f"The weights {texts.shown(name)} in {path} are in another file, which is not followed. Do "
        "not use this file: ask its publisher."
    )
