"""The values of a layer's variables in the files that Keras writes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from hub_estimator import errors, texts
from hub_estimator.keras.computation import variable_name


def stored_values(variables: Sequence[tf.Variable]) -> dict[str, np.ndarray]:
    """Returns the values of variables, by their places as text: `"0"`, `"1"`, ...

    Keras itself, and the peer, store variables so. Values of types that HDF5 does not have, such as
    strings, are bytes of a `TensorProto`.
    """
    return {str(place): _stored(variable) for place, variable in enumerate(variables)}


def assign_stored(variables: Sequence[tf.Variable], stored: Mapping[str, Any], source: str) -> None:
    """Gives variables the values that `stored_values` returned for them.

    Args:
      variables: those of the layer.
      stored: the values.
      source: what messages call that which the layer computes with.

    Raises:
      errors.CheckpointMismatchError: they are those of other variables; none is changed.
    """
    count = len(list(stored.keys()))
    if count != len(variables):
        names = texts.shown_names(list(map(variable_name, variables)))
        raise errors.CheckpointMismatchError(
            f"The file has values of {count} variables, and the layer around {source} has "
            f"{len(variables)}: {names or 'none'}. They were saved with another module: make the layer "
            "with that one."
        )
    places = [str(place) for place in range(count)]
    if missing := [place for place in places if place not in stored]:
        raise errors.CheckpointMismatchError(
            f"The file has no values under {texts.shown_names(missing)} for the layer around {source}: "
            "it was saved by another layer, or is damaged. Save the model again."
        )
    values = [
        _read(variable, stored[place], source)
        for place, variable in zip(places, variables, strict=True)
    ]
    for variable, value in zip(variables, values, strict=True):
        if not variable.shape.is_compatible_with(value.shape):
            raise errors.CheckpointMismatchError(
                f"The file has a value of the shape {list(value.shape)} for the variable "
                f"{variable_name(variable)} of {source}, whose shape is {variable.shape}. It was saved "
                "with another module: make the layer with that one."
            )
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def _stored(variable: tf.Variable) -> np.ndarray:
    if _is_in_hdf5(variable.dtype):
        return variable.numpy()
    message = tf.io.serialize_tensor(tf.convert_to_tensor(variable)).numpy()
    return np.frombuffer(message, dtype=np.uint8)


def _read(variable: tf.Variable, value: Any, source: str) -> Any:
    value = np.asarray(value)
    if not _is_in_hdf5(variable.dtype):
        try:
            return tf.io.parse_tensor(value.tobytes(), variable.dtype)
        except tf.errors.InvalidArgumentError as error:
            raise _other_type(variable, source, value.dtype.name) from error
    if value.dtype != variable.dtype.as_numpy_dtype:
        raise _other_type(variable, source, value.dtype.name)
    return value


def _other_type(variable: tf.Variable, source: str, found: str) -> errors.CheckpointMismatchError:
    return errors.CheckpointMismatchError(
        f"The file has a value of the type {found} for the variable {variable_name(variable)} of "
        f"{source}, whose type is {variable.dtype.name}. It was saved with another module, or is "
        "damaged: make the layer with that module, or save the model again."
    )


def _is_in_hdf5(dtype: tf.DType) -> bool:
    return np.dtype(dtype.as_numpy_dtype).isbuiltin == 1 and dtype != tf.string
