"""Applying gradients to a group's variables, by an optimizer of the group's own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from hub_estimator.training.optimization import gradients, step_conditions
from hub_estimator.training.optimization.groups import VariableGroup


def apply(
    part: VariableGroup, optimizer: Any, pairs: Sequence[gradients.Pair], step: Any
) -> tf.Operation:
    """Adds the operation that applies the gradients of a group's variables.

    Before the group's first step nothing of it changes: neither the variables nor what the
    optimizer keeps of them. Their gradients, which do not matter then, need not be computed; see
    `model.encoder_modules.frozen_at_first`.

    Args:
      part: the group.
      optimizer: its optimizer.
      pairs: the gradients and variables of all groups.
      step: int64 scalar, the global step.

    Returns:
      The operation.
    """
    own = gradients.of(part, pairs)
    if not own:
        return tf.no_op()
    if not part.start_step:
        return _apply(part, optimizer, own)
    return step_conditions.run_if(part.is_training(step), lambda: _apply(part, optimizer, own))


def _apply(part: VariableGroup, optimizer: Any, pairs: Sequence[gradients.Pair]) -> tf.Operation:
    if not part.name:
        return optimizer.apply_gradients(pairs)
    # What an optimizer keeps for all its variables is named by the scope: without one of its own,
    # by the order in which the groups come. The slash makes the scope the same wherever this is.
    with tf.name_scope(f"optimizers/{part.name}/"):
        return optimizer.apply_gradients(pairs)
