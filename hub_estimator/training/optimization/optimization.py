"""From a loss to the operation that trains: optimizers, learning rates, update ops."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from hub_estimator import errors
from hub_estimator.training.optimization.groups import VariableGroup
from hub_estimator.training.optimization.schedules import Decay

# Makes an optimizer of `tf.compat.v1.train`: `optimizer(learning_rate=...)`.
OptimizerFactory = Callable[..., Any]


@dataclasses.dataclass(frozen=True)
class Optimization:
    """How a model is trained.

    Attributes:
      optimizer: makes the optimizer, for example `tf.compat.v1.train.AdagradOptimizer`; it is
        called with `learning_rate`.
      learning_rate: the learning rate of the first step.
      decay: makes each step's learning rate, called with the first one and the global step.
    """

    optimizer: OptimizerFactory
    learning_rate: float
    decay: Decay | None = None

    def train_op(self, loss: tf.Tensor, groups: Sequence[VariableGroup] = ()) -> tf.Operation:
        """Adds the operation of one training step; the graph's update ops run before it.

        Args:
          loss: float32 scalar.
          groups: the variables that are trained in ways of their own; all other trainable ones are
            trained by the plain learning rate from the first step on.

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
        rate = self.learning_rate if self.decay is None else self.decay(self.learning_rate, step)
        # In the root scope, so that TensorBoard shows it under its own name.
        with tf.name_scope(""):
            tf.compat.v1.summary.scalar("learning_rate", rate)
        updates = tf.compat.v1.get_collection(tf.compat.v1.GraphKeys.UPDATE_OPS)
        made = self.optimizer(learning_rate=rate)
        gradients = made.compute_gradients(loss)
        with tf.control_dependencies(updates):
            return made.apply_gradients(gradients, global_step=step)

    def scaffold(self) -> tf.compat.v1.train.Scaffold | None:
        """Returns what evaluation, prediction and export restore a checkpoint by; None: as usual."""
        return None
