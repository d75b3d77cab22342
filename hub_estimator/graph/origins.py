"""Where the modules of a graph are from: noted when they are added to it."""

from __future__ import annotations

import itertools

import tensorflow as tf

from hub_estimator.format.origin import Origin

# Not a string: TensorFlow then leaves the collection out of saved graphs, where it cannot be.
_ORIGINS = ("hub_estimator", "origins")


def note(scope: str, origin: Origin | None) -> None:
    """Notes where a module in the default graph is from.

    Args:
      scope: the name scope of its variables.
      origin: where it is; None, for one that a program defined itself, is not noted.
    """
    if origin is not None:
        tf.compat.v1.add_to_collection(_ORIGINS, (scope.rstrip("/"), origin))


def origins(graph: tf.Graph) -> dict[str, Origin]:
    """Returns where each module of a graph is from, by its scope, in the order of their making.

    The second one of a scope has a number behind it.
    """
    found: dict[str, Origin] = {}
    for scope, origin in graph.get_collection(_ORIGINS):
        numbered = (f"{scope}_{number}" for number in itertools.count(1))
        names = itertools.chain([scope], numbered)
        found[next(name for name in names if name not in found)] = origin
    return found
