"""Learning rates that change from step to step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from hub_estimator import errors
from hub_estimator.training import checks

# Makes the learning rate of a step: `decay(learning_rate, global_step)`.
Decay = Callable[[float, Any], Any]


def warm_up(learning_rate: Any, global_step: Any, steps: int) -> Any:
    """Lets the learning rate rise on a straight line: `rate * min(1, (step + 1) / steps)`.

    Args:
      learning_rate: float scalar, the rate without warm-up.
      global_step: int64 scalar.
      steps: the number of steps; the last of them has the full rate. 0 changes nothing.

    Returns:
      float32 scalar.
    """
    if not steps:
        return learning_rate
    return learning_rate * tf.minimum(1.0, (tf.cast(global_step, tf.float32) + 1) / steps)


def linear_decay(learning_rate: float, global_step: Any, steps: int, end: float = 0.0) -> Any:
    """Lets the learning rate fall on a straight line, to `end` times the first one.

    Args:
      learning_rate: the rate of step 0.
      global_step: int64 scalar.
      steps: the number of steps until the end rate, which is that of all later ones.
      end: the end rate as a fraction of the first one.

    Returns:
      float32 scalar.

    Raises:
      errors.InvalidSettingError: a setting is impossible.
    """
    _check("linear_decay", steps=steps, end=end)
    return tf.compat.v1.train.polynomial_decay(
        learning_rate, global_step, steps, end_learning_rate=end * learning_rate
    )


def cosine_decay(learning_rate: float, global_step: Any, steps: int, end: float = 0.0) -> Any:
    """Lets the learning rate fall on half a cosine, to `end` times the first one.

    Args:
      learning_rate: the rate of step 0.
      global_step: int64 scalar.
      steps: the number of steps until the end rate, which is that of all later ones.
      end: the end rate as a fraction of the first one.

    Result and errors are those of `linear_decay`.
    """
    _check("cosine_decay", steps=steps, end=end)
    return tf.compat.v1.train.cosine_decay(learning_rate, global_step, steps, alpha=end)


def exponential_decay(
    learning_rate: float, global_step: Any, steps: int, factor: float, staircase: bool = False
) -> Any:
    """Multiplies the learning rate by a factor every so many steps: `rate * factor**(step / steps)`.

    Args:
      learning_rate: the rate of step 0.
      global_step: int64 scalar.
      steps: the number of steps.
      factor: the factor.
      staircase: whether to do it all at once after that many steps, not a little in each.

    Returns:
      float32 scalar.

    Raises:
      errors.InvalidSettingError: a setting is impossible.
    """
    _check("exponential_decay", steps=steps, factor=factor)
    return tf.compat.v1.train.exponential_decay(
        learning_rate, global_step, steps, factor, staircase
    )


def piecewise_decay(
    learning_rate: float, global_step: Any, boundaries: Sequence[int], factors: Sequence[float]
) -> Any:
    """Multiplies the learning rate by another factor from each of some steps on.

    Args:
      learning_rate: the rate up to the first of these steps.
      global_step: int64 scalar.
      boundaries: the steps, in rising order.
      factors: for each the factor of the steps from it on; each is of the first rate.

    Returns:
      float32 scalar.

    Raises:
      errors.InvalidSettingError: a setting is impossible.
    """
    checks.listed("piecewise_decay.boundaries", boundaries, "[1000, 2000]")
    checks.listed("piecewise_decay.factors", factors, "[0.1, 0.01]")
    if len(factors) != len(boundaries) or list(boundaries) != sorted(set(boundaries)):
        raise errors.InvalidSettingError(
            f"piecewise_decay.boundaries is {boundaries!r} and factors {factors!r}; give rising "
            "steps, and a factor for each."
        )
    rates = [learning_rate * factor for factor in (1.0, *factors)]
    # TensorFlow's boundaries belong to the piece before them.
    last_steps = [boundary - 1 for boundary in boundaries]
    return tf.compat.v1.train.piecewise_constant(global_step, last_steps, rates)


def _check(name: str, steps: int, **numbers: float) -> None:
    checks.whole_number(f"{name}.steps", steps)
    for number_name, value in numbers.items():
        checks.number(f"{name}.{number_name}", value)
