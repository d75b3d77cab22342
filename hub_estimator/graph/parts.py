"""Parts of a stored graph, made ready to be imported, and the import itself."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import tensorflow as tf

from hub_estimator.format.nodes import COLOCATION, colocated_with, node_of, tensor_of
from hub_estimator.format.variant import Variant
from hub_estimator.graph.functions import needed_library, rename_clashing


@dataclasses.dataclass(frozen=True)
class GraphPart:
    """Some nodes of a variant, and what must be fed to them.

    Attributes:
      graph_def: the nodes with the functions they call.
      fed: the names of the tensors (`node:0`) and operations (`^node`) that the nodes take from
        outside.
      colocated: the positions of the nodes that are colocated with a node outside.
    """

    graph_def: Any
    fed: frozenset[str]
    colocated: tuple[int, ...]


def make_part(variant: Variant, names: set[str], given: frozenset[str]) -> GraphPart:
    """Returns the part of a variant with the nodes `names`.

    Args:
      variant: the variant.
      names: the names of the nodes.
      given: the tensors (`node:0`) that are fed from outside, though their node may be inside.
    """
    nodes = [node for node in variant.meta_graph.graph_def.node if node.name in names]
    part = tf.compat.v1.GraphDef(versions=variant.meta_graph.graph_def.versions)
    part.node.extend(nodes)
    part.library.CopyFrom(needed_library(nodes, variant.meta_graph.graph_def.library))
    makers = {node_of(tensor) for tensor in given}
    fed = {
        tensor_of(edge)
        for node in nodes
        for edge in node.input
        if tensor_of(edge) in given or (edge.startswith("^") and edge[1:] in makers - names)
    }
    colocated = [
        index
        for index, node in enumerate(nodes)
        if any(name not in names for name in colocated_with(node))
    ]
    return GraphPart(part, frozenset(fed), tuple(colocated))


def import_part(
    part: GraphPart,
    variant: Variant,
    scope: str,
    feeds: Mapping[str, tf.Tensor],
    elements: Sequence[str],
) -> list[Any]:
    """Imports a part into the default graph.

    Args:
      part: the part.
      variant: the variant that it is of.
      scope: the absolute name scope, ending in a slash.
      feeds: the tensor for each tensor name that the part may take from outside.
      elements: the names of the tensors (`node:0`) and operations (`node`) to return.

    Returns:
      The tensors and operations.
    """
    graph = tf.compat.v1.get_default_graph()
    graph_def = rename_clashing(_with_colocation(part, feeds, graph), graph)
    return tf.import_graph_def(
        graph_def,
        input_map=_input_map(part, feeds),
        return_elements=list(elements),
        name=scope,
        producer_op_list=variant.meta_graph.meta_info_def.stripped_op_list,
    )


def prefix_shared_name(node: Any, scope: str) -> None:
    """Makes the name under which a node's resource is shared one of this scope's own.

    Without it, two instances of a module would have one set of variables and tables.
    """
    if node.op == "VarHandleOp" and not node.attr["shared_name"].s:
        node.attr["shared_name"].s = node.name.encode()
    if "shared_name" in node.attr and node.attr["shared_name"].s:
        node.attr["shared_name"].s = scope.encode() + node.attr["shared_name"].s


def has_shared_name(node: Any) -> bool:
    """Whether a node's resource is shared under a name."""
    return node.op == "VarHandleOp" or bool("shared_name" in node.attr and node.attr["shared_name"].s)


def _input_map(part: GraphPart, feeds: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    by_node = {node_of(name): tensor for name, tensor in feeds.items()}
    return {
        name: by_node[name[1:]] if name.startswith("^") else feeds[name] for name in part.fed
    }  # fmt: skip


def _with_colocation(part: GraphPart, feeds: Mapping[str, tf.Tensor], graph: tf.Graph) -> Any:
    """Points colocation with what is outside at the operations that are fed instead."""
    if not part.colocated:
        return part.graph_def
    operations = {
        node_of(name): tensor.op.name for name, tensor in feeds.items() if tensor.graph is graph
    }
    inside = {node.name for node in part.graph_def.node}
    graph_def = tf.compat.v1.GraphDef()
    graph_def.CopyFrom(part.graph_def)
    for index in part.colocated:
        values = graph_def.node[index].attr["_class"].list.s
        values[:] = list(_colocation_values(values, inside, operations))
        if not values:
            del graph_def.node[index].attr["_class"]
    return graph_def


def _colocation_values(
    values: Iterable[bytes], inside: set[str], operations: Mapping[str, str]
) -> Iterable[bytes]:
    for value in values:
        name = value[len(COLOCATION) :].decode()
        if not value.startswith(COLOCATION) or name in inside:
            yield value
        elif name in operations and operations[name] not in inside:
            # A name that is not one of the imported nodes is taken as it is: absolute.
            yield COLOCATION + operations[name].encode()
