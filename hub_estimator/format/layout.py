"""The names of the files in a module's folder."""

from __future__ import annotations

import posixpath

from hub_estimator import files
from hub_estimator.errors import UnsafeAssetError

MODULE_DEF = "tfhub_module.pb"
SAVED_MODEL = "saved_model.pb"
SAVED_MODEL_TEXT = "saved_model.pbtxt"
VARIABLES = "variables"
ASSETS = "assets"
# What TensorFlow adds to SavedModels and reads when it loads them.
FINGERPRINT = "fingerprint.pb"
DEBUG = "debug"


def checkpoint_prefix(folder: str) -> str:
    """Returns the prefix of the checkpoint in a module's folder."""
    return files.join(folder, VARIABLES, VARIABLES)


def asset_path(folder: str, name: str) -> str:
    """Returns where an asset lies in a module's folder.

    Raises:
      UnsafeAssetError: the name leads out of `assets/`.
    """
    normal = posixpath.normpath(name)
    if not name or posixpath.isabs(name) or normal.split("/")[0] in ("..", ".") or "\0" in name:
        raise UnsafeAssetError(
            f"The module in {folder} names an asset {name!r}, which is not a file below its "
            f"{ASSETS}/ folder. Do not use this module: ask its publisher."
        )
    return files.join(folder, ASSETS, normal)
