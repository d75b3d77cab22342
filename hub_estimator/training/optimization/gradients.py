"""Gradients: their norm, and clipping by it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from hub_estimator import compat
from hub_estimator.training.optimization.groups import VariableGroup

# `(gradient, variable)`; the gradient is a Tensor or, of an embedding's rows, IndexedSlices.
Pair = tuple[Any, tf.Variable]


def norm(pairs: Sequence[Pair], parts: Sequence[VariableGroup], step: Any) -> tf.Tensor:
    """Computes the norm of all gradients that the step uses, as if they were one vector.

    Those of a group that is not trained yet do not count: until then, all others are trained as if
    it were frozen.

    Args:
      pairs: the gradients and their variables.
      parts: the groups that the variables are in.
      step: int64 scalar, the global step.

    Returns:
      float32 scalar.
    """
    squares = []
    for part in parts:
        # Of a group that the loss does not depend on there is none.
        square = tf.add_n(
            [tf.constant(0.0), *(_square(gradient) for gradient, _ in of(part, pairs))]
        )
        if part.start_step:
            square = tf.where(part.is_training(step), square, tf.zeros_like(square))
        squares.append(square)
    return tf.sqrt(tf.add_n(squares))


def _square(gradient: Any) -> tf.Tensor:
    """Returns the square of a gradient's norm, as float32 whatever the type of its variable."""
    values = gradient.values if isinstance(gradient, tf.IndexedSlices) else gradient
    return 2 * tf.nn.l2_loss(tf.cast(values, tf.float32))


def clip(pairs: Sequence[Pair], clip_norm: float, global_norm: tf.Tensor) -> list[Pair]:
    """Scales gradients down where their norm is greater than `clip_norm`.

    Under a distribution strategy, whose replicas' gradients are added up, each replica's have their
    share of it.
    """
    share = clip_norm / tf.distribute.get_strategy().num_replicas_in_sync
    gradients, variables = zip(*pairs, strict=True)
    clipped, _ = tf.clip_by_global_norm(list(gradients), share, use_norm=global_norm)
    return list(zip(clipped, variables, strict=True))


def of(part: VariableGroup, pairs: Sequence[Pair]) -> list[Pair]:
    """Returns the gradients of a group's variables."""
    members = {variable.ref() for variable in part.variables}
    return [(gradient, variable) for gradient, variable in pairs if variable.ref() in members]


def rows_once(gradient: Any) -> Any:
    """Returns a gradient in which each row of an embedding is there once.

    A row that a batch uses several times comes several times; only their sum is its gradient, and
    has its norm.
    """
    if not isinstance(gradient, tf.IndexedSlices):
        return gradient
    values, indices = compat.rows_once(gradient.values, gradient.indices)
    return tf.IndexedSlices(values, indices, gradient.dense_shape)


def added_up(gradient: Any, variable: tf.Variable) -> Any:
    """Returns a gradient as the current strategy can add it up over its replicas.

    Where it cannot do so with rows, it is that of the whole table, with zeros for all other rows. An
    optimizer then changes all rows, which for some, such as that of momentum, is not the same.
    """
    strategy = tf.distribute.get_strategy()
    if not isinstance(gradient, tf.IndexedSlices) or compat.adds_up_rows(strategy):
        return gradient
    whole = tf.math.unsorted_segment_sum(gradient.values, gradient.indices, variable.shape[0])
    return tf.ensure_shape(whole, variable.shape)
