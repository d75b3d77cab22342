"""Every difference between TensorFlow releases, and every private TensorFlow name.

Importing it does not import TensorFlow; using one of its names does.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hub_estimator.compat.installation import install
    from hub_estimator.compat.legacy_keras import legacy_layers, require_legacy_keras
    from hub_estimator.compat.noise import silence_deprecations
    from hub_estimator.compat.releases import ships_estimator, tf_version
    from hub_estimator.compat.stand_ins import estimator_module

_WHERE = {
    "estimator_module": "stand_ins",
    "install": "installation",
    "legacy_layers": "legacy_keras",
    "require_legacy_keras": "legacy_keras",
    "ships_estimator": "releases",
    "silence_deprecations": "noise",
    "tf_version": "releases",
}

__all__ = [
    "estimator_module",
    "install",
    "legacy_layers",
    "require_legacy_keras",
    "ships_estimator",
    "silence_deprecations",
    "tf_version",
]


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_WHERE[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
