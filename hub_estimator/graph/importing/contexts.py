"""Parts of a graph with v1 control flow (`Switch`, `Enter`, ...), whose gradients need its contexts."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from typing import Any

import tensorflow as tf

from hub_estimator.format import collections
from hub_estimator.format.nodes import node_of
from hub_estimator.format.variant import Variant
from hub_estimator.graph.importing.functions import functions_ready
from hub_estimator.graph.importing.parts import (
    GraphPart,
    colocate_outside,
    comes_from,
    input_map,
    make_part,
    reports_import_failure,
)

_OUTSIDE = "outside"
_RESULTS = frozenset(
    {
        *("Exit", "Merge"),
        *("TensorArrayConcatV3", "TensorArrayGatherV3", "TensorArrayReadV3", "TensorArraySizeV3"),
    }
)


def needs_contexts(variant: Variant, part: GraphPart) -> bool:
    """Whether nodes of a part are in a v1 control flow context."""
    has_some = any(collections.has(variant.meta_graph, key) for key in collections.CONTEXTS)
    return has_some and has_control_flow(part)


def has_control_flow(part: GraphPart) -> bool:
    """Whether a part has v1 control flow."""
    return any(
        node.op in ("Switch", "RefSwitch", "Enter", "RefEnter") for node in part.graph_def.node
    )


def control_flow_results(variant: Variant, part: GraphPart) -> list[str]:
    """Returns the names of the tensors that the outermost branches and loops of a part give.

    What is taken of a loop's `TensorArray` is among them.
    """
    inside: set[str] = set()
    for proto in collections.contexts(variant.meta_graph, collections.CONTEXTS):
        # Exits are in the loop's own context, what comes from outside in each.
        outside = {*proto.values_def.external_values, *getattr(proto, "loop_exit_names", ())}
        inside |= {node_of(name) for name in set(proto.values_def.values) - outside}
    nodes = variant.nodes
    return [
        f"{node.name}:0"
        for node in part.graph_def.node
        if node.op in _RESULTS
        and node.name not in inside
        and not any(nodes[node_of(edge)].op == "NextIteration" for edge in node.input)
    ]


def import_with_contexts(
    part: GraphPart,
    variant: Variant,
    scope: str,
    feeds: Mapping[str, tf.Tensor],
    elements: Sequence[str],
) -> list[Any]:
    """Imports a part into the default graph with the control flow contexts of its nodes.

    Args and results are those of `hub_estimator.graph.importing.parts.import_part`.
    """
    graph = tf.compat.v1.get_default_graph()
    with reports_import_failure(scope):
        meta_graph, fed = _meta_graph(part, variant, feeds)
        with functions_ready(meta_graph.graph_def, scope) as graph_def:
            meta_graph.graph_def.CopyFrom(graph_def)
            # import_meta_graph adds the current name scope to the one that it is given, and a
            # number to a scope that is in use, unless it ends in a slash.
            with tf.compat.v1.name_scope(None):
                tf.compat.v1.train.import_meta_graph(meta_graph, import_scope=scope, input_map=fed)
        colocate_outside(part, scope, feeds)
        return [graph.as_graph_element(scope + name) for name in elements]


def _meta_graph(
    part: GraphPart, variant: Variant, feeds: Mapping[str, tf.Tensor]
) -> tuple[Any, dict[str, tf.Tensor]]:
    """Returns the meta graph of a part with its contexts, and what to feed to it."""
    inside = {node.name for node in part.graph_def.node}
    makers = {node_of(name): name for name in feeds}
    contexts = {key: _touched(variant, key, inside) for key in collections.CONTEXTS}
    for proto in (proto for protos in contexts.values() for proto in protos):
        _forget(proto, makers)
    looked_up = {
        node_of(name)
        for protos in contexts.values()
        for proto in protos
        for name in collections.names_in_context(proto)
    }
    given = frozenset(feeds)
    names = variant.nodes.ancestors(
        inside | {name for name in looked_up - set(makers) if name in variant.nodes},
        comes_from(given),
    )
    whole = make_part(variant, names, given)
    meta_graph = tf.compat.v1.MetaGraphDef(graph_def=whole.graph_def)
    meta_graph.meta_info_def.stripped_op_list.CopyFrom(
        variant.meta_graph.meta_info_def.stripped_op_list
    )
    for key, protos in contexts.items():
        collections.set_bytes(meta_graph, key, protos)
    fed = input_map(whole, feeds)
    for maker in looked_up & set(makers):
        tensor = feeds[makers[maker]]
        _add_identity(meta_graph.graph_def, maker, tensor.dtype.base_dtype)
        fed[f"{_OUTSIDE}/{maker}:0"] = tensor
    return meta_graph, fed


def _touched(variant: Variant, key: str, inside: set[str]) -> list[Any]:
    protos = collections.contexts(variant.meta_graph, [key])
    return [
        proto
        for proto in protos
        if inside & {node_of(name) for name in collections.names_in_context(proto)}
    ]


def _forget(proto: Any, makers: Container[str]) -> None:
    """Removes from a context, and those nested in it, the values that are fed from outside.

    The context takes in those that are fed instead when a gradient asks for them.
    """
    external = proto.values_def.external_values
    for name in [name for name in external if node_of(name) in makers and external[name] != name]:
        del external[name]
        proto.values_def.values.remove(name)
    for nested in proto.nested_contexts:
        _forget(getattr(nested, nested.WhichOneof("ctxt")), makers)


def _add_identity(graph_def: Any, name: str, dtype: tf.DType) -> None:
    # A context finds its predicate by the stored name, which must stand for the caller's tensor.
    node = graph_def.node.add(name=name, op="Identity")
    node.input.append(f"{_OUTSIDE}/{name}:0")
    node.attr["T"].type = dtype.as_datatype_enum
