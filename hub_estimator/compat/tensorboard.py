"""TensorBoard, which TensorFlow brought until 2.20."""

from __future__ import annotations

import importlib.metadata
import importlib.util

from hub_estimator.compat.releases import parse_version

# Until then it imports `pkg_resources`, which setuptools 82 does not have any more.
_WITHOUT_PKG_RESOURCES = (2, 21, 0)


def missing_for_tensorboard() -> str | None:
    """Returns what pip has to install before TensorBoard starts; None where nothing is missing."""
    if importlib.util.find_spec("tensorboard") is None:
        return "tensorboard"
    version = parse_version(importlib.metadata.version("tensorboard"))
    has_package = importlib.util.find_spec("pkg_resources") is not None
    return None if version >= _WITHOUT_PKG_RESOURCES or has_package else "setuptools<82"
