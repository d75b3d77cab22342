"""What the operations of a call need not have of their own: equal constants, reads of variables.

A stored graph has a constant for each axis and shape, and a read for each use of a variable. Each
operation costs time when it is imported and when a session prepares the graph.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import Any

from hub_estimator.format.nodes import colocated_with, node_of
from hub_estimator.format.variant import Variant
from hub_estimator.graph.importing.parts import GraphPart

# Comparing larger ones costs more than they do.
_LARGEST_CONSTANT = 64  # elements


def plain_reads(
    variant: Variant, names: Collection[str], trained: Collection[str]
) -> dict[str, str]:
    """Returns the reads among some nodes that a read of the variable elsewhere can stand for.

    They wait for nothing, and nothing among the nodes, nor training, changes their variables.

    Args:
      variant: the variant.
      names: the names of the nodes.
      trained: the node names of the variables that are trained.

    Returns:
      The node name of the variable by the name of the tensor that was read (`node:0`).
    """
    frozen = {entry.op_name: entry.node for entry in variant.variables} if names else {}
    nodes = variant.nodes
    reads: dict[str, str] = {}
    used_otherwise = set(trained)
    for name in names:
        node = nodes[name]
        sources = [nodes.sources[edge] for edge in nodes.inputs[name]]
        is_read = node.op == "ReadVariableOp" and len(sources) == 1 and sources[0] in frozen
        if is_read and node.device in ("", frozen[sources[0]].device):
            reads[f"{name}:0"] = sources[0]
        else:
            used_otherwise.update(sources)
    return {read: name for read, name in reads.items() if name not in used_otherwise}


def merge_constants(part: GraphPart, kept: Collection[str]) -> None:
    """Keeps the first of equal small constants; the nodes that take the others take that one.

    Args:
      part: the nodes, in no v1 control flow context; changed.
      kept: the names of nodes that are wanted by name.
    """
    nodes = part.graph_def.node
    kept = {*kept, *part.colocated, *(name for node in nodes for name in colocated_with(node))}
    first: dict[Any, str] = {}
    merged: dict[str, str] = {}
    for node in nodes:
        if node.op == "Const" and node.name not in kept and _is_plain(node):
            attributes = [(key, node.attr[key].SerializeToString()) for key in sorted(node.attr)]
            same = first.setdefault((node.device, *attributes), node.name)
            if same != node.name:
                merged[node.name] = same
    for index in reversed([index for index, node in enumerate(nodes) if node.name in merged]):
        del nodes[index]
    for node in nodes if merged else ():
        for index, edge in enumerate(node.input):
            name = node_of(edge)
            if name in merged:
                node.input[index] = edge.replace(name, merged[name], 1)


def _is_plain(node: Any) -> bool:
    sizes = [dim.size for dim in node.attr["value"].tensor.tensor_shape.dim]
    return math.prod(sizes) <= _LARGEST_CONSTANT and "_class" not in node.attr and not node.input
