"""The values of a module's variables: reading, checking, writing."""

from __future__ import annotations

import dataclasses
import heapq
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from hub_estimator import files
from hub_estimator.errors import CheckpointMismatchError
from hub_estimator.format.checkpoint_damage import naming_damage
from hub_estimator.format.checkpoint_paths import as_prefix, what_is_there
from hub_estimator.format.errors import CheckpointNotFoundError
from hub_estimator.format.variant import VariableEntry, quoted

# How checkpoints are read and written: more at a time gains nothing, and less is done in no time.
_GROUP_BYTES = 16 * 2**20
_MOST_GROUPS = 4


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


def balanced(sizes: Sequence[int]) -> list[list[int]]:
    """Splits values into groups to be read or written at the same time.

    Args:
      sizes: the number of bytes of each value.

    Returns:
      The indices of each group's values, about the same number of bytes in each: one group for
      each `_GROUP_BYTES`, but not more than `_MOST_GROUPS`.
    """
    count = max(1, min(sum(sizes) // _GROUP_BYTES, _MOST_GROUPS))
    groups: list[list[int]] = [[] for _ in range(count)]
    heap = [(0, number) for number in range(count)]
    for index in sorted(range(len(sizes)), key=lambda index: -sizes[index]):
        size, number = heapq.heappop(heap)
        groups[number].append(index)
        heapq.heappush(heap, (size + sizes[index], number))
    return [sorted(group) for group in groups if group]


def write_checkpoint(prefix: str, values: Sequence[Value]) -> None:
    """Writes values as a V2 checkpoint: `<prefix>.index` and its data files.

    Args:
      prefix: the path without endings, on any filesystem that TensorFlow knows.
      values: what to write.
    """
    with tf.Graph().as_default(), tf.device("/cpu:0"):
        feeds = _placeholders([_dtype(value.array) for value in values])
        save = save_operation(
            prefix,
            [value.key for value in values],
            [value.slice_spec for value in values],
            feeds,
            balanced([value.array.nbytes for value in values]),
        )
        with tf.compat.v1.Session(config=_unoptimized()) as session:
            session.run(
                save, {feed: value.array for feed, value in zip(feeds, values, strict=True)}
            )


def save_operation(
    prefix: str | tf.Tensor,
    keys: Sequence[str],
    slice_specs: Sequence[str],
    tensors: Sequence[tf.Tensor],
    groups: Sequence[Sequence[int]],
) -> tf.Operation:
    """Adds what writes a V2 checkpoint to the default graph.

    Args:
      prefix: the path without endings.
      keys: the name of each value.
      slice_specs: which part of the whole each is; empty for all.
      tensors: the values.
      groups: the indices of the values to write to each data file, all at the same time.
    """
    parts = [prefix]
    if len(groups) > 1:
        names = [f"_temp/part-{number:05}-of-{len(groups):05}" for number in range(len(groups))]
        parts = [tf.strings.join([prefix, name]) for name in names]
    saves = [
        tf.raw_ops.SaveV2(
            prefix=part,
            tensor_names=[keys[index] for index in group],
            shape_and_slices=[slice_specs[index] for index in group],
            tensors=[tensors[index] for index in group],
        )
        for part, group in zip(parts, groups, strict=True)
    ]
    if len(saves) == 1:
        return saves[0]
    with tf.control_dependencies(saves):
        return tf.raw_ops.MergeV2Checkpoints(
            checkpoint_prefixes=parts, destination_prefix=prefix, delete_old_dirs=True
        )


def _placeholders(dtypes: Sequence[tf.DType]) -> list[tf.Tensor]:
    """Adds a placeholder for each type to the default graph, all at once."""
    graph_def = tf.compat.v1.GraphDef()
    for number, dtype in enumerate(dtypes):
        node = graph_def.node.add(name=f"value_{number}", op="Placeholder")
        node.attr["dtype"].type = dtype.as_datatype_enum
    names = [f"{node.name}:0" for node in graph_def.node]
    return tf.import_graph_def(graph_def, return_elements=names, name="")


def _unoptimized() -> tf.compat.v1.ConfigProto:
    """Returns a configuration for a graph that runs once: TensorFlow does not rewrite it."""
    config = tf.compat.v1.ConfigProto()
    config.graph_options.rewrite_options.disable_meta_optimizer = True
    return config


def _dtype(array: np.ndarray) -> tf.DType:
    return tf.string if array.dtype.kind in "OSU" else tf.as_dtype(array.dtype)


def open_checkpoint(path: str) -> Any:
    """Returns TensorFlow's reader of a checkpoint.

    Args:
      path: names the checkpoint; see `as_prefix`.
    """
    prefix = as_prefix(path)
    if files.exists(f"{prefix}.index"):
        # Not load_checkpoint, which takes prefixes on some filesystems for folders.
        return tf.compat.v1.train.NewCheckpointReader(prefix)
    return tf.train.load_checkpoint(path)


@dataclasses.dataclass(frozen=True)
class StoredValues:
    """Values in a checkpoint, which are read only when they are needed.

    Attributes:
      path: names the checkpoint.
      reader: TensorFlow's reader of it.
      names: the name in the checkpoint of each value, by its key in the module.
      specs: the type and the shape of each value, by its key in the module.
    """

    path: str
    reader: Any
    names: Mapping[str, str]
    specs: Mapping[str, tf.TensorSpec]

    def read(self) -> list[Value]:
        """Returns the values; that of a partitioned variable is its whole.

        Raises:
          DamagedCheckpointError: a file of the checkpoint is damaged.
        """
        with naming_damage(self.path):
            return [
                Value(key, "", np.asarray(self.reader.get_tensor(name)))
                for key, name in self.names.items()
            ]


def find_values(
    checkpoint_path: str,
    keys: Collection[str],
    name_transform_fn: Callable[[str], str] | None = None,
) -> StoredValues:
    """Returns those of some values that a checkpoint has.

    Args:
      checkpoint_path: names the checkpoint, see `as_prefix`; what else it holds is ignored.
      keys: the values' keys in the module.
      name_transform_fn: gives a value's name in the checkpoint for its key in the module; None
        where they are equal.

    Raises:
      CheckpointNotFoundError: there is no checkpoint; it is a `tf.errors.NotFoundError`.
      DamagedCheckpointError: a file of it is damaged.
    """
    if not keys:
        return StoredValues(checkpoint_path, None, {}, {})
    try:
        with naming_damage(checkpoint_path):
            reader = open_checkpoint(checkpoint_path)
    except (ValueError, tf.errors.NotFoundError) as e:
        raise CheckpointNotFoundError(
            f"There is no checkpoint at {checkpoint_path!r}. Give its prefix, for example what "
            f"tf.train.latest_checkpoint(model_dir) returns.{what_is_there(checkpoint_path)}"
        ) from e
    there = contents(reader)
    wanted = {key: name_transform_fn(key) if name_transform_fn else key for key in keys}
    names = {key: name for key, name in wanted.items() if name in there}
    return StoredValues(
        checkpoint_path, reader, names, {key: there[name] for key, name in names.items()}
    )


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
    if not _fits(there[name], variable.spec):
        raise CheckpointMismatchError(
            f"The variable {name!r} is {_text(there[name])} in the checkpoint {checkpoint_path}, "
            f"but {_text(variable.spec)} in the module."
        )


def missing_values(
    variables: Iterable[VariableEntry], specs: Mapping[str, tf.TensorSpec]
) -> list[str]:
    """Returns what messages call the variables that have no value of their type and shape, sorted.

    Args:
      variables: the variables of a graph variant.
      specs: the type and the shape of each value that there is, by its key.
    """
    found = set()
    for variable in variables:
        key, there = variable.key, specs.get(variable.key)
        if there is None:
            found.add(repr(key))
        elif not _fits(there, variable.spec):
            found.add(f"{key!r} ({_text(variable.spec)}; the value is {_text(there)})")
    return sorted(found)


def _fits(there: tf.TensorSpec, wanted: tf.TensorSpec) -> bool:
    return there.dtype == wanted.dtype and wanted.shape.is_compatible_with(there.shape)


def _text(spec: tf.TensorSpec) -> str:
    return f"{spec.dtype.name} {spec.shape}"
