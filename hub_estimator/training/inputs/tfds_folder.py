"""Folders of prepared datasets: checked before `tensorflow_datasets` opens them.

It imports what such a folder names as the classes of its features, whatever that is.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from hub_estimator import errors, files, json_text, texts
from hub_estimator.training.inputs import data_files, record_framing

_FEATURES = "features.json"
_ABOUT = ("dataset_info.json", _FEATURES)
# The last is that of older releases, which have names without a dot for other things.
_CLASS_KEYS = ("pythonClassName", "python_class_name", "type")
_LIBRARY = "tensorflow_datasets."
_FIRST_RECORDS = 8


def check(folder: str) -> None:
    """Checks what says what a prepared dataset is, in a folder or in those below it.

    Raises:
      errors.LfsPointerError: a file is a pointer of Git LFS.
      errors.DataFileError: a file cannot be read, is no JSON, or names a class of features that is
        neither of `tensorflow_datasets` nor of a module that the program has imported.
    """
    for place, _, names in files.gfile().walk(folder):
        for name in _ABOUT:
            if name in names:
                _check_about(files.join(place, name))


def check_shards(paths: list[str]) -> None:
    """Checks the files of records of a prepared dataset, those on the local disk.

    Raises:
      errors.LfsPointerError: one is a pointer of Git LFS.
      errors.DataFileError: one cannot be read, or is damaged where it starts.
    """
    for path in paths:
        if not files.is_remote(path):
            with data_files.reading("file of records", path):
                files.check_file(path)
                record_framing.check_first(path, _FIRST_RECORDS)


def _check_about(path: str) -> None:
    with data_files.reading("data file", path):
        content = files.read_bytes(path)
    try:
        about = json_text.parse(content)
        classes = list(_classes(about)) if path.endswith(_FEATURES) else []
    except ValueError as error:
        raise errors.DataFileError(f"The data file {path!r} is not JSON: {error}.") from error
    for name in classes:
        module = name.rpartition(".")[0]
        if module and not module.startswith(_LIBRARY) and module not in sys.modules:
            raise errors.DataFileError(
                f"The data file {path!r} names the class {texts.shown(name)} of features, which is "
                "none of tensorflow_datasets. If it is to be trusted, import its module first."
            )


def _classes(about: Any) -> Iterator[str]:
    """Gives all classes that are named, at any depth, also in texts that are JSON again."""
    waiting = [about]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            yield from (part[key] for key in _CLASS_KEYS if isinstance(part.get(key), str))
            waiting += part.values()
        elif isinstance(part, list):
            waiting += part
        elif isinstance(part, str) and part.lstrip().startswith("{"):
            waiting.append(json_text.parse(part))
