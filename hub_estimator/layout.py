"""A module's folder: the names of the files in it, and what a folder is by them."""

from __future__ import annotations

import enum
import posixpath
import re

from hub_estimator import errors, files

MODULE_DEF = "tfhub_module.pb"
SAVED_MODEL = "saved_model.pb"
SAVED_MODEL_TEXT = "saved_model.pbtxt"
VARIABLES = "variables"
ASSETS = "assets"
# What TensorFlow adds to SavedModels and reads when it loads them.
FINGERPRINT = "fingerprint.pb"
DEBUG = "debug"
# Of the folders that are looked at for modules; those of a model folder are four below it.
_DEEPEST = 4
_MOST_FOLDERS = 500

ROOT_FILES = (MODULE_DEF, SAVED_MODEL, SAVED_MODEL_TEXT)
"""The files by which a folder is told to be a module or a SavedModel."""


class FolderKind(enum.Enum):
    """What a folder is by the files at its root."""

    HUB_MODULE = "a TF1 Hub module"
    SAVED_MODEL = "a SavedModel of TF1 or TF2"
    OTHER = "neither"


def kind_of(folder: str) -> FolderKind:
    """Returns what a folder is; no file of it is opened.

    Args:
      folder: a folder on any filesystem that TensorFlow knows; one that is not there is `OTHER`.
    """
    if files.exists(files.join(folder, MODULE_DEF)):
        return FolderKind.HUB_MODULE
    return FolderKind.OTHER if saved_model_file(folder) is None else FolderKind.SAVED_MODEL


def saved_model_file(folder: str) -> str | None:
    """Returns the path of the file with a folder's graphs, bytes rather than text; None without."""
    paths = [files.join(folder, name) for name in (SAVED_MODEL, SAVED_MODEL_TEXT)]
    return next((path for path in paths if files.exists(path)), None)


def modules_below(folder: str) -> list[str]:
    """Returns the modules below a folder, as model folders have them in `export/`, sorted.

    Of those that differ in a number alone, such as the time of their export, it is the newest. It
    looks at a limited number of folders.
    """
    found: dict[str, list[str]] = {}
    waiting = [(folder, 0)]
    for path, depth in waiting:
        if depth and kind_of(path) is FolderKind.HUB_MODULE:
            found.setdefault(_without_numbers(path), []).append(path)
        elif depth < _DEEPEST and files.is_folder(path):
            names = files.listing(path)[: _MOST_FOLDERS - len(waiting)]
            inner = (files.join(path, name) for name in names)
            waiting += [(path, depth + 1) for path in inner if files.is_folder(path)]
    return sorted(max(paths, key=_numbers) for paths in found.values())


def _without_numbers(path: str) -> str:
    return re.sub(r"(?<=/)\d+(?=/)", "", path)


def _numbers(path: str) -> list[int]:
    return [int(number) for number in re.findall(r"(?<=/)\d+(?=/)", path)]


def checkpoint_prefix(folder: str) -> str:
    """Returns the prefix of the checkpoint in a module's folder."""
    return files.join(folder, VARIABLES, VARIABLES)


def asset_path(folder: str, name: str) -> str:
    """Returns where an asset lies in a module's folder.

    Raises:
      errors.UnsafeAssetError: the name leads out of `assets/`.
    """
    normal = posixpath.normpath(name)
    if not name or posixpath.isabs(name) or normal.split("/")[0] in ("..", ".") or "\0" in name:
        raise errors.UnsafeAssetError(
            f"The module in {folder} names an asset {name!r}, which is not a file below its "
            f"{ASSETS}/ folder. Do not use this module: ask its publisher."
        )
    return files.join(folder, ASSETS, normal)
