"""Updates of those rows of a table that a step has used, where TensorFlow's own ways are slow.

An optimizer of TensorFlow first adds the gradients of rows that come twice, also where none does.
Its kernels then take row by row: in 2.21 a few times as long as in 2.15, and by one thread. The
kernels for whole variables compute the same, are fast in all releases, and use all threads: they
are given the rows alone, which are copied out of the variable and its slots and back. Adam changes
all rows at each step, by several operations; its kernel for whole variables does it in one pass.
"""

from __future__ import annotations

import copy
import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from hub_estimator.compat import measured

_train = tf.compat.v1.train
# Those whose kernels for rows and for whole variables do the same to each number.
_BY_ROW = (
    _train.AdadeltaOptimizer,
    _train.AdagradDAOptimizer,
    _train.AdagradOptimizer,
    _train.FtrlOptimizer,
    _train.MomentumOptimizer,
    _train.RMSPropOptimizer,
)
_FLOATS = (tf.float32, tf.float64)
_TABLE, _ROWS, _WIDTH = 4096, 2048, 384
# TensorFlow's own way stays where it takes at most this part of the processor time of another: the
# others use all threads, of which one is measured.
_SHARE = 0.8

# Updates a variable by the gradients of rows that differ: `(optimizer, gradient, variable, rows)`.
_Update = Callable[[Any, tf.Tensor, tf.Variable, tf.Tensor], tf.Operation]


@dataclasses.dataclass(frozen=True)
class _Copied:
    """Rows that were copied out of a variable, as much of one as an optimizer asks for."""

    handle: tf.Tensor
    dtype: tf.DType
    device: str


def hasten_row_updates(optimizer: Any) -> None:
    """Lets an optimizer update the rows of tables in the fastest way that there is.

    Its variables, their names and their values are what they would be, but for rounding. It stays
    as it is with a GPU, whose kernels are fast; where it locks what it updates; and where it is of
    a class that adds the gradients of rows itself. So do variables of clusters, which other workers
    update at the same time, or keep equal to the last bit; and those that are no resources.

    Args:
      optimizer: any optimizer; those of `tf.compat.v1.train` and their subclasses can be hastened.
    """
    if not isinstance(optimizer, _train.Optimizer) or tf.config.list_physical_devices("GPU"):
        return
    if getattr(optimizer, "_use_locking", True):
        return
    if _inherits(type(optimizer), _train.Optimizer, "_resource_apply_sparse_duplicate_indices"):
        optimizer._resource_apply_sparse_duplicate_indices = functools.partial(_apply, optimizer)


