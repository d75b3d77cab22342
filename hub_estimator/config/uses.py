"""What a call of a part puts together: which settings it reads, and which cannot be put together.

Gin puts macros and parts into one another when they are called, as often as they are used. It goes
in a circle, or through more than there is memory for, without a word; so the way that it will take
is walked here before, each part of it once.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Hashable, Iterable, Mapping

from hub_estimator import errors
from hub_estimator.config import registry
from hub_estimator.config.statements import Binding, Reference, elements, references

_DEEPEST = 50  # of uses in one another and the brackets around them; gin calls itself for each
_MOST_VALUES = 1_000_000


@dataclasses.dataclass(frozen=True)
class _Node:
    """A part or macro, called in a scope; two are equal where they give the same.

    Attributes:
      what: the part, whatever name it is used by, or the name of the macro.
      scope: what its parameters, and the parts in them, are looked up in.
    """

    what: Hashable
    scope: str

    @classmethod
    def of(cls, used: Reference, scope: str) -> _Node:
        """Returns that of a use in a value, given the scope of the part that has the value."""
        if used.is_macro:
            return cls(used.name, used.name)
        return cls(registry.part(used.name), used.scope or scope)


@dataclasses.dataclass(frozen=True)
class _Step:
    """A step on the way to a call: what was called before, its setting, and how deep in that."""

    node: _Node
    binding: Binding
    depth: int


@dataclasses.dataclass(frozen=True)
class Call:
    """A call of a part that the configuration leads to.

    Attributes:
      scope: the scope in which it is called.
      selector: the part, as the texts name it.
      settings: the bindings that it reads, by parameter.
    """

    scope: str
    selector: str
    settings: Mapping[str, Binding]


@dataclasses.dataclass(frozen=True)
class _Extent:
    """How much a call puts together: the number of values, and how deep they are in one another."""

    size: int
    height: int


class Uses:
    """The ways that gin would take through a configuration.

    Args:
      bound: the bindings in force.

    Attributes:
      reached: the bindings that are read on the ways that were walked so far.
      calls: the calls of parts on these ways.
    """

    def __init__(self, bound: Iterable[Binding]) -> None:
        self.reached: set[Binding] = set()
        self.calls: list[Call] = []
        self._names: dict[Hashable, str] = {}  # of the parts, as the texts name them
        self._bound: dict[_Node, dict[str, Binding]] = {}
        for binding in bound:
            node = _Node(str(binding), "") if binding.is_macro else self._node(binding)
            self._bound.setdefault(node, {})[binding.parameter] = binding
        self._extents: dict[_Node, _Extent] = {}
        self._waiting: list[_Node] = []
        self._singleton = registry.part("gin.singleton")

    def walk(self, name: str) -> None:
        """Walks through what a call of a part by its name, in no scope, puts together.

        Raises:
          errors.ConfigError: a setting contains itself, or too much.
        """
        node = _Node(registry.part(name), "")
        self._names.setdefault(node.what, name)
        self._walk(node)

    def walk_all(self, used: Iterable[Reference]) -> None:
        """Walks through all that has settings and no text uses: what only a program can call.

        Args:
          used: what the texts use beside the bindings in force.

        Raises:
          errors.ConfigError: a setting contains itself, or too much.
        """
        in_force = [binding.value for parts in self._bound.values() for binding in parts.values()]
        all_used = [*used, *references(in_force)]
        inner = {registry.part(reference.name) for reference in all_used if not reference.is_macro}
        for node, parameters in self._bound.items():
            if "" not in parameters and node.what not in inner:
                self._walk(node)

    def _walk(self, start: _Node) -> None:
        self._waiting = [start]
        while self._waiting:
            self._extent(self._waiting.pop(), ())

    def _node(self, binding: Binding) -> _Node:
        what = registry.part(binding.selector)
        self._names.setdefault(what, binding.selector)
        return _Node(what, binding.scope)

    def _extent(self, node: _Node, above: tuple[_Step, ...]) -> _Extent:
        """Returns how much a call puts together.

        Args:
          node: what is called.
          above: the way to it.
        """
        if node not in self._extents:
            _check_circle(node, above)
            size, height = 1, 0
            settings = self._parameters(node)
            if not isinstance(node.what, str):
                self.calls.append(Call(node.scope, self._names[node.what], settings))
            for binding in settings.values():
                self.reached.add(binding)
                for depth, element in elements(binding.value):
                    size, height = size + 1, max(height, depth)
                    if isinstance(element, Reference):
                        way = (*above, _Step(node, binding, depth + 1))
                        inner = self._used(element, way)
                        size += inner.size
                        height = max(height, depth + 1 + inner.height)
                    if size > _MOST_VALUES:
                        raise errors.ConfigError(
                            f"{binding} becomes more than {_MOST_VALUES:,} values with what it uses."
                        )
            self._extents[node] = _Extent(size, height)
        _check_depth(above, self._extents[node].height)
        return self._extents[node]

    def _used(self, reference: Reference, way: tuple[_Step, ...]) -> _Extent:
        """Returns how much a use in a value puts together; of what is called later, nothing now."""
        user = way[-1].node
        used = _Node.of(reference, user.scope)
        self._names.setdefault(used.what, reference.name)
        # A singleton calls what it is given.
        if reference.is_called or user.what == self._singleton:
            _check_depth(way, 0)  # before Python's own stack is full
            return self._extent(used, way)
        self._waiting.append(used)
        return _Extent(0, 0)

    def _parameters(self, node: _Node) -> dict[str, Binding]:
        """Returns the settings that a call reads, of each parameter that of the innermost scope."""
        if isinstance(node.what, str):
            return self._bound.get(_Node(node.what, ""), {})
        found: dict[str, Binding] = {}
        names = node.scope.split("/") if node.scope else []
        for number in range(len(names) + 1):
            found |= self._bound.get(_Node(node.what, "/".join(names[:number])), {})
        return found


def _check_circle(node: _Node, above: tuple[_Step, ...]) -> None:
    nodes = [step.node for step in above]
    if node in nodes:
        circle = [str(step.binding) for step in above[nodes.index(node) :]]
        raise errors.ConfigError(
            f"{circle[0]} contains itself: {' > '.join([*circle, circle[0]])}. Give one of these "
            "settings another value."
        )


def _check_depth(above: tuple[_Step, ...], height: int) -> None:
    if above and sum(step.depth for step in above) + height > _DEEPEST:
        names = [str(step.binding) for step in above]
        raise errors.ConfigError(
            f"{names[0]} has values in one another more than {_DEEPEST} deep: {' > '.join(names)}."
        )
