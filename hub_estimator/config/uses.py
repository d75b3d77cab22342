"""What a call of a part puts together: which settings it reads, and which cannot be put together.

Gin puts macros and parts into one another when they are called, as often as they are used. It goes
in a circle, or through more than there is memory for, without a word; so the way that it will take
is walked here before, each part of it once.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Hashable, Iterable, Iterator

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


class Uses:
    """The ways that gin would take through a configuration.

    Args:
      bound: the bindings in force.

    Attributes:
      reached: the bindings that are read on the ways that were walked so far.
    """

    def __init__(self, bound: Iterable[Binding]) -> None:
        self.reached: set[Binding] = set()
        self._bound: dict[_Node, dict[str, Binding]] = {}
        for each in bound:
            node = _Node(str(each), "") if each.is_macro else self._node(each)
            self._bound.setdefault(node, {})[each.parameter] = each
        self._sizes: dict[_Node, int] = {}
        self._waiting: list[_Node] = []

    def walk(self, name: str) -> None:
        """Walks through what a call of a part by its name, in no scope, puts together.

        Raises:
          errors.ConfigError: a setting contains itself, or too much.
        """
        self._walk(_Node(registry.part(name), ""))

    def walk_all(self, used: Iterable[Reference]) -> None:
        """Walks through all that has settings and no text uses: what only a program can call.

        Args:
          used: what the texts use beside the bindings in force.

        Raises:
          errors.ConfigError: a setting contains itself, or too much.
        """
        in_force = [each.value for parts in self._bound.values() for each in parts.values()]
        all_used = [*used, *references(in_force)]
        inner = {registry.part(each.name) for each in all_used if not each.is_macro}
        for node, parameters in self._bound.items():
            if "" not in parameters and node.what not in inner:
                self._walk(node)

    def _walk(self, start: _Node) -> None:
        self._waiting = [start]
        while self._waiting:
            self._size(self._waiting.pop(), (), 0)

    def _node(self, binding: Binding) -> _Node:
        return _Node(registry.part(binding.selector), binding.scope)

    def _size(self, node: _Node, above: tuple[tuple[_Node, Binding], ...], depth: int) -> int:
        """Returns the number of values that a call puts together.

        Args:
          node: what is called.
          above: the calls that this one is for, each with the setting that it is in.
          depth: how deep it is in these.
        """
        if node in self._sizes:
            return self._sizes[node]
        _check_way(node, above, depth)
        size = 1
        for binding in self._parameters(node):
            self.reached.add(binding)
            for inner_depth, each in elements(binding.value):
                size += 1
                if not isinstance(each, Reference):
                    continue
                used = _Node.of(each, node.scope)
                # A singleton calls what it is given.
                if each.is_called or node.what == registry.part("gin.singleton"):
                    way = (*above, (node, binding))
                    size += self._size(used, way, depth + inner_depth + 1)
                else:
                    self._waiting.append(used)
                if size > _MOST_VALUES:
                    raise errors.ConfigError(
                        f"{binding} becomes more than {_MOST_VALUES:,} values with what it uses."
                    )
        self._sizes[node] = size
        return size

    def _parameters(self, node: _Node) -> Iterator[Binding]:
        """Yields the settings that a call reads, of each parameter that of the innermost scope."""
        if isinstance(node.what, str):
            yield from self._bound.get(_Node(node.what, ""), {}).values()
            return
        found: dict[str, Binding] = {}
        names = node.scope.split("/") if node.scope else []
        for number in range(len(names) + 1):
            found |= self._bound.get(_Node(node.what, "/".join(names[:number])), {})
        yield from found.values()


def _check_way(node: _Node, above: tuple[tuple[_Node, Binding], ...], depth: int) -> None:
    nodes = [each for each, _ in above]
    names = [str(binding) for _, binding in above]
    if node in nodes:
        circle = names[nodes.index(node) :]
        raise errors.ConfigError(
            f"{circle[0]} contains itself: {' > '.join([*circle, circle[0]])}. Give one of these "
            "settings another value."
        )
    if depth > _DEEPEST:
        raise errors.ConfigError(
            f"{names[0]} has values in one another more than {_DEEPEST} deep: {' > '.join(names)}."
        )
