"""The Estimator API of TF1 programs, `tf.compat.v1.estimator`, on every supported TensorFlow.

All of it is here: `Estimator`, `EstimatorSpec`, `RunConfig`, `train_and_evaluate`, exporters, heads,
canned Estimators, `export`, `experimental`, `inputs`, `tpu`. It is imported when the first of its
names is used.

What `tensorflow_hub.estimator` has is here too: `LatestModuleExporter` and
`register_module_for_export`.
"""

from __future__ import annotations

import sys
from typing import Any

from hub_estimator import compat

_OF_HUB = ("LatestModuleExporter", "register_module_for_export")


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name in _OF_HUB:
        return getattr(sys.modules[str(__package__)], name)
    try:
        return getattr(compat.estimator_module(), name)
    except AttributeError as error:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from error


def __dir__() -> list[str]:
    return sorted({*globals(), *_OF_HUB, *dir(compat.estimator_module())})
