"""The initializers and regularizers of `tf.contrib.layers`, with the same values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

tf1 = tf.compat.v1

# The variance of normal values is 1.3 times this, before those of more than two standard deviations
# are drawn again; today's initializers divide by what drawing again leaves of the deviation.
_NORMAL = 1.3 * 0.87962566103423978**2


def variance_scaling_initializer(
    factor: float = 2.0,
    mode: str = "FAN_IN",
    uniform: bool = False,
    seed: int | None = None,
    dtype: tf.DType = tf.float32,
) -> Any:
    """Returns an initializer of variance `factor / n`, `1.3 * factor / n` for normal values.

    Args:
      factor: what the variance is proportional to.
      mode: what `n` is: `"FAN_IN"`, `"FAN_OUT"`, or `"FAN_AVG"` for their mean.
      uniform: whether values are uniform, else normal and within two standard deviations.
      seed: of the random numbers.
      dtype: of the values.
    """
    scale, distribution = (factor, "uniform") if uniform else (_NORMAL * factor, "truncated_normal")
    return tf1.variance_scaling_initializer(scale, mode.lower(), distribution, seed, dtype)


def xavier_initializer(
    uniform: bool = True, seed: int | None = None, dtype: tf.DType = tf.float32
) -> Any:
    """Returns the initializer of Glorot and Bengio (2010): `factor` 1, mean of the fans."""
    return variance_scaling_initializer(1.0, "FAN_AVG", uniform, seed, dtype)


xavier_initializer_conv2d = xavier_initializer


def l1_regularizer(scale: float, scope: str | None = None) -> Callable[[Any], Any]:
    """Returns a function of weights: `scale * sum(|weights|)`, or None where `scale` is zero."""
    return _regularizer(scale, scope, lambda weights: tf.reduce_sum(tf.abs(weights)))


def l2_regularizer(scale: float, scope: str | None = None) -> Callable[[Any], Any]:
    """Returns a function of weights: `scale * sum(weights^2) / 2`, or None where `scale` is zero."""
    return _regularizer(scale, scope, tf.nn.l2_loss)


def _regularizer(
    scale: float, scope: str | None, norm: Callable[[Any], tf.Tensor]
) -> Callable[[Any], tf.Tensor | None]:
    if not 0 <= scale:
        raise ValueError(f"The scale of a regularizer is {scale}; it cannot be below zero.")

    def regularize(weights: Any) -> tf.Tensor | None:
        if scale == 0:
            return None
        with tf1.name_scope(scope, "regularizer", [weights]):
            return scale * norm(weights)

    return regularize
