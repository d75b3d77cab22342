"""What our layers need of the two Kerases: their classes, and which of them is at work."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import Any

import tensorflow as tf

from hub_estimator.compat.keras_2 import legacy_keras
from hub_estimator.compat.keras_3 import import_keras_3, is_release_3


def tf_keras_is_3() -> bool:
    """Whether `tf.keras` is Keras 3 in this process; this decides it, where nothing has before."""
    return is_release_3(tf.keras)


def keras_variable(variable: tf.Variable, name: str, trainable: bool) -> Any:
    """Returns a `keras.Variable` of Keras 3 over a variable: both have the same value, always.

    Args:
      variable: of a fixed shape, and of a type that Keras knows.
      name: its name in Keras, without slashes.
      trainable: whether Keras trains it where its layer is trained.
    """
    keras = import_keras_3()
    made = keras.Variable(
        variable,
        shape=variable.shape,
        dtype=variable.dtype.name,
        trainable=trainable,
        name=name,
    )
    if made.value is not variable:  # releases up to 3.8, at least, copy it
        made._value = variable
    return made


def in_other_keras(is_3: bool, values: Iterable[Any]) -> bool:
    """Whether a layer is called by a model of the other Keras.

    Args:
      is_3: whether the layer is of Keras 3.
      values: what it is called with, flat.
    """
    if is_3:
        legacy = _imported_legacy_keras()
        return legacy is not None and _legacy_calls(legacy, values)
    keras = sys.modules.get("keras")
    return keras is not None and is_release_3(keras) and _keras_3_calls(keras, values)


def guard_sequential(is_3: bool, refuse: Callable[[Any], None]) -> None:
    """Has the `Sequential` of the other Keras, where it is imported, ask about layers before it adds them.

    It takes no layer of another Keras, and says of it only that it is none.

    Args:
      is_3: whether our layers are of Keras 3.
      refuse: raises an error for what must not be added.
    """
    other = _imported_legacy_keras() if is_3 else sys.modules.get("keras")
    if other is None or is_release_3(other) == is_3:
        return
    add = other.Sequential.add
    if getattr(add, "asks_hub_estimator", False):
        return

    @functools.wraps(add)
    def guarded(model: Any, layer: Any, *args: Any, **kwargs: Any) -> Any:
        refuse(layer)
        return add(model, layer, *args, **kwargs)

    guarded.asks_hub_estimator = True  # type: ignore[attr-defined]
    other.Sequential.add = guarded


def _imported_legacy_keras() -> ModuleType | None:
    """Returns legacy Keras where it is another than Keras 3 and was imported already."""
    if "tf_keras" not in sys.modules:
        return None
    return legacy_keras()


def _keras_3_calls(keras: Any, values: Iterable[Any]) -> bool:
    if any(isinstance(value, keras.KerasTensor) for value in values):
        return True
    state = sys.modules["keras.src.backend.common.global_state"]
    return state.get_global_attribute("current_call_ctx") is not None


def _legacy_calls(legacy: Any, values: Iterable[Any]) -> bool:
    if any(isinstance(value, legacy.__internal__.KerasTensor) for value in values):
        return True
    base_layer_utils = sys.modules["tf_keras.src.engine.base_layer_utils"]
    return bool(base_layer_utils.call_context().in_call)
