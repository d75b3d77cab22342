"""The nodes of a `GraphDef` by name, and what can be reached from them."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Collection, Iterable
from typing import Any

Edge = str
"""A node's input as stored: `node:1`, `node` (its output 0) or `^node` (control)."""


COLOCATION = b"loc:@"
"""How the names of the nodes that a node is colocated with start, in its `_class` attribute."""


def colocated_with(node: Any) -> list[str]:
    """Returns the names of the nodes that a node is colocated with."""
    if "_class" not in node.attr:
        return []
    classes = node.attr["_class"].list.s
    return [value[len(COLOCATION) :].decode() for value in classes if value.startswith(COLOCATION)]


def node_of(edge: Edge) -> str:
    """Returns the name of the node at an edge's far end."""
    return edge.lstrip("^").partition(":")[0]


def tensor_of(edge: Edge) -> str:
    """Returns the full name of the tensor that an edge carries (`node` is `node:0`)."""
    return edge if edge.startswith("^") or ":" in edge else f"{edge}:0"


def reached(names: Iterable[str], following: Callable[[str], Iterable[str]]) -> set[str]:
    """Returns names and all that follows from them.

    Args:
      names: where to begin.
      following: the names that follow from one directly.
    """
    found: set[str] = set()
    open_ = list(names)
    while open_:
        name = open_.pop()
        if name not in found:
            found.add(name)
            open_.extend(following(name))
    return found


class NodeIndex:
    """The nodes of one graph by name.

    Args:
      graph_def: the `GraphDef`; it must not be changed afterwards.
    """

    def __init__(self, graph_def: Any) -> None:
        self.graph_def = graph_def
        self.by_name = {node.name: node for node in graph_def.node}

    def __contains__(self, name: str) -> bool:
        return name in self.by_name

    def __getitem__(self, name: str) -> Any:
        return self.by_name[name]

    @functools.cached_property
    def inputs(self) -> dict[str, tuple[Edge, ...]]:
        """The edges of each node by its name."""
        return {name: tuple(node.input) for name, node in self.by_name.items()}

    @functools.cached_property
    def sources(self) -> dict[Edge, str]:
        """The name of the node at the far end of each edge that is in the graph."""
        edges = set(itertools.chain.from_iterable(self.inputs.values()))
        return {edge: node_of(edge) for edge in edges}

    def ancestors(self, names: Iterable[str], is_given: Callable[[Edge], bool]) -> set[str]:
        """Returns the nodes `names` and all that they need.

        Args:
          names: node names.
          is_given: tells which edges end the search, since something else feeds them.
        """
        inputs, sources = self.inputs, self.sources
        return reached(
            names, lambda name: [sources[edge] for edge in inputs[name] if not is_given(edge)]
        )

    def descendants(self, tensors: Collection[str]) -> set[str]:
        """Returns the nodes that depend on one of the tensors (`node:0`), in whatever way.

        Control edges from the nodes that make the tensors count too.
        """
        consumers = self._consumers
        direct = (
            consumer
            for maker in {node_of(tensor) for tensor in tensors}
            for consumer, edge in consumers.get(maker, [])
            if edge.startswith("^") or tensor_of(edge) in tensors
        )
        return reached(direct, lambda name: [consumer for consumer, _ in consumers.get(name, [])])

    @functools.cached_property
    def _consumers(self) -> dict[str, list[tuple[str, Edge]]]:
        consumers: dict[str, list[tuple[str, Edge]]] = {}
        for name, edges in self.inputs.items():
            for edge in edges:
                consumers.setdefault(self.sources[edge], []).append((name, edge))
        return consumers
