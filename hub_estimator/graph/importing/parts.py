"""Parts of a stored graph, made ready to be imported, and the import itself."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import tensorflow as tf
from google.protobuf import message as protobuf_message

from hub_estimator import compat, errors
from hub_estimator.format.nodes import COLOCATION, Edge, colocated_with, node_of, tensor_of
from hub_estimator.format.variant import Variant
from hub_estimator.graph.importing.functions import functions_ready, needed_library


@dataclasses.dataclass(frozen=True)
class GraphPart:
    """Some nodes of a variant, and what must be fed to them.

    Attributes:
      graph_def: the nodes with the functions they call.
      fed: the names of the tensors (`node:0`) and operations (`^node`) that the nodes take from
        outside.
      colocated: the names of the nodes outside with which a node is colocated, by its name.
    """

    graph_def: Any
    fed: frozenset[str]
    colocated: Mapping[str, Sequence[str]]


def comes_from(given: frozenset[str]) -> Callable[[Edge], bool]:
    """Returns a function that tells of an edge whether it is fed, or is from a node that is.

    Args:
      given: the names of the tensors (`node:0`) that are fed.
    """
    makers = {f"^{node_of(tensor)}" for tensor in given}
    short = {tensor.removesuffix(":0") for tensor in given}
    return frozenset([*makers, *short, *given]).__contains__


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
    is_given = comes_from(given)
    fed = {
        tensor_of(edge)
        for node in nodes
        for edge in variant.nodes.inputs[node.name]
        if is_given(edge) and not (edge.startswith("^") and edge[1:] in names)
    }
    return GraphPart(part, frozenset(fed), _take_outer_colocation(part.node, names))


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
    with reports_import_failure(scope), functions_ready(part.graph_def, scope) as graph_def:
        results = tf.import_graph_def(
            graph_def,
            input_map=input_map(part, feeds),
            return_elements=list(elements),
            name=scope,
            producer_op_list=variant.meta_graph.meta_info_def.stripped_op_list,
        )
        colocate_outside(part, scope, feeds)
    return results


@contextlib.contextmanager
def reports_import_failure(scope: str) -> Iterator[None]:
    """Makes what TensorFlow raises when it cannot import nodes an error that says what may be.

    Args:
      scope: the name scope that they go to.

    Raises:
      errors.GraphImportError: the block raised one of those.
    """
    try:
        yield
    except errors.Error:
        raise
    except (
        ValueError,
        TypeError,
        AssertionError,
        LookupError,
        protobuf_message.DecodeError,
        tf.errors.OpError,
    ) as error:
        raise errors.GraphImportError(
            f"TensorFlow cannot add a module's operations to the graph as {scope.rstrip('/')!r}: "
            f"{error} Either the shapes of the inputs do not fit one another, or the module is "
            "damaged: then fetch it again."
        ) from error


def colocate_outside(part: GraphPart, scope: str, feeds: Mapping[str, tf.Tensor]) -> None:
    """Colocates imported operations with those that are fed to them, as their nodes say.

    The import itself knows only names inside of the part.
    """
    graph = tf.compat.v1.get_default_graph()
    operations = {node_of(name): tensor.op for name, tensor in feeds.items()}
    for name, outside in part.colocated.items():
        others = [operations[other] for other in outside if other in operations]
        others = [other for other in others if other.graph is graph]
        if others:
            compat.colocate(graph.get_operation_by_name(scope + name), others)


def prefix_shared_name(node: Any, scope: str) -> None:
    """Makes the name under which a node's resource is shared one of this scope's own.

    Without it, two instances of a module would have one set of variables and tables.
    """
    if node.op == "VarHandleOp" and not node.attr["shared_name"].s:
        node.attr["shared_name"].s = node.name.encode()
    if "shared_name" in node.attr and node.attr["shared_name"].s:
        node.attr["shared_name"].s = scope.encode() + node.attr["shared_name"].s


def input_map(part: GraphPart, feeds: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    """Returns what to feed to a part: the tensor for each name that it takes from outside."""
    by_node = {node_of(name): tensor for name, tensor in feeds.items()}
    return {
        name: by_node[name[1:]] if name.startswith("^") else feeds[name] for name in part.fed
    }  # fmt: skip


def _take_outer_colocation(nodes: Iterable[Any], names: set[str]) -> dict[str, list[str]]:
    """Removes colocation with nodes that are not in `names`; returns what was removed."""
    taken = {}
    for node in nodes:
        outside = [name for name in colocated_with(node) if name not in names]
        if outside:
            taken[node.name] = outside
            values = node.attr["_class"].list.s
            values[:] = [value for value in values if value[len(COLOCATION) :].decode() in names]
            if not values:
                del node.attr["_class"]
    return taken
