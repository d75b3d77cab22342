"""What TensorFlow's registry says of operations."""

from __future__ import annotations

import functools
from typing import Any

import tensorflow as tf
from tensorflow.core.framework import types_pb2
from tensorflow.python.framework import op_def_registry

_STATE_TYPES = frozenset({types_pb2.DT_RESOURCE, types_pb2.DT_VARIANT})


def knows_op(op_type: str) -> bool:
    """Whether operations of a type are known; a library that defines them may be loaded later."""
    return op_def_registry.get(op_type) is not None


# What TensorFlow has itself beside `tf.raw_ops`: the operations of its compilers and runtimes, which
# start with one of these, and single ones.
_INTERNAL = ("_", "DTensor", "DeleteRpc", "Risc", "Rpc", "TPU", "Xla")
_INTERNAL_OPS = frozenset(
    {
        "AudioMicrofrontend",
        "CalibrationStatisticsSaver",
        "CopyToMesh",
        "CopyToMeshGrad",
        "CreateTRTResourceHandle",
        "CustomAggregator",
        "DumpTensor",
        "GetCalibrationDataOp",
        "GetDeadline",
        "GraphDefVersion",
        "HostConst",
        "InitializeTRTResource",
        "IsResourceHandleRefCounting",
        "IsTensorFloat32Enabled",
        "KthOrderStatistic",
        "MakeUnique",
        "MakeWeakResourceHandle",
        "MergeDedupData",
        "MlirPassthroughOp",
        "NegTrain",
        "QuantizedConcatV2",
        "Relayout",
        "RelayoutLike",
        "SerializeTRTResource",
        "Skipgram",
        "SleepIdentityOp",
        "SleepOp",
        "SplitDedupData",
        "StochasticCastToInt",
        "TRTEngineOp",
        "TfLiteSubgraphExecute",
        "TopKUnique",
        "TopKWithUnique",
    }
)


@functools.cache
def is_own_op(op_type: str) -> bool:
    """Whether TensorFlow itself defines operations of a type, rather than a library beside it."""
    return hasattr(tf.raw_ops, op_type) or op_type in _INTERNAL_OPS or op_type.startswith(_INTERNAL)


@functools.cache
def op_attr_types(op_type: str) -> frozenset[str]:
    """Returns the types of the attributes of operations of a type, without `list(...)` around them.

    All of those that hold others (`func`, `tensor`) where the type is not known.
    """
    op_def = op_def_registry.get(op_type)
    if op_def is None:
        return frozenset({"func", "tensor"})
    return frozenset(attr.type.removeprefix("list(").removesuffix(")") for attr in op_def.attr)


@functools.cache
def op_attr_names(op_type: str) -> frozenset[str]:
    """Returns the names of the attributes of operations of a known type."""
    return frozenset(attr.name for attr in op_def_registry.get(op_type).attr)


@functools.cache
def is_stateful(op_type: str) -> bool:
    """Whether operations of a known type have state, use it, or are random."""
    return bool(op_def_registry.get(op_type).is_stateful)


def makes_state(op_type: str) -> bool:
    """Whether operations of a type are known and make state; see `op_outputs_state`."""
    return knows_op(op_type) and op_outputs_state(op_type)


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


def output_sizes(node: Any) -> dict[str, int]:
    """Returns how many tensors each output of a node has by the output's name, in their order.

    Args:
      node: a `NodeDef` of a known type.
    """
    op_def = op_def_registry.get(node.op)
    defaults = {attr.name: attr.default_value for attr in op_def.attr}

    def attribute(name: str) -> Any:
        return node.attr[name] if name in node.attr else defaults[name]

    sizes = {}
    for arg in op_def.output_arg:
        if arg.number_attr:
            sizes[arg.name] = attribute(arg.number_attr).i
        elif arg.type_list_attr:
            sizes[arg.name] = len(attribute(arg.type_list_attr).list.type)
        else:
            sizes[arg.name] = 1
    return sizes
