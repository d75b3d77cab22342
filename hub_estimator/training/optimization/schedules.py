"""Learning rates that change from step to step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

# Makes the learning rate of a step: `decay(learning_rate, global_step)`.
Decay = Callable[[float, Any], Any]


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
