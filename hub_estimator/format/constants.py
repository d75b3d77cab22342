"""The constants of a stored graph: how much memory they take once they are built."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

import tensorflow as tf

from hub_estimator import compat

# A tensor of these holds objects, of about as many bytes, whatever they hold in turn.
_OF_OBJECTS = frozenset({tf.string, tf.resource, tf.variant})
_OBJECT_BYTES = 24
_FEW_BYTES = 1 << 16
_HOLD_TENSORS = frozenset({"tensor", "func"})


def constant_bytes(nodes: Iterable[Any]) -> tuple[int, int]:
    """Returns how much memory the constants of nodes take once they are built, and how much now.

    One stored value stands for all further values of its tensor: a few bytes may say that a constant
    has billions of elements. Small ones are not counted.

    Args:
      nodes: `NodeDef`s.

    Returns:
      The bytes of the tensors, and those of the protos that store them.
    """
    built = stored = 0
    for node in nodes:
        if not compat.op_attr_types(node.op) & _HOLD_TENSORS:
            continue  # most nodes
        for tensor in _tensors(node):
            size = _size(tensor)
            if size > _FEW_BYTES:
                built += size
                stored += tensor.ByteSize()
    return built, stored


def mistyped_constants(nodes: Iterable[Any]) -> Iterator[str]:
    """Yields the names of constants whose values are of another type than they say.

    TensorFlow takes what they say, and ends the process when it looks at the values.
    """
    for node in nodes:
        if node.op == "Const" and "dtype" in node.attr and "value" in node.attr:
            said, value = node.attr["dtype"], node.attr["value"]
            # In a function's body, what it is called with may take the place of either.
            if said.type != value.tensor.dtype and not (said.placeholder or value.placeholder):
                yield node.name


def _tensors(node: Any) -> Iterator[Any]:
    """The tensors in a node's attributes, also those that functions are called with."""
    for attr in node.attr.values():
        kind = attr.WhichOneof("value")
        if kind == "tensor":
            yield attr.tensor
        elif kind == "func":
            yield from _tensors(attr.func)
        elif kind == "list":
            yield from attr.list.tensor
            for function in attr.list.func:
                yield from _tensors(function)


def _size(tensor: Any) -> int:
    count = math.prod(max(0, dim.size) for dim in tensor.tensor_shape.dim)
    if count <= 1:
        return 0
    dtype = tf.as_dtype(tensor.dtype).base_dtype
    return count * (_OBJECT_BYTES if dtype in _OF_OBJECTS else dtype.size)
