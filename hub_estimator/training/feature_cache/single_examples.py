"""Examples of a batch by themselves: what an encoder gives for one may depend on the others."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import tensorflow as tf


def chosen_rows(
    features: Mapping[str, np.ndarray], specs: Mapping[str, tf.TensorSpec], is_first: bool
) -> list[int]:
    """Returns which examples of a batch to run by themselves.

    Of the first batch some of all kinds; of others the shortest one, where it is filled up.

    Args:
      features: the batch, `[B, ...]` by feature name.
      specs: what the encoder takes.
      is_first: whether it is the first batch.
    """
    lengths = sum(_is_there(values).reshape(len(values), -1).sum(1) for values in features.values())
    if is_first:
        return sorted({0, len(lengths) - 1, int(np.argmin(lengths)), int(np.argmax(lengths))})
    is_filled = any(_has_any_length(spec) for spec in specs.values()) and np.ptp(lengths) > 0
    return [int(np.argmin(lengths))] if is_filled else []


def single(
    features: Mapping[str, np.ndarray], specs: Mapping[str, tf.TensorSpec], row: int
) -> dict[str, np.ndarray]:
    """Returns an example by itself, `[1, ...]`, without what fills it up to the longest's length."""
    found = {name: values[row : row + 1] for name, values in features.items()}
    filled = [name for name in found if _has_any_length(specs[name])]
    ends: dict[int, int] = {}
    for name in filled:
        # Tokens have as many marks beside them, which may all be zero: they are cut together.
        length, there = found[name].shape[1], _is_there(found[name])
        used = np.flatnonzero(there.reshape(length, -1).any(axis=1))
        ends[length] = max(ends.get(length, 1), int(used.max(initial=0)) + 1)
    return found | {name: found[name][:, : ends[found[name].shape[1]]] for name in filled}


def _has_any_length(spec: tf.TensorSpec) -> bool:
    return (spec.shape.rank or 0) > 1 and spec.shape[1] is None


def _is_there(values: np.ndarray) -> np.ndarray:
    """Returns how much is in each place, int64; what fills up is nothing."""
    if values.dtype != object:
        return (values != 0).astype(np.int64)
    return np.vectorize(len, otypes=[np.int64])(values)
