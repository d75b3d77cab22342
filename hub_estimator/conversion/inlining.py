"""Calls of functions replaced by what the functions do, as TensorFlow does it before it runs a graph.

TensorFlow cannot differentiate a call that was read from a file but by the gradients of its C++ core,
which most operations lack. Where a graph has the operations themselves, any program trains it.
Branches and loops stay functions, in which calls are replaced likewise: their gradients are made anew.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Collection, Iterable, Mapping
from typing import Any

import tensorflow as tf

from hub_estimator import compat
from hub_estimator.format.library import Library, innermost_first
from hub_estimator.format.nodes import COLOCATION, node_of, tensor_of
from hub_estimator.graph.importing.functions import needed_library

_CALLS = frozenset({"PartitionedCall", "StatefulPartitionedCall"})
# The gradient that a program gave operations is a function of that program, and in no file.
_CUSTOM_GRADIENT = "_gradient_op_type"
_ALTERNATIVES = "api_implements"


@dataclasses.dataclass(frozen=True)
class Inlined:
    """A graph without calls.

    Attributes:
      graph_def: the graph, with the functions that its branches and loops need.
      outputs: the names of the tensors that were asked for.
    """

    graph_def: Any
    outputs: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class _Body:
    """A function in the form of a graph: its arguments stand for nodes of one output.

    Attributes:
      arguments: the names of its arguments.
      nodes: its nodes; their inputs are `node`, `node:1` or `^node`.
      results: the tensor of each result.
      controls: the names of the nodes that run wherever it is called.
    """

    arguments: tuple[str, ...]
    nodes: tuple[Any, ...]
    results: tuple[str, ...]
    controls: tuple[str, ...]


def inline_calls(
    graph_def: Any, outputs: Iterable[str], controls: Iterable[str], what: str
) -> Inlined:
    """Returns a graph that does the same without calls of functions.

    Args:
      graph_def: the `GraphDef` with the functions that it calls.
      outputs: the names of the tensors (`node:0`) that are wanted of it.
      controls: the names of the nodes that are wanted to run; they keep their names.
      what: what messages call the graph.

    Raises:
      errors.BrokenModuleError: functions call themselves.
    """
    library = Library(graph_def.library)
    bodies: dict[str, _Body] = {}
    for name in innermost_first(library.calls, what):
        if name in library.functions:
            body = _as_body(library.functions[name], library)
            bodies[name] = _expanded(body, bodies)
    inlined = _expanded(_Body((), tuple(graph_def.node), tuple(outputs), tuple(controls)), bodies)
    made = type(graph_def)(versions=graph_def.versions)
    made.node.extend(inlined.nodes)
    kept = type(graph_def.library)()
    kept.function.extend(
        _as_function(library.functions[name], body) for name, body in bodies.items()
    )
    made.library.CopyFrom(needed_library(made.node, kept))
    return Inlined(made, inlined.results)


def _as_body(function: Any, library: Library) -> _Body:
    arguments = [argument.name for argument in function.signature.input_arg]
    starts = {node.name: _output_starts(node, library) for node in function.node_def}

    def edge_of(text: str) -> str:
        name, *output = text.split(":")
        if text.startswith("^") or not output:
            return text
        return f"{name}:{starts[name][output[0]] + int(output[1])}"

    nodes = [_copy(node) for node in function.node_def]
    for node in nodes:
        node.input[:] = [edge_of(text) for text in node.input]
    return _Body(
        tuple(arguments),
        tuple(nodes),
        tuple(tensor_of(edge_of(function.ret[out.name])) for out in function.signature.output_arg),
        tuple(function.control_ret.values()),
    )


def _output_starts(node: Any, library: Library) -> dict[str, int]:
    """Returns the number of the first tensor of each output of a node by the output's name."""
    function = library.functions.get(node.op)
    sizes = (
        compat.output_sizes(node)
        if function is None
        else {out.name: 1 for out in function.signature.output_arg}
    )
    ends = itertools.accumulate(sizes.values(), initial=0)
    return dict(zip(sizes, ends, strict=False))


def _as_function(function: Any, body: _Body) -> Any:
    """Returns a `FunctionDef` with another body."""
    outputs = {
        node.name: [
            f"{node.name}:{name}:{number}"
            for name, size in compat.output_sizes(node).items()
            for number in range(size)
        ]
        for node in body.nodes
    }

    def text_of(edge: str) -> str:
        name, _, number = edge.partition(":")
        if edge.startswith("^") or name in body.arguments:
            return name
        return outputs[name][int(number or 0)]

    made = _copy(function)
    for field in ("node_def", "ret", "control_ret"):
        made.ClearField(field)
    made.attr.pop(_ALTERNATIVES, None)  # its alternatives are not kept
    made.node_def.extend(body.nodes)
    for node in made.node_def:
        node.input[:] = [text_of(edge) for edge in node.input]
    for output, edge in zip(made.signature.output_arg, body.results, strict=True):
        made.ret[output.name] = text_of(edge)
    for name in body.controls:
        made.control_ret[name] = name
    made.signature.control_output[:] = body.controls
    return made


