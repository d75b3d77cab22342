"""What of a dataset of `tensorflow_datasets` would run code that came with it.

The names of a community's datasets stand for code that is downloaded and run; and a prepared dataset
names, in its `features.json`, the modules of Python to import for its features. Data is not trusted:
neither is done for it.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from typing import Any

from hub_estimator import errors, files, texts
from hub_estimator.training.inputs import tfds_files

_ABOUT = "dataset_info.json"
_FEATURES = "features.json"
# `community:dataset`, but not `dataset:1.0.0`.
_NAMESPACE = re.compile(r"\w[\w-]*:(?!\d|\*|experimental_latest)")
# The first is that of older releases, which have names without a dot for other things.
_CLASS_KEYS = ("type", "pythonClassName", "python_class_name")
# The content of a feature that has no message of its own.
_TEXT_KEY = "json"
_LIBRARY = "tensorflow_datasets"


def check_name(name: str) -> None:
    """Checks that the name of a dataset is not that of a community's.

    Raises:
      errors.DataFileError: it is.
    """
    if _NAMESPACE.match(name):
        raise errors.DataFileError(
            f"The dataset {texts.shown(name)} is a community's, whose code would be downloaded and "
            "run. Prepare it with tensorflow_datasets, and give its folder as TfdsInput.name."
        )


def check_prepared(data_dir: str, name: str) -> None:
    """Checks each dataset of a name that is prepared in a folder; see `check_folder`."""
    dataset = re.split("[/:]", name, maxsplit=1)[0]
    for below in (("*",), ("*", "*")):  # a version; a configuration and a version
        pattern = files.join(data_dir, dataset, *below, _FEATURES)
        for path in files.gfile().glob(pattern):
            check_folder(files.parent(files.as_path(path)))


def check_folder(folder: str) -> None:
    """Checks that a prepared dataset has features of `tensorflow_datasets`, or of the program.

    Raises:
      errors.LfsPointerError: one of the files that describe it is a pointer of Git LFS.
      errors.DataFileError: it has others, or what describes it cannot be read or is no JSON.
    """
    about, features = files.join(folder, _ABOUT), files.join(folder, _FEATURES)
    if files.exists(about):
        tfds_files.read_json(about)
    if not files.exists(features):
        return
    for name in _class_names(tfds_files.read_json(features), features):
        module = name.rpartition(".")[0]
        if module.partition(".")[0] != _LIBRARY and module not in sys.modules:
            raise errors.DataFileError(
                f"The dataset in {folder!r} has a feature of the class {texts.shown(name)}, whose "
                "module would be imported. Import it before, in your own program, or prepare the "
                "dataset with features of tensorflow_datasets."
            )


def _class_names(description: Any, path: str) -> Iterator[str]:
    """Yields the names of classes of Python in a description, also in the texts in it that are JSON."""
    waiting = [description]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            names = (each.get(key) for key in _CLASS_KEYS)
            yield from (name for name in names if isinstance(name, str) and "." in name)
            waiting += each.values()
            if isinstance(text := each.get(_TEXT_KEY), str):
                waiting.append(tfds_files.parse(text, path))
        elif isinstance(each, list):
            waiting += each
