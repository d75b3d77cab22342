"""The functions of a stored graph's library: which call which, and that this comes to an end."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from hub_estimator import compat, errors, texts
from hub_estimator.format.nodes import reached

GRAPH = ""
"""Where nodes are that are in no function; among names of functions it stands for the graph."""

# TensorFlow puts functions in place of their calls one level after the other, and each level takes
# longer than the one before: 1,000 take minutes, 5,000 end the process. Programs have some ten.
_MOST_LEVELS = 200
_GRADIENT = "SymbolicGradient"
_ALTERNATIVES = "api_implements"

LOOPS = frozenset({"While", "StatelessWhile"})

# What gives its inputs to the functions in its attributes, after so many of its own.
_OWN_INPUTS = {
    **dict.fromkeys(LOOPS, 0),
    "PartitionedCall": 0,
    "StatefulPartitionedCall": 0,
    "If": 1,
    "StatelessIf": 1,
    "Case": 1,
    "StatelessCase": 1,
}


def given_values(node: Any, function: str) -> list[str] | None:
    """Returns the edges whose values a node calls a function with, or None where that is not known.

    Args:
      node: a node that calls the function.
      function: its name.
    """
    direct = [attr.func.name for attr in node.attr.values() if attr.HasField("func")]
    direct += [value.name for attr in node.attr.values() for value in attr.list.func]
    own = 0 if node.op == function else _OWN_INPUTS.get(node.op)
    # Functions that take functions may call them with anything.
    takes_none = len(direct) == len(list(function_values(node)))
    if own is None or not (node.op == function or takes_none):
        return None
    return [edge for edge in node.input if not edge.startswith("^")][own:]


def function_values(node: Any) -> Iterator[Any]:
    """Yields the functions in a node's attributes, also those in the attributes of others."""
    for _, attr in sorted(node.attr.items()):
        for function in [attr.func] if attr.HasField("func") else attr.list.func:
            yield function
            yield from function_values(function)


def called(node: Any) -> Iterator[str]:
    """Yields the names of all that a node may call; its type may itself be a function's name."""
    yield node.op
    for function in function_values(node):
        yield function.name


class Library:
    """The functions of one graph by name.

    Args:
      library: the `FunctionDefLibrary`; it must not be changed afterwards.
    """

    def __init__(self, library: Any) -> None:
        self.functions = {function.signature.name: function for function in library.function}
        self._gradients = {
            gradient.function_name: gradient.gradient_func for gradient in library.gradient
        }

    @functools.cached_property
    def calls(self) -> dict[str, list[str]]:
        """The functions that each function calls, once for each call."""
        return {
            name: list(self.called_by(function.node_def))
            for name, function in self.functions.items()
        }

    def called_by(self, nodes: Iterable[Any]) -> Iterator[str]:
        """Yields the functions that nodes call, once for each call."""
        if not self.functions:
            return
        for node in nodes:
            if "func" not in compat.op_attr_types(node.op) and node.op not in self.functions:
                continue  # most nodes
            for name in called(node):
                if node.op == _GRADIENT and name in self._gradients:
                    name = self._gradients[name]
                if name in self.functions:
                    yield name

    def reached(self, names: Iterable[str]) -> set[str]:
        """Returns functions with all others that run where they run, as far as anything tells.

        Those are the ones that they call, their gradients, those that their attributes name, and
        those that TensorFlow may put in their place.
        """
        return reached(names, lambda name: [*self.calls[name], *self._related[name]])

    def has_alternatives(self, name: str) -> bool:
        """Whether TensorFlow may put a function in the place of others."""
        return _ALTERNATIVES in self.functions[name].attr

    @functools.cached_property
    def _related(self) -> dict[str, list[str]]:
        """The functions that a function names in other ways than by calling them."""
        alternatives: dict[bytes, list[str]] = {}
        related: dict[str, list[str]] = {}
        for name, function in self.functions.items():
            named = [attr.s.decode("utf-8", "replace") for attr in function.attr.values()]
            related[name] = [*named, self._gradients.get(name, "")]
            if _ALTERNATIVES in function.attr:
                alternatives.setdefault(function.attr[_ALTERNATIVES].s, []).append(name)
        for names in alternatives.values():
            for name in names:
                related[name] += names
        return {
            name: [other for other in others if other in self.functions]
            for name, others in related.items()
        }


