"""From an output with inner dimensions to one vector per example."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

_REDUCTIONS = {"mean": tf.reduce_mean, "max": tf.reduce_max}
KINDS = tuple(_REDUCTIONS)


def pool(values: Any, kind: str) -> tf.Tensor:
    """Reduces the dimensions between the first and the last.

    Args:
      values: float `[B, ..., D]`: tokens `[B, T, D]`, feature maps `[B, H, W, D]`.
      kind: one of `KINDS`.

    Returns:
      float `[B, D]`.
    """
    inner = list(range(1, (values.shape.rank or 2) - 1))
    return _REDUCTIONS[kind](values, axis=inner) if inner else values
