"""`hub.KerasLayer`: a module or a SavedModel as a layer, of Keras 3 and of legacy Keras.

    model = keras.Sequential([
        hub.KerasLayer("/modules/text", trainable=True, input_shape=[], dtype="string"),
        keras.layers.Dense(1),
    ])

`hub.KerasLayer` is a layer of what `tf.keras` is in this process. `hub.keras.keras_3.KerasLayer` is
that of Keras 3, and `hub.keras.legacy.KerasLayer` that of legacy Keras (tf-keras), whatever `tf.keras`
is. Importing this imports neither Keras nor TensorFlow.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hub_estimator.keras import keras_3, legacy
    from hub_estimator.keras.handles import moved_handles
    from hub_estimator.keras.keras_3 import KerasLayer

__all__ = ["KerasLayer", "keras_3", "legacy", "moved_handles"]


def __getattr__(name: str) -> Any:
    if name == "KerasLayer":
        value = _layer_of_tf_keras()
    elif name == "moved_handles":
        value = importlib.import_module(f"{__name__}.handles").moved_handles
    elif name in ("keras_3", "legacy"):
        value = importlib.import_module(f"{__name__}.{name}")
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def _layer_of_tf_keras() -> Any:
    compat = importlib.import_module("hub_estimator.compat")
    module = "keras_3" if compat.tf_keras_is_3() else "legacy"
    return importlib.import_module(f"{__name__}.{module}").KerasLayer