def check_calls(library: Library, bodies: Mapping[str, Iterable[Any]], what: str) -> None:
    """Checks that functions take as many values as they are called with, and give as many as wanted.

    Args:
      library: the functions.
      bodies: the nodes of each function, and of the graph, by name.
      what: what messages call the graph.

    Raises:
      errors.BrokenModuleError: one does not. TensorFlow takes some calls apart without looking.
    """
    for node in itertools.chain.from_iterable(bodies.values()):
        for name in library.called_by([node]):
            given = given_values(node, name)
            signature = library.functions[name].signature
            args = (*signature.input_arg, *signature.output_arg)
            if given is None or any(arg.number_attr or arg.type_list_attr for arg in args):
                continue
            there = (len(signature.input_arg), len(signature.output_arg))
            needed = (len(given), _wanted_values(node, name, there[1]))
            if there != needed:
                raise errors.BrokenModuleError(
                    f"{what} is damaged: {texts.shown(node.name)} calls {texts.shown(name)} for "
                    f"{needed[1]} results of {needed[0]} values, which gives {there[1]} of {there[0]}. "
                    "Fetch or export the module again."
                )


def _wanted_values(node: Any, function: str, default: int) -> int:
    """How many results a node takes of a function that it calls."""
    if node.op in LOOPS:
        is_body = "body" in node.attr and node.attr["body"].func.name == function
        return len(given_values(node, function) or ()) if is_body else 1
    return len(node.attr["Tout"].list.type) if "Tout" in node.attr else default


class Expansion:
    """What a graph is once functions are in place of their calls, as TensorFlow builds it.

    Args:
      library: the functions.
      nodes: the nodes of the graph that the library is of.
      what: what messages call the graph.

    Raises:
      errors.BrokenModuleError: calls do not come to an end, or only many levels deep.
    """

    def __init__(self, library: Library, nodes: Iterable[Any], what: str) -> None:
        self._calls = library.calls
        self._roots = list(library.called_by(nodes))
        self._order = innermost_first(self._calls, what)
        levels: dict[str, int] = {}
        for name in self._order:
            levels[name] = 1 + max((levels[callee] for callee in self._calls[name]), default=0)
            if levels[name] > _MOST_LEVELS:
                raise errors.BrokenModuleError(
                    f"{what} has functions that call one another more than {_MOST_LEVELS} levels "
                    f"deep, from {texts.shown(name)} on, which TensorFlow does not follow. Do not "
                    "use this module: ask its publisher."
                )

    def total(self, own: Mapping[str, int]) -> int:
        """Returns how much there is in the graph, or in a function that is called by itself.

        Args:
          own: how much there is in each function, and in the graph under `GRAPH`, without calls.
        """
        totals: dict[str, int] = {}
        for name in self._order:
            totals[name] = own[name] + sum(totals[callee] for callee in self._calls[name])
        return max([own[GRAPH] + sum(totals[name] for name in self._roots), *totals.values()])


def innermost_first(calls: Mapping[str, list[str]], what: str) -> list[str]:
    """Returns the functions in an order in which each comes after all that it calls."""
    done: dict[str, None] = {}
    for start in calls:
        path: dict[str, Iterator[str]] = {} if start in done else {start: iter(calls[start])}
        while path:
            name, open_ = next(reversed(path.items()))
            callee = next(open_, None)
            if callee is None:
                del path[name]
                done[name] = None
            elif callee in path:
                circle = [*list(path)[list(path).index(callee) :], callee]
                raise errors.BrokenModuleError(
                    f"{what} has functions that call themselves in a circle, "
                    f"{texts.shown(' > '.join(circle))}, which TensorFlow would follow for ever. "
                    "Do not use this module: ask its publisher."
                )
            elif callee not in done:
                path[callee] = iter(calls[callee])
    return list(done)
