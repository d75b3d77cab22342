"""What TensorFlow's registry says of operations."""

from __future__ import annotations

import functools

from tensorflow.core.framework import types_pb2
from tensorflow.python.framework import op_def_registry

_STATE_TYPES = frozenset({types_pb2.DT_RESOURCE, types_pb2.DT_VARIANT})


def knows_op(op_type: str) -> bool:
    """Whether operations of a type are known; a library that defines them may be loaded later."""
    return op_def_registry.get(op_type) is not None


@functools.cache
def op_outputs_state(op_type: str) -> bool:
    """Whether operations of a known type make the state of a graph: variables, tables, queues.

    They are stateful, take no inputs, and give a reference or a handle.
    """
    op_def = op_def_registry.get(op_type)
    return (
        op_def.is_stateful
        and not op_def.input_arg
        and any(arg.is_ref or arg.type in _STATE_TYPES for arg in op_def.output_arg)
    )
