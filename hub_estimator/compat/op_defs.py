"""What TensorFlow's registry says of operations."""

from __future__ import annotations

import functools

import tensorflow as tf
from tensorflow.core.framework import types_pb2
from tensorflow.python.framework import op_def_registry

_STATE_TYPES = frozenset({types_pb2.DT_RESOURCE, types_pb2.DT_VARIANT})


@functools.cache
def op_outputs_state(op_type: str) -> bool:
    """Whether operations of a type make the state of a graph: variables, tables, queues.

    They are stateful, take no inputs, and give a reference or a handle.

    Raises:
      tf.errors.NotFoundError: no such type is registered; its library must be loaded first.
    """
    op_def = op_def_registry.get(op_type)
    if op_def is None:
        raise tf.errors.NotFoundError(
            None,
            None,
            f"TensorFlow {tf.__version__} knows no operation {op_type!r}. Where a library defines "
            "it, load that with tf.load_op_library or import its package first.",
        )
    return (
        op_def.is_stateful
        and not op_def.input_arg
        and any(arg.is_ref or arg.type in _STATE_TYPES for arg in op_def.output_arg)
    )
