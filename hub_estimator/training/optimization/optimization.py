"""From a loss to the operation that trains: learning rates, gradients, update ops, averages."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from hub_estimator import compat, errors
from hub_estimator.training import checks
from hub_estimator.training.optimization import averaging, gradients, schedules
from hub_estimator.training.optimization.applying import apply
from hub_estimator.training.optimization.groups import VariableGroup, divide

_KERAS = ("keras", "tf_keras")
# The optimizers of Keras, and what to take instead; all others are most like Adam.
_INSTEAD = {
    "Adadelta": "tf.compat.v1.train.AdadeltaOptimizer",
    "Adagrad": "tf.compat.v1.train.AdagradOptimizer",
    "AdamW": "hub_estimator.training.AdamWOptimizer",
    "Ftrl": "tf.compat.v1.train.FtrlOptimizer",
    "RMSprop": "tf.compat.v1.train.RMSPropOptimizer",
    "SGD": "tf.compat.v1.train.GradientDescentOptimizer",
}
# Makes an optimizer of `tf.compat.v1.train`: `optimizer(learning_rate=...)`.
OptimizerFactory = Callable[..., Any]


@dataclasses.dataclass(frozen=True)
class Optimization:
    """How a model is trained.

    TensorBoard shows the learning rate, that of each group that has its own, and the norm of the
    gradients before they are clipped.

    Attributes:
      optimizer: makes the optimizer, for example `tf.compat.v1.train.AdagradOptimizer`; it is
        called with `learning_rate`.
      learning_rate: the learning rate of the first step, but for `warm_up_steps`.
      decay: makes each step's learning rate, called with the first one and the global step; see
        `schedules`. None keeps it.
      warm_up_steps: the number of steps, from the first, in which the learning rate rises to what
        it is without them.
      clip_norm: the norm that all gradients together are scaled down to; None leaves them.
      average_decay: how much of the weights' moving averages each step keeps, for example 0.999.
        Evaluation, prediction and exports use the averages, training goes on from the weights
        themselves. None makes no averages.

    Raises:
      errors.InvalidSettingError: a setting is impossible.
    """

    optimizer: OptimizerFactory
    learning_rate: float
    decay: schedules.Decay | None = None
    warm_up_steps: int = 0
    clip_norm: float | None = None
    average_decay: float | None = None

    def __post_init__(self) -> None:
        _check_not_of_keras(self.optimizer)
        for name, example in (("optimizer", "@AdagradOptimizer"), ("decay", "@linear_decay")):
            value = getattr(self, name)
            if not callable(value) and (name, value) != ("decay", None):
                raise errors.InvalidSettingError(
                    f"Optimization.{name} is {checks.shown(value)}; give it what makes one, as in "
                    f"{example}, without ()."
                )
        checks.positive("Optimization.learning_rate", self.learning_rate)
        checks.whole_number("Optimization.warm_up_steps", self.warm_up_steps, least=0)
        if self.clip_norm is not None:
            checks.positive("Optimization.clip_norm", self.clip_norm)
        if self.average_decay is not None:
            checks.fraction("Optimization.average_decay", self.average_decay)

    def train_op(self, loss: tf.Tensor, groups: Sequence[VariableGroup] = ()) -> tf.Operation:
        """Adds the operation of one training step; the graph's update ops run before it.

        Args:
          loss: float32 scalar.
          groups: the variables that are trained in ways of their own; all other trainable ones are
            trained by the plain learning rate from the first step on.

        Returns:
          The operation, which also adds one to the global step.

        Raises:
          errors.NothingTrainableError: the graph has no trainable variable.
        """
        trainable = tf.compat.v1.trainable_variables()
        if not trainable:
            raise errors.NothingTrainableError(
                "Nothing in the model is trainable. Give the model layers, or set "
                "Encoder.trainable = True."
            )
        global_step = tf.compat.v1.train.get_or_create_global_step()
        # Read once: what TensorBoard shows of a step is not to be of the next one.
        step = tf.identity(global_step)
        parts = divide(trainable, groups)
        rate = self._rate(step)
        _summarize_rates(rate, parts, step)
        optimizers = [self.optimizer(learning_rate=part.multiplier * rate) for part in parts]
        for optimizer in optimizers:
            compat.hasten_row_updates(optimizer)
        pairs = self._gradients(optimizers[0], loss, parts, step)
        updates = tf.compat.v1.get_collection(tf.compat.v1.GraphKeys.UPDATE_OPS)
        with tf.control_dependencies(updates):
            applied = [
                apply(part, optimizer, pairs, step)
                for part, optimizer in zip(parts, optimizers, strict=True)
            ]
        with tf.control_dependencies(applied):
            averaged = self._update_averages(trainable, step)
        with tf.control_dependencies([averaged, step]):
            return tf.group(global_step.assign_add(1, read_value=False))

    def scaffold(self) -> tf.compat.v1.train.Scaffold | None:
        """Returns what evaluation, prediction and export restore a checkpoint by; None: as usual.

        Call it once the whole model is in the graph.
        """
        if self.average_decay is None:
            return None
        return tf.compat.v1.train.Scaffold(saver=averaging.saver(self.average_decay))

    def names_to_restore(self) -> dict[str, Any] | None:
        """Returns what `scaffold` restores by its name in checkpoints; None: all by their own."""
        return None if self.average_decay is None else averaging.names(self.average_decay)

    def _rate(self, step: Any) -> Any:
        """Returns the learning rate of a step, a float or float32 scalar."""
        rate = self.learning_rate if self.decay is None else self.decay(self.learning_rate, step)
        return schedules.warm_up(rate, step, self.warm_up_steps)

    def _gradients(
        self, optimizer: Any, loss: tf.Tensor, parts: Sequence[VariableGroup], step: Any
    ) -> list[gradients.Pair]:
        """Returns the gradients to apply; those of all groups, which make up one norm."""
        variables = [variable for part in parts for variable in part.variables]
        computed = optimizer.compute_gradients(loss, variables)
        pairs = [(gradient, variable) for gradient, variable in computed if gradient is not None]
        if not pairs:
            raise errors.NothingTrainableError(
                "The loss does not depend on any of the model's trainable variables. Check what "
                "the head makes of the logits."
            )
        summed = [(gradients.rows_once(gradient), variable) for gradient, variable in pairs]
        norm = gradients.norm(summed, parts, step)
        with tf.name_scope(""):
            tf.compat.v1.summary.scalar("gradient_norm", norm)
        if self.clip_norm is not None:
            pairs = gradients.clip(summed, self.clip_norm, norm)
        return [(gradients.added_up(gradient, variable), variable) for gradient, variable in pairs]

    def _update_averages(self, variables: Sequence[tf.Variable], step: Any) -> tf.Operation:
        if self.average_decay is None:
            return tf.no_op()
        return averaging.update(self.average_decay, variables, step)


def _check_not_of_keras(optimizer: Any) -> None:
    """Checks that an optimizer is none of Keras, the class or an object of it."""
    given = optimizer if isinstance(optimizer, type) else type(optimizer)
    if not any(base.__module__.split(".")[0] in _KERAS for base in given.__mro__):
        return
    instead = _INSTEAD.get(given.__name__, "tf.compat.v1.train.AdamOptimizer")
    raise errors.InvalidSettingError(
        f"Optimization.optimizer is {given.__name__} of Keras; it must be an optimizer of TensorFlow "
        f"1. Give it {instead}, in gin files @{instead.rpartition('.')[-1]}."
    )


def _summarize_rates(rate: Any, parts: Sequence[VariableGroup], step: Any) -> None:
    # In the root scope, so that TensorBoard shows them under their own names.
    with tf.name_scope(""):
        tf.compat.v1.summary.scalar("learning_rate", rate)
        for part in parts:
            if part.name:
                is_training = tf.cast(part.is_training(step), tf.float32)
                own = part.multiplier * rate * is_training
                tf.compat.v1.summary.scalar(f"learning_rate/{part.name}", own)
