"""From an output with inner dimensions to one vector per example."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

_REDUCTIONS = {"mean": tf.reduce_mean, "max": tf.reduce_max}
KINDS = tuple(_REDUCTIONS)


def pool(values: Any, kind: str, mask: Any = None) -> tf.Tensor:
    """Reduces the dimensions between the first and the last.

    Args:
      values: float `[B, ..., D]`: tokens `[B, T, D]`, feature maps `[B, H, W, D]`.
      kind: one of `KINDS`.
      mask: numbers `[B, T]` for values `[B, T, D]`, not 0 at the positions that count; None counts
        all.

    Returns:
      float `[B, D]`; zeros for an example without a position that counts.
    """
    if mask is not None:
        return _masked(values, kind, mask)
    inner = list(range(1, (values.shape.rank or 2) - 1))
    return _REDUCTIONS[kind](values, axis=inner) if inner else values


def _masked(values: tf.Tensor, kind: str, mask: tf.Tensor) -> tf.Tensor:
    message = "Encoder.pool_mask has other positions than the output."
    # A mask of one position would fit every length.
    same = tf.debugging.assert_equal(tf.shape(mask), tf.shape(values)[:2], message)
    with tf.control_dependencies([same]):
        counts = tf.cast(mask, tf.bool)[:, :, None]
    if kind == "mean":
        total = tf.reduce_sum(tf.where(counts, values, tf.zeros_like(values)), axis=1)
        return tf.math.divide_no_nan(total, tf.reduce_sum(tf.cast(counts, values.dtype), axis=1))
    lowest = tf.fill(tf.shape(values), values.dtype.min)
    greatest = tf.reduce_max(tf.where(counts, values, lowest), axis=1)
    return tf.where(tf.reduce_any(counts, axis=1), greatest, tf.zeros_like(greatest))
