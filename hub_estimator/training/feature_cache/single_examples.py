"""Examples of a batch by themselves: what an encoder gives for one may depend on the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf


def specs_of(features: Mapping[str, tf.Tensor]) -> dict[str, tf.TensorSpec]:
    """Returns what the data gives an encoder: where all of it has one length, nothing is filled up."""
    return {name: tf.TensorSpec(tensor.shape, tensor.dtype) for name, tensor in features.items()}


def amounts(features: Mapping[str, np.ndarray]) -> np.ndarray:
    """Returns how much each example has, `[B]`: letters of texts, numbers that are not 0."""
    return sum(_is_there(values).reshape(len(values), -1).sum(1) for values in features.values())


def chosen_rows(
    features: Mapping[str, np.ndarray], specs: Mapping[str, tf.TensorSpec], is_first: bool
) -> list[int]:
    """Returns which examples of a batch to run by themselves.

    Of the first batch some of all kinds; of others the shortest one, where it is filled up.

    Args:
      features: the batch, `[B, ...]` by feature name.
      specs: what the data gives the encoder.
      is_first: whether it is the first batch.
    """
    there = amounts(features)
    if is_first:
        return sorted({0, len(there) - 1, int(np.argmin(there)), int(np.argmax(there))})
    is_filled = any(_has_any_length(spec) for spec in specs.values()) and np.ptp(there) > 0
    return [int(np.argmin(there))] if is_filled else []


def single(
    features: Mapping[str, np.ndarray], specs: Mapping[str, tf.TensorSpec], row: int
) -> dict[str, np.ndarray]:
    """Returns an example by itself, `[1, ...]`, without what fills it up to the longest's length."""
    return some(features, specs, [row])


def some(
    features: Mapping[str, np.ndarray], specs: Mapping[str, tf.TensorSpec], rows: Sequence[int]
) -> dict[str, np.ndarray]:
    """Returns some examples of a batch, filled up to the longest's length of theirs."""
    ends = {length: max(found.max(initial=0), 1) for length, found in _ends(features, specs, rows)}
    found = {name: values[rows] for name, values in features.items()}
    filled = [name for name in found if _has_any_length(specs[name])]
    return found | {name: found[name][:, : ends[found[name].shape[1]]] for name in filled}


def lengths(
    features: Mapping[str, np.ndarray], specs: Mapping[str, tf.TensorSpec]
) -> np.ndarray | None:
    """Returns how much of each example is not what fills it up, int64 `[B]`, 1 at least.

    None where no feature is filled up, or several are to different lengths.
    """
    count = len(next(iter(features.values())))
    found = _ends(features, specs, np.arange(count))
    return np.maximum(found[0][1], 1) if len(found) == 1 else None


def _ends(
    features: Mapping[str, np.ndarray], specs: Mapping[str, tf.TensorSpec], rows: Any
) -> list[tuple[int, np.ndarray]]:
    """Returns where examples end, int64 `[B]`, for each length to which features are filled up."""
    ends: dict[int, np.ndarray] = {}
    for name, values in features.items():
        if _has_any_length(specs[name]):
            # Tokens have as many marks beside them, which may all be zero: they are cut together.
            length = values.shape[1]
            there = _is_there(values[rows]).any(axis=tuple(range(2, values.ndim)))
            last = np.where(there, np.arange(1, length + 1), 0).max(axis=1, initial=0)
            ends[length] = np.maximum(ends.get(length, 0), last)
    return [*ends.items()]


def _has_any_length(spec: tf.TensorSpec) -> bool:
    return (spec.shape.rank or 0) > 1 and spec.shape[1] is None


def _is_there(values: np.ndarray) -> np.ndarray:
    """Returns how much is in each place, int64; what fills up is nothing."""
    if values.dtype != object:
        return (values != 0).astype(np.int64)
    return np.vectorize(len, otypes=[np.int64])(values)
