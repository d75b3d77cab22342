"""AdamW: Adam with decoupled weight decay."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

import tensorflow as tf

from hub_estimator import errors
from hub_estimator.training import checks
from hub_estimator.training.optimization.gradients import Pair

# Biases, and what normalizes: there is nothing to gain from making these small.
NOT_DECAYED = (r"(^|/)(bias|biases|beta|gamma)(/part_\d+)?$", r"(?i)norm")


class AdamWOptimizer(tf.compat.v1.train.AdamOptimizer):
    """Adam that also lets the weights themselves shrink: `w -= rate * (adam + weight_decay * w)`.

    Other than an L2 loss, the decay does not pass through Adam's scaling. All rows of an embedding
    decay at each step, as Adam itself changes all of them.
    From "Decoupled Weight Decay Regularization" (https://arxiv.org/abs/1711.05101).

    Args:
      learning_rate: the learning rate, a float, a float scalar or a function that returns one.
      weight_decay: the fraction of the weights that goes at a learning rate of 1.
      exclude: regular expressions; variables whose names one is found in do not decay.
      beta1: what each step keeps of the average of the gradients, as in Adam.
      beta2: what each step keeps of the average of their squares, as in Adam.
      epsilon: what is added to what Adam divides by, so that it is not 0.
      name: the end of the names of Adam's own variables.

    Raises:
      errors.InvalidSettingError: a setting is impossible.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        weight_decay: float = 0.01,
        exclude: Sequence[str] = NOT_DECAYED,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        name: str = "AdamW",
    ) -> None:
        checks.number("AdamWOptimizer.weight_decay", weight_decay)
        super().__init__(learning_rate, beta1, beta2, epsilon, name=name)
        self._rate = learning_rate
        self._weight_decay = weight_decay
        self._exclude = _compiled(exclude)

    def apply_gradients(
        self,
        grads_and_vars: Iterable[Pair],
        global_step: Any = None,
        name: str | None = None,
        **options: Any,
    ) -> tf.Operation:
        """Adds the operation that lets the weights decay and then applies the gradients.

        Args and result are those of `tf.compat.v1.train.Optimizer.apply_gradients`.
        """
        pairs = [
            (gradient, variable) for gradient, variable in grads_and_vars if gradient is not None
        ]
        decayed = [variable for _, variable in pairs if self._decays(variable)]
        if not (self._weight_decay and decayed):
            return super().apply_gradients(pairs, global_step, name, **options)
        rate = self._rate() if callable(self._rate) else self._rate
        amount = tf.convert_to_tensor(rate, tf.float32) * self._weight_decay
        # The gradients are of the weights before they decay.
        with tf.control_dependencies([gradient for gradient, _ in pairs]):
            replica = tf.distribute.get_replica_context()
            decay = replica.merge_call(_decay, args=(decayed, amount))
        with tf.control_dependencies([decay]):
            return super().apply_gradients(pairs, global_step, name, **options)

    def _decays(self, variable: tf.Variable) -> bool:
        # Not that of its operation, which under a strategy is the replica's, with a number.
        name = variable.name.rsplit(":", 1)[0]
        return not any(pattern.search(name) for pattern in self._exclude)


def _compiled(exclude: Any) -> list[re.Pattern[str]]:
    checks.listed("AdamWOptimizer.exclude", exclude, "['bias']")
    try:
        return [re.compile(pattern) for pattern in exclude]
    except (re.error, TypeError) as error:
        raise errors.InvalidSettingError(
            f"AdamWOptimizer.exclude is {exclude!r}; it must be regular expressions: {error}."
        ) from error


def _decay(
    strategy: tf.distribute.Strategy, variables: Sequence[tf.Variable], amount: Any
) -> tf.Operation:
    """Lets variables decay, in the context that sees all replicas at once."""
    update = strategy.extended.update
    return tf.group(*(update(variable, _shrink, args=(amount,)) for variable in variables))


def _shrink(variable: tf.Variable, amount: tf.Tensor) -> Any:
    return variable.assign_sub(tf.cast(amount, variable.dtype.base_dtype) * variable)
