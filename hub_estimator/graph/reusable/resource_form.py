"""A graph variant with resources in place of references, as functions of TensorFlow 2 need it.

Nearly all published modules have reference variables (`VariableV2`), whose operations exist in graphs
alone. Each has a twin on resources that does the same; what takes the value of a reference gets an
operation that reads the resource at that place.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import tensorflow as tf

from hub_estimator import compat
from hub_estimator.format import collections
from hub_estimator.format.nodes import NodeIndex, node_of, tensor_of
from hub_estimator.format.variant import Variant
from hub_estimator.graph.reusable.resource_ops import (
    ASSIGNING,
    PASSING,
    TABLES,
    USING,
    VARIABLES,
)

_REWRITTEN = VARIABLES | TABLES.keys()


def resource_form(variant: Variant) -> Variant:
    """Returns a variant that computes the same, whose variables and tables are resources.

    Its nodes have no devices, nor are they colocated: a caller, or a strategy, places resources where
    it makes them, and what works on them goes there.

    Args:
      variant: the variant as stored.
    """
    if "resource form" not in variant.prepared:
        meta_graph = tf.compat.v1.MetaGraphDef()
        meta_graph.CopyFrom(variant.meta_graph)
        _forget_places(meta_graph.graph_def)
        if any(node.op in _REWRITTEN for node in meta_graph.graph_def.node):
            _Rewriting(variant.nodes, meta_graph).run()
        variant.prepared["resource form"] = Variant(variant.tags, meta_graph)
    return variant.prepared["resource form"]


def _forget_places(graph_def: Any) -> None:
    for node in graph_def.node:
        node.device = ""
        node.attr.pop("_class", None)


@dataclasses.dataclass(frozen=True)
class _Reference:
    """What stands for a reference.

    Attributes:
      handle: the name of the tensor with the handle of the resource.
      holder: the stored node of the variable or table.
      after: the operations (`^node`) that change the resource before the reference is there.
    """

    handle: str
    holder: Any
    after: tuple[str, ...] = ()

    @property
    def has_value(self) -> bool:
        """Whether it can be read: a table cannot."""
        return self.holder.op in VARIABLES


class _Rewriting:
    """The rewriting of one graph.

    Args:
      nodes: the nodes as stored.
      meta_graph: a copy of the stored graph, which is changed.
    """

    def __init__(self, nodes: NodeIndex, meta_graph: Any) -> None:
        self._nodes = nodes
        self._meta_graph = meta_graph
        self._graph_def = meta_graph.graph_def
        self._taken = set(nodes.by_name)

    def run(self) -> None:
        for node in list(self._graph_def.node):
            self._rewrite(node)
        for signature in self._meta_graph.signature_def.values():
            for info in signature.outputs.values():
                if info.WhichOneof("encoding") == "name":
                    info.name = self._value(info.name)
        for key in (collections.UPDATE_OPS, collections.REGULARIZATION_LOSSES):
            self._rename_collected(key)
        for key in (
            collections.VARIABLES,
            collections.TRAINABLE_VARIABLES,
            collections.MODEL_VARIABLES,
        ):
            self._rewrite_variables(key)

    def _rewrite(self, node: Any) -> None:
        stored = self._nodes[node.name]
        if node.op in VARIABLES:
            _become(node, "VarHandleOp")
        elif node.op in TABLES:
            _become(node, TABLES[node.op])
        controls = [edge for edge in stored.input if edge.startswith("^")]
        for index, edge in enumerate(stored.input):
            reference = None if edge.startswith("^") else self._reference(tensor_of(edge))
            if reference is None:
                continue
            if self._takes_reference(stored, index):
                node.input[index] = reference.handle
                node.input.extend(reference.after)
            elif stored.op == "Identity" and reference.has_value:
                _become(node, "ReadVariableOp")
                node.input[index] = reference.handle
                node.input.extend(reference.after)
            elif reference.has_value:
                node.input[index] = self._add_read(f"{node.name}/read", reference, controls)
        for forms in (ASSIGNING, USING, PASSING):
            if stored.op in forms:
                _become(node, forms[stored.op])
                if forms is PASSING:
                    node.attr["T"].type = tf.resource.as_datatype_enum

    @staticmethod
    def _takes_reference(node: Any, index: int) -> bool:
        if node.op == "RefMerge":
            return True
        return index == 0 and any(node.op in forms for forms in (ASSIGNING, USING, PASSING))

    def _reference(self, tensor: str) -> _Reference | None:
        """Returns what stands for a stored tensor, if that is a reference."""
        node = self._nodes.by_name.get(node_of(tensor))
        if node is None:
            return None
        holder = self._holder(node)
        if holder is not None and node.op in ASSIGNING:
            changed = self._reference(tensor_of(node.input[0]))
            return changed and dataclasses.replace(changed, after=(f"^{node.name}",))
        # The second output of a `RefMerge` is a number.
        if node.op == "RefMerge" and not tensor.endswith(":0"):
            return None
        return None if holder is None else _Reference(tensor, holder)

    def _holder(self, node: Any) -> Any:
        """Returns the variable or table whose reference a node makes or passes on, if it does."""
        seen: set[str] = set()
        while (node.op in PASSING or node.op in ASSIGNING) and node.name not in seen:
            seen.add(node.name)
            node = self._nodes[node_of(node.input[0])]
        return node if node.op in _REWRITTEN else None

    def _add_read(self, name: str, reference: _Reference, controls: list[str]) -> str:
        """Adds an operation that reads a resource; returns its name."""
        number = 0
        while (free := f"{name}_{number}") in self._taken:
            number += 1
        self._taken.add(free)
        read = self._graph_def.node.add(name=free, op="ReadVariableOp")
        read.input.extend([reference.handle, *reference.after, *controls])
        read.attr["dtype"].type = reference.holder.attr["dtype"].type
        return free

    def _value(self, tensor: str) -> str:
        """Returns the name of a tensor with the value of one that may be a reference."""
        reference = self._reference(tensor)
        if reference is None or not reference.has_value:
            return tensor
        return f"{self._add_read(f'{node_of(tensor)}/read', reference, [])}:0"

    def _rename_collected(self, key: str) -> None:
        for index, name in enumerate(collections.node_names(self._meta_graph, key)):
            if ":" in name and self._reference(name):
                # An update that gives a reference is its operation.
                is_update = key == collections.UPDATE_OPS
                new = node_of(name) if is_update else self._value(name)
                self._meta_graph.collection_def[key].node_list.value[index] = new

    def _rewrite_variables(self, key: str) -> None:
        protos = collections.variable_defs(self._meta_graph, key)
        for proto in protos:
            proto.is_resource = True
            if proto.initial_value_name:
                proto.initial_value_name = self._value(tensor_of(proto.initial_value_name))
        collections.set_bytes(self._meta_graph, key, protos)


def _become(node: Any, op_type: str) -> None:
    """Makes a node one of another type; attributes that it has not go."""
    if node.op == op_type:
        return
    kinds = {key: node.attr[key].type for key in ("T", "dtype") if key in node.attr}
    names = compat.op_attr_names(op_type)
    for key in [key for key in node.attr if key not in names]:
        del node.attr[key]
    if "dtype" in names and "dtype" not in node.attr:
        node.attr["dtype"].type = kinds["T"]
    node.op = op_type
