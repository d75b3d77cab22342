"""What operations without calls do beyond computing, and which of them outputs wait for.

A function of TF2 gives its outputs only when all has run that changes something. A TF1 Hub module leaves
it to the program when the update operations of its variables run.
"""

from __future__ import annotations

import enum
from collections.abc import Collection, Iterable, Iterator
from typing import Any

from hub_estimator import compat
from hub_estimator.conversion.inlining import Inlined
from hub_estimator.format.library import Library
from hub_estimator.format.nodes import NodeIndex, colocated_with, node_of, tensor_of
from hub_estimator.graph.importing.reading import READING

_RANDOM = ("Multinomial", "ParameterizedTruncatedNormal", "Random", "TruncatedNormal")
_CHANGES = ("Assign", "ResourceApply", "ResourceScatter", "ResourceStridedSliceAssign")
_OUTPUTS = frozenset({"Identity", "IdentityN"})


class Effect(enum.IntEnum):
    """What an operation does beyond computing, the later the more."""

    NONE = 0
    UPDATE = 1  # changes variables
    OTHER = 2  # changes tables, prints, raises, ...


class Effects:
    """What the operations of a graph do beyond computing.

    Args:
      graph_def: the graph, without calls; branches and loops have functions.
    """

    def __init__(self, graph_def: Any) -> None:
        self._nodes = NodeIndex(graph_def)
        self._library = Library(graph_def.library)
        self._of_functions: dict[str, Effect] = {}

    def of(self, controls: Iterable[str]) -> dict[str, Effect]:
        """Returns what operations do, by the names of those that do something.

        Args:
          controls: the names of the operations; those that only wait stand for what they wait for.
        """
        names = dict.fromkeys(name for control in controls for name in self._sources(control))
        found = {name: self._of_node(self._nodes[name]) for name in names}
        return {name: effect for name, effect in found.items() if effect is not Effect.NONE}

    def _of_node(self, node: Any) -> Effect:
        functions = list(self._library.called_by([node]))
        if functions:
            return max(map(self._of_function, functions))
        is_harmless = node.op in READING or node.op.startswith(_RANDOM)
        if is_harmless or not compat.is_stateful(node.op) or compat.op_outputs_state(node.op):
            return Effect.NONE
        return Effect.UPDATE if node.op.startswith(_CHANGES) else Effect.OTHER

    def _of_function(self, name: str) -> Effect:
        if name not in self._of_functions:
            nodes = self._library.functions[name].node_def
            self._of_functions[name] = max(map(self._of_node, nodes), default=Effect.NONE)
        return self._of_functions[name]

    def _sources(self, name: str) -> Iterator[str]:
        """Yields an operation, or in the place of one that only waits what it waits for."""
        open_, seen = [name], set()
        while open_:
            current = open_.pop()
            if current in seen:
                continue
            seen.add(current)
            if self._nodes[current].op == "NoOp":
                open_ += [node_of(edge) for edge in self._nodes.inputs[current]]
            else:
                yield current


def trimmed(
    inlined: Inlined, controls: Iterable[str], fed: Collection[str], updates_apart: bool
) -> Inlined:
    """Returns what of a graph computes its outputs, which wait only for what changes something.

    Args:
      inlined: the graph.
      controls: the names of the operations that are wanted too.
      fed: the names of the tensors (`node:0`) that are fed; their nodes go.
      updates_apart: whether the outputs wait for no changes of variables either.
    """
    effects = Effects(inlined.graph_def)
    most = Effect.UPDATE if updates_apart else Effect.NONE
    made = type(inlined.graph_def)()
    made.CopyFrom(inlined.graph_def)
    for node in made.node:
        waits = [node_of(edge) for edge in node.input if edge.startswith("^")]
        if waits and node.op in _OUTPUTS:
            kept = [name for name, effect in effects.of(waits).items() if effect > most]
            data = [edge for edge in node.input if not edge.startswith("^")]
            node.input[:] = [*data, *(f"^{name}" for name in kept)]
    outputs = _skip_identities(made, inlined.outputs)
    makers = {node_of(name) for name in fed}
    nodes = NodeIndex(made)
    roots = {*map(node_of, outputs), *controls} - makers
    needed = nodes.ancestors(roots, lambda edge: node_of(edge) in makers)
    kept_nodes = [nodes[name] for name in nodes.by_name if name in needed]
    for node in kept_nodes:
        node.input[:] = [
            edge for edge in node.input if not edge.startswith("^") or node_of(edge) not in makers
        ]
        if not set(colocated_with(node)) <= needed:
            del node.attr["_class"]
    trimmed_graph = type(made)(versions=made.versions, library=made.library)
    trimmed_graph.node.extend(kept_nodes)
    return Inlined(trimmed_graph, outputs)


def _skip_identities(graph_def: Any, outputs: Iterable[str]) -> tuple[str, ...]:
    """Makes the nodes of a graph take what identities take; returns the outputs' names then."""
    same = {
        f"{node.name}:0": tensor_of(node.input[0])
        for node in graph_def.node
        if node.op == "Identity" and len(node.input) == 1
    }

    def source(edge: str) -> str:
        edge = edge if edge.startswith("^") else tensor_of(edge)
        while edge in same:
            edge = same[edge]
        return edge

    for node in graph_def.node:
        node.input[:] = [source(edge) for edge in node.input]
    return tuple(map(source, outputs))
