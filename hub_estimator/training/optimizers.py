"""From a loss to the operation that trains: optimizers, learning rates, update ops."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from hub_estimator import errors

# Makes an optimizer of `tf.compat.v1.train`: `optimizer(learning_rate=...)`.
OptimizerFactory = Callable[..., Any]
# Makes the learning rate of a step: `decay(learning_rate, global_step)`.
Decay = Callable[[float, Any], Any]


def train_op(
    loss: tf.Tensor,
    optimizer: OptimizerFactory,
    learning_rate: float,
    decay: Decay | None = None,
) -> tf.Operation:
    """Adds the operation of one training step; the graph's update ops run before it.

    Args:
      loss: float32 scalar.
      optimizer: makes the optimizer, called with `learning_rate`.
      learning_rate: the rate of the first step.
      decay: makes the rate of each step from the first one and the global step.

    Returns:
      The operation, which also adds one to the global step.

    Raises:
      errors.ModelError: the graph has no trainable variable.
    """
    if not tf.compat.v1.trainable_variables():
        raise errors.ModelError(
            "Nothing in the model is trainable. Give the model layers, or set "
            "Encoder.trainable = True."
        )
    step = tf.compat.v1.train.get_or_create_global_step()
    rate = learning_rate if decay is None else decay(learning_rate, step)
    # In the root scope, so that TensorBoard shows it under its own name.
    with tf.name_scope(""):
        tf.compat.v1.summary.scalar("learning_rate", rate)
    updates = tf.compat.v1.get_collection(tf.compat.v1.GraphKeys.UPDATE_OPS)
    made = optimizer(learning_rate=rate)
    gradients = made.compute_gradients(loss)
    with tf.control_dependencies(updates):
        return made.apply_gradients(gradients, global_step=step)


def linear_decay(learning_rate: float, global_step: Any, steps: int, end: float = 0.0) -> Any:
    """Lets the learning rate fall on a straight line, to `end` times the first one.

    Args:
      learning_rate: the rate of step 0.
      global_step: int64 scalar.
      steps: the number of steps until the end rate.
      end: the end rate as a fraction of the first one.

    Returns:
      float32 scalar.
    """
    return tf.compat.v1.train.polynomial_decay(
        learning_rate, global_step, steps, end_learning_rate=end * learning_rate
    )


def cosine_decay(learning_rate: float, global_step: Any, steps: int, end: float = 0.0) -> Any:
    """Lets the learning rate fall on half a cosine, to `end` times the first one.

    Args and result are those of `linear_decay`.
    """
    return tf.compat.v1.train.cosine_decay(learning_rate, global_step, steps, alpha=end)