def rows_once(values: tf.Tensor, indices: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Adds the values of rows that come several times.

    Args:
      values: `[N, ...]`.
      indices: whole numbers `[N]`, the rows that the values are of.

    Returns:
      The sums, and the rows, each once; as they were given where each comes once already.
    """
    rows, places = tf.unique(indices)
    summed = tf.cond(
        tf.equal(tf.size(rows), tf.size(indices)),
        lambda: values,
        lambda: tf.math.unsorted_segment_sum(values, places, tf.size(rows)),
    )
    summed.set_shape(tf.TensorShape([None]).concatenate(values.shape[1:]))
    return summed, rows


def _apply(
    optimizer: Any, gradient: tf.Tensor, variable: tf.Variable, indices: tf.Tensor
) -> tf.Operation:
    summed, rows = rows_once(gradient, indices)
    return _update_for(optimizer, variable)(optimizer, summed, variable, rows)


def _update_for(optimizer: Any, variable: tf.Variable) -> _Update:
    job = tf.DeviceSpec.from_string(variable.device or "").job
    if variable.dtype.base_dtype in _FLOATS and job in (None, "localhost"):
        if any(_is_of(optimizer, kind) for kind in _BY_ROW) and _own_is_slow(
            _train.AdagradOptimizer, _update_copied
        ):
            return _update_copied
        if _is_of(optimizer, _train.AdamOptimizer) and _own_is_slow(
            _train.AdamOptimizer, _update_all
        ):
            return _update_all
    return _update_in_place


def _is_of(optimizer: Any, kind: type) -> bool:
    """Whether an optimizer updates variables as a class of TensorFlow does."""
    names = ("_resource_apply_sparse", "_resource_apply_dense")
    return all(_inherits(type(optimizer), kind, name) for name in names)


def _inherits(kind: type, base: type, name: str) -> bool:
    return getattr(kind, name, None) is getattr(base, name)


def _update_in_place(
    optimizer: Any, gradient: tf.Tensor, variable: tf.Variable, rows: tf.Tensor
) -> tf.Operation:
    return optimizer._resource_apply_sparse(gradient, variable, rows)


def _update_all(
    optimizer: Any, gradient: tf.Tensor, variable: tf.Variable, rows: tf.Tensor
) -> tf.Operation:
    shape = tf.raw_ops.VariableShape(input=variable.handle, out_type=rows.dtype)
    whole = tf.scatter_nd(tf.expand_dims(rows, 1), gradient, shape)
    return optimizer._resource_apply_dense(whole, variable)


def _update_copied(
    optimizer: Any, gradient: tf.Tensor, variable: tf.Variable, rows: tf.Tensor
) -> tf.Operation:
    found = {name: optimizer.get_slot(variable, name) for name in optimizer.get_slot_names()}
    slots = {name: slot for name, slot in found.items() if slot is not None}
    updated = [variable, *slots.values()]
    copies = [_copy_of(one) for one in updated]
    filled = [
        tf.raw_ops.AssignVariableOp(
            resource=copied.handle,
            value=tf.raw_ops.ResourceGather(resource=one.handle, indices=rows, dtype=copied.dtype),
        )
        for one, copied in zip(updated, copies, strict=True)
    ]
    with tf.control_dependencies(filled):
        on_copies = copy.copy(optimizer)
        by_name = dict(zip(slots, copies[1:], strict=True))
        on_copies.get_slot = lambda _, name: by_name[name]
        applied = on_copies._resource_apply_dense(gradient, copies[0])
    with tf.control_dependencies([applied]):
        return tf.group(
            *(
                tf.raw_ops.ResourceScatterUpdate(
                    resource=one.handle,
                    indices=rows,
                    updates=tf.raw_ops.ReadVariableOp(resource=copied.handle, dtype=copied.dtype),
                )
                for one, copied in zip(updated, copies, strict=True)
            )
        )


def _copy_of(variable: tf.Variable) -> _Copied:
    """Returns where rows of a variable are copied to: nothing that a graph lists or a saver saves."""
    dtype = variable.dtype.base_dtype
    shape = tf.TensorShape([None]).concatenate(variable.shape[1:])
    name = f"{variable.op.name}/rows_in_update"
    handle = tf.raw_ops.VarHandleOp(dtype=dtype, shape=shape, shared_name=name)
    return _Copied(handle, dtype, handle.device)


@functools.cache
def _own_is_slow(kind: type, update: _Update) -> bool:
    """Whether a class of optimizers updates rows slower than another way: measured once."""
    rows = np.random.RandomState(0).permutation(_TABLE)[:_ROWS].astype(np.int32)
    steps = []
    with tf.Graph().as_default(), tf.device("/cpu:0"):
        indices = tf.compat.v1.placeholder_with_default(rows, [None])
        for name, way in (("own", _update_in_place), ("other", update)):
            optimizer = kind(0.1)
            optimizer._resource_apply_sparse_duplicate_indices = functools.partial(way, optimizer)
            table = tf.compat.v1.get_variable(
                name,
                [_TABLE, _WIDTH],
                use_resource=True,
                initializer=tf.compat.v1.zeros_initializer(),
            )
            # As in training, where they are looked up: from then on reading the variable copies it.
            looked_up = tf.gather(table, indices)
            gradient = tf.IndexedSlices(looked_up + 1, indices, table.shape)
            steps.append(optimizer.apply_gradients([(gradient, table)]))
        own_secs, other_secs = measured.seconds(steps)
    return own_secs > _SHARE * other_secs