def _expanded(body: _Body, bodies: Mapping[str, _Body]) -> _Body:
    """Returns a body in which the nodes of others are in the place of their calls."""
    scopes = _Scopes(node.name for node in body.nodes)
    nodes: list[Any] = []
    calls: dict[str, list[str]] = {}  # what runs where each call did
    aliases: dict[str, str] = {}
    for node in body.nodes:
        name = _called(node, bodies)
        if name is None:
            nodes.append(_without_gradient(node))
            continue
        call = _Call(node, name, bodies[name], scopes.fresh(node.name))
        nodes += call.nodes()
        aliases |= {f"{node.name}:{index}": edge for index, edge in enumerate(call.results())}
        calls[node.name] = call.controls()

    def resolved(edge: str) -> str:
        edge = edge if edge.startswith("^") else tensor_of(edge)
        while edge in aliases:
            edge = aliases[edge]
        return edge

    for node in nodes:
        node.input[:] = [resolved(edge) for edge in node.input]
    results = tuple(map(resolved, body.results))
    waited = [edge for node in nodes for edge in node.input if edge.startswith("^")]
    open_ = [*map(node_of, waited), *body.controls]
    made: dict[str, Any] = {}  # a node in the place of each call that others wait for
    while open_:
        name = open_.pop()
        if name in calls and name not in made:
            sources = dict.fromkeys(node_of(resolved(edge)) for edge in calls[name])
            edges = [f"^{source}" for source in sources if source not in body.arguments]
            made[name] = tf.compat.v1.NodeDef(name=name, op="NoOp", input=edges)
            open_ += sources
    nodes += made.values()
    return dataclasses.replace(body, nodes=tuple(nodes), results=results)


@dataclasses.dataclass(frozen=True)
class _Call:
    """A call, and where the nodes in its place go.

    Attributes:
      node: the call.
      function: the name of the function.
      body: the function, without calls.
      scope: what the names of its nodes start with.
    """

    node: Any
    function: str
    body: _Body
    scope: str

    def nodes(self) -> list[Any]:
        """Returns the nodes in its place; those that wait for nothing of them wait for its waits."""
        attributes = self._attributes()
        made = []
        for inner in self.body.nodes:
            node = _without_gradient(inner)
            node.name = self.scope + inner.name
            node.input[:] = [self._edge(edge) for edge in inner.input]
            if all(node_of(edge) in self.body.arguments for edge in inner.input):
                node.input.extend(edge for edge in self._waits if edge not in node.input)
            node.device = node.device or self.node.device
            self._rename_colocation(node)
            for name, value in inner.attr.items():
                if value.placeholder in attributes:
                    node.attr[name].CopyFrom(attributes[value.placeholder])
            made.append(node)
        return made

    def results(self) -> list[str]:
        """Returns the tensor in the place of each of its outputs."""
        return [self._edge(edge) for edge in self.body.results]

    def controls(self) -> list[str]:
        """Returns the edges of all that runs where it runs."""
        run = [f"^{self.scope}{name}" for name in self.body.controls]
        return [*run, *self.results(), *self._waits]

    @property
    def _waits(self) -> list[str]:
        return [edge for edge in self.node.input if edge.startswith("^")]

    def _edge(self, edge: str) -> str:
        if node_of(edge) in self.body.arguments:
            given = self.node.input[self.body.arguments.index(node_of(edge))]
            return f"^{node_of(given)}" if edge.startswith("^") else given
        return f"^{self.scope}{edge[1:]}" if edge.startswith("^") else self.scope + edge

    def _attributes(self) -> Mapping[str, Any]:
        """Returns the attributes that the function is called with by their names."""
        if self.node.op == self.function:
            return self.node.attr
        return self.node.attr["f"].func.attr

    def _rename_colocation(self, node: Any) -> None:
        if "_class" not in node.attr:
            return
        prefix = COLOCATION + self.scope.encode()
        inner = {name.name.encode() for name in self.body.nodes}
        names = [value.removeprefix(COLOCATION) for value in node.attr["_class"].list.s]
        node.attr["_class"].list.s[:] = [prefix + name for name in names if name in inner]
        if not node.attr["_class"].list.s:
            del node.attr["_class"]


class _Scopes:
    """Name scopes that no node has yet."""

    def __init__(self, names: Iterable[str]) -> None:
        parts = [name.split("/") for name in names]
        self._taken = {"/".join(part[:end]) for part in parts for end in range(1, len(part))}

    def fresh(self, name: str) -> str:
        """Returns a scope, with a slash at its end, that is called as a node or likewise."""
        numbered = (f"{name}_{number}" for number in itertools.count(1))
        scope = next(
            candidate
            for candidate in itertools.chain([name], numbered)
            if candidate not in self._taken
        )
        self._taken.add(scope)
        return f"{scope}/"


def _called(node: Any, functions: Collection[str]) -> str | None:
    """Returns the name of the function that a node does nothing but call; None where there is none."""
    if node.op in functions:
        return str(node.op)
    name = str(node.attr["f"].func.name) if node.op in _CALLS else None
    return name if name in functions else None


def _without_gradient(node: Any) -> Any:
    copy = _copy(node)
    copy.attr.pop(_CUSTOM_GRADIENT, None)
    copy.ClearField("experimental_debug_info")  # names of its author's program
    return copy


def _copy(message: Any) -> Any:
    copy = type(message)()
    copy.CopyFrom(message)
    return copy
