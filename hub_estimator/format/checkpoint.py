"""The values of a module's variables: reading, checking, writing."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from hub_estimator import files
from hub_estimator.errors import CheckpointMismatchError
from hub_estimator.format.errors import CheckpointNotFoundError
from hub_estimator.format.variant import VariableEntry, quoted


@dataclasses.dataclass(frozen=True)
class Value:
    """One tensor to write.

    Attributes:
      key: its name in the checkpoint.
      slice_spec: which part of the whole it is, as `tf.raw_ops.SaveV2` takes it; empty for all.
      array: the value.
    """

    key: str
    slice_spec: str
    array: np.ndarray


def write_checkpoint(prefix: str, values: Sequence[Value]) -> None:
    """Writes values as a V2 checkpoint: `<prefix>.index` and its data files.

    Args:
      prefix: the path without endings, on any filesystem that TensorFlow knows.
      values: what to write.
    """
    with tf.Graph().as_default(), tf.device("/cpu:0"):
        feeds = [tf.compat.v1.placeholder(tf.as_dtype(_dtype(value.array))) for value in values]
        save = tf.raw_ops.SaveV2(
            prefix=prefix,
            tensor_names=[value.key for value in values],
            shape_and_slices=[value.slice_spec for value in values],
            tensors=feeds,
        )
        with tf.compat.v1.Session() as session:
            session.run(
                save, {feed: value.array for feed, value in zip(feeds, values, strict=True)}
            )


def _dtype(array: np.ndarray) -> Any:
    return tf.string if array.dtype.kind in "OSU" else array.dtype


def open_checkpoint(path: str) -> Any:
    """Returns TensorFlow's reader of a checkpoint.

    Args:
      path: the prefix of a checkpoint, or a folder, for its latest one.
    """
    if files.exists(f"{path}.index"):
        # Not load_checkpoint, which takes prefixes on some filesystems for folders.
        return tf.compat.v1.train.NewCheckpointReader(path)
    return tf.train.load_checkpoint(path)


def read_from_checkpoint(
    checkpoint_path: str,
    variables: Iterable[VariableEntry],
    name_transform_fn: Callable[[str], str] | None = None,
) -> list[Value]:
    """Returns the whole value of each variable from a checkpoint; parts are read as their whole.

    Args:
      checkpoint_path: the prefix of a checkpoint; what else it holds is ignored.
      variables: the variables of a module.
      name_transform_fn: gives a variable's name in the checkpoint for its name in the module.

    Raises:
      CheckpointMismatchError: a variable is missing, or has another shape or type there.
      CheckpointNotFoundError: there is no checkpoint; it is a `tf.errors.NotFoundError`.
    """
    try:
        reader = open_checkpoint(checkpoint_path)
    except (ValueError, tf.errors.NotFoundError) as e:
        raise CheckpointNotFoundError(
            f"There is no checkpoint at {checkpoint_path!r}. Give its prefix, for example what "
            "tf.train.latest_checkpoint(model_dir) returns."
        ) from e
    there = contents(reader)
    values = []
    for variable in {variable.key: variable for variable in variables}.values():
        name = name_transform_fn(variable.key) if name_transform_fn else variable.key
        check_variable(there, checkpoint_path, variable, name)
        values.append(Value(variable.key, "", np.asarray(reader.get_tensor(name))))
    return values


def contents(reader: Any) -> dict[str, tf.TensorSpec]:
    """Returns the type and shape of each tensor that a checkpoint's reader can read, by name."""
    types = reader.get_variable_to_dtype_map()
    return {
        name: tf.TensorSpec(shape, types[name])
        for name, shape in reader.get_variable_to_shape_map().items()
    }


def check_variable(
    there: Mapping[str, tf.TensorSpec], checkpoint_path: str, variable: VariableEntry, name: str
) -> None:
    """Checks that a checkpoint holds a variable's value.

    Args:
      there: the checkpoint's `contents`.
      checkpoint_path: what messages call it.
      variable: the variable.
      name: the variable's name in the checkpoint.

    Raises:
      CheckpointMismatchError: it does not, or with another shape or type.
    """
    if name not in there:
        raise CheckpointMismatchError(
            f"The checkpoint {checkpoint_path} has no variable {name!r}, which the module's "
            f"variable {variable.key!r} needs. It has: {quoted(there)}. Where the names differ, "
            "pass name_transform_fn."
        )
    shape, dtype = there[name].shape, there[name].dtype
    if not variable.whole_shape.is_compatible_with(shape) or dtype != variable.dtype.base_dtype:
        raise CheckpointMismatchError(
            f"The variable {name!r} is {dtype.name} {shape} in the checkpoint {checkpoint_path}, "
            f"but {variable.dtype.base_dtype.name} {variable.whole_shape} in the module."
        )
