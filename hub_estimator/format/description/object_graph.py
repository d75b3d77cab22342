"""The objects of a TF2 SavedModel: its variables, tables, losses and functions."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

from hub_estimator.format.description import signatures
from hub_estimator.format.description.module_description import SignatureDescription

_ROOT = 0
_TRAINABLE, _LOSSES = "trainable_variables", "regularization_losses"
_VALUE = "VARIABLE_VALUE"
# Longer paths are those of no program, and a file may have very many of them.
_LONGEST_PATH = 500


class ObjectGraph:
    """The objects of a SavedModel by their numbers; that at the root is what programs load.

    Args:
      meta_graph: the `MetaGraphDef` of a TF2 SavedModel; it must not be changed afterwards.
    """

    def __init__(self, meta_graph: Any) -> None:
        self._graph = meta_graph.object_graph_def
        self._nodes = self._graph.nodes
        # The object that has each one, and by which name, as a search from the root finds it first.
        self._owners: dict[int, tuple[int, str]] = {_ROOT: (_ROOT, "")}
        self._lengths = {_ROOT: 0}  # of the paths
        pending = [_ROOT]
        for number in pending:
            for child in self._nodes[number].children:
                if child.node_id not in self._owners:
                    self._owners[child.node_id] = (number, child.local_name)
                    self._lengths[child.node_id] = self._lengths[number] + len(child.local_name) + 1
                    pending.append(child.node_id)

    def of_kind(self, kind: str) -> Iterator[tuple[int, Any]]:
        """Yields the numbers and the protos of objects, in the order in which a search finds them."""
        for number in self._owners:
            if self._nodes[number].WhichOneof("kind") == kind:
                yield number, getattr(self._nodes[number], kind)

    def path(self, number: int) -> str:
        """Returns the names by which programs reach an object from the root: `layers/0/kernel`."""
        if self._lengths[number] > _LONGEST_PATH:
            return f"(object {number})"
        names: list[str] = []
        while number != _ROOT:
            number, name = self._owners[number]
            names.append(name)
        return "/".join(reversed(names))

    def child(self, number: int, name: str) -> int | None:
        """Returns the number of what an object has by a name."""
        return next(
            (child.node_id for child in self._nodes[number].children if child.local_name == name),
            None,
        )

    def trainable(self, number: int, variable: Any) -> bool:
        """Whether training changes a variable: as the root lists it, or else as it says itself."""
        return variable.trainable if self._trainable is None else number in self._trainable

    @functools.cached_property
    def _trainable(self) -> frozenset[int] | None:
        listed = self.child(_ROOT, _TRAINABLE)
        if listed is None:
            return None
        return frozenset(child.node_id for child in self._nodes[listed].children)

    @property
    def losses(self) -> int:
        """The number of regularization losses that the root lists."""
        listed = self.child(_ROOT, _LOSSES)
        return 0 if listed is None else len(self._nodes[listed].children)

    def functions(self) -> tuple[SignatureDescription, ...]:
        """Returns what can be called on the root: `__call__`, and what has a public name."""
        found = []
        for child in self._nodes[_ROOT].children:
            node, name = self._nodes[child.node_id], child.local_name
            is_public = name == signatures.CALL or not name.startswith("_")
            if is_public and node.function.concrete_functions:
                found.append(
                    signatures.of_function(name, node.function, self._graph.concrete_functions)
                )
        return tuple(sorted(found, key=lambda one: (one.name != signatures.CALL, one.name)))

    def function_name(self, number: int, name: str) -> str | None:
        """Returns the name in the library of a function that an object has; None without one."""
        child = self.child(number, name)
        names = () if child is None else self._nodes[child].function.concrete_functions
        return names[0] if names else None

    def keys(self, checkpoint_graph: Any) -> dict[int, str]:
        """Returns the key in the checkpoint of each variable that has a value there.

        Args:
          checkpoint_graph: the `TrackableObjectGraph` that the checkpoint holds. Its objects are
            those of the same names.
        """
        if not checkpoint_graph.nodes:
            return {}
        children = functools.cache(
            lambda number: {
                child.local_name: child.node_id for child in checkpoint_graph.nodes[number].children
            }
        )
        found: dict[int, str] = {}
        pending, seen = [(_ROOT, _ROOT)], {_ROOT}
        for here, there in pending:
            for attribute in checkpoint_graph.nodes[there].attributes:
                if attribute.name == _VALUE:
                    found[here] = attribute.checkpoint_key
            for child in self._nodes[here].children:
                number = children(there).get(child.local_name)
                if number is not None and child.node_id not in seen:
                    seen.add(child.node_id)
                    pending.append((child.node_id, number))
        return found
