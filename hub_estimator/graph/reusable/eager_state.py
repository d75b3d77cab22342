"""The state of a graph variant outside of all graphs."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf

from hub_estimator import compat, errors
from hub_estimator.format.nodes import node_of
from hub_estimator.format.variant import Variant, tags_text
from hub_estimator.graph.importing.parts import GraphPart, comes_from, import_part, make_part
from hub_estimator.graph.instance import replicas
from hub_estimator.graph.instance.plan import Training
from hub_estimator.graph.reusable.tables import Table

Other = Any
"""A `Table` or a `tf.saved_model.Asset`."""


@dataclasses.dataclass(frozen=True)
class EagerState:
    """The state of a graph variant, as `hub_estimator.graph.instance.apply.compute` takes it.

    Attributes:
      variant: the variant, in its resource form.
      variables: the variables by node name.
      others: the tables and assets by their stored names (`node:0`).
      training: what is trained; None where nothing is.
      graph: none.
      values: none: they are read at each use.
    """

    variant: Variant
    variables: Mapping[str, tf.Variable]
    others: Mapping[str, Other]
    training: Training | None = None
    graph: None = None
    values: Mapping[str, tf.Tensor] = dataclasses.field(default_factory=dict)

    def tensor(self, name: str) -> tf.Tensor:
        """Returns the eager tensor that stands for the stored one `name`.

        A function graph that takes it learns of the variable.

        Raises:
          errors.UnsupportedModuleError: it is of a kind of state that only graphs have.
        """
        node = node_of(name)
        if node in self.variables:
            part = _component(self.variables[node])
            compat.watch(part, tf.compat.v1.get_default_graph())
            return part.handle
        if name in self.others:
            other = self.others[name]
            return other.resource_handle if isinstance(other, Table) else other.asset_path
        raise errors.UnsupportedModuleError(
            f"The graph variant with the tags {tags_text(self.variant.tags)} of the module keeps "
            f"state in the operation {node!r} ({self.variant.nodes[node].op}), which only graphs "
            "of TF1 have. Use hub.Module in a graph."
        )

    def part(self, elements: Sequence[str]) -> GraphPart:
        """Returns the nodes that compute tensors (`node:0`), or run operations, from the state."""
        given = frozenset(f"{name}:0" for name in self.variant.instance_nodes)
        roots = map(node_of, elements)
        return make_part(
            self.variant, self.variant.nodes.ancestors(roots, comes_from(given)), given
        )

    def add(self, elements: Sequence[str], scope: str) -> list[Any]:
        """Adds what computes tensors, or runs operations, to the default function graph.

        Args:
          elements: their names.
          scope: the absolute name scope, ending in a slash.

        Returns:
          The tensors and operations.
        """
        part = self.part(elements)
        graph = tf.compat.v1.get_default_graph()
        names = {f"{node_of(fed)}:0" for fed in part.fed}
        feeds = {name: compat.capture(self.tensor(name), graph) for name in names}
        return import_part(part, self.variant, scope, feeds, elements)


def _component(variable: Any) -> Any:
    """Returns the current replica's part of a variable that a strategy may have mirrored."""
    if not isinstance(variable, tf.distribute.DistributedValues):
        return variable
    parts = variable.values
    return parts[replicas.index() % len(parts)]
