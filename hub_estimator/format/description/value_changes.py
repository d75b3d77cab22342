"""By how much the values of two checkpoints differ: one pair of values in memory at a time."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from hub_estimator.format.checkpoint import open_checkpoint
from hub_estimator.format.checkpoint_damage import naming_damage
from hub_estimator.progress import Progress

_CHUNK = 1 << 20  # elements: their differences are computed in a few times as much memory


@dataclasses.dataclass(frozen=True)
class Pair:
    """A value that two checkpoints have, of one type and shape.

    Attributes:
      name: its name.
      first: its key in the first checkpoint.
      second: its key in the second one.
      bytes: its size, as far as it is known.
    """

    name: str
    first: str
    second: str
    bytes: int


@dataclasses.dataclass(frozen=True)
class ValueChange:
    """By how much a value changed.

    Attributes:
      name: its name.
      elements: the number of its elements.
      changed: how many of them are others.
      largest: the largest difference of two elements; None of texts, and where it is no number.
      root_mean_square: the root of the mean of the squared differences of all elements; None as that.
      root_mean_square_before: that of the first value's elements, to compare it with.
      not_finite: how many elements changed that are, or were, infinite or no number; they are in
        none of the three numbers before.
    """

    name: str
    elements: int
    changed: int
    largest: float | None
    root_mean_square: float | None
    root_mean_square_before: float | None
    not_finite: int


def value_changes(
    first: str, second: str, pairs: Sequence[Pair], with_bar: bool | None = None
) -> tuple[ValueChange, ...]:
    """Returns by how much the values that changed did, in the order of the pairs.

    Args:
      first: the prefix of a checkpoint.
      second: that of the other one.
      pairs: what to compare.
      with_bar: whether to show a bar; None is where standard error is a terminal.

    Raises:
      errors.DamagedCheckpointError: a file of one of them is damaged.
    """
    readers = [(prefix, _opened(prefix)) for prefix in (first, second)]
    found = []
    total = sum(pair.bytes for pair in pairs)
    with Progress(
        lambda progress: f"Compared {progress.done:,} of {total:,} bytes of values.",
        with_bar, desc="Comparing values", total=total, unit="B", unit_scale=True,
    ) as progress:  # fmt: skip
        for pair in pairs:
            values = [
                _read(prefix, reader, key)
                for (prefix, reader), key in zip(readers, (pair.first, pair.second), strict=True)
            ]
            change = _change(pair.name, *values)
            del values  # before the next pair is read
            found += [change] if change.changed else []
            progress.add(pair.bytes)
    return tuple(found)


def _opened(prefix: str) -> Any:
    with naming_damage(prefix):
        return open_checkpoint(prefix)


def _read(prefix: str, reader: Any, key: str) -> np.ndarray:
    with naming_damage(prefix):
        return np.asarray(reader.get_tensor(key)).reshape(-1)


def _change(name: str, first: np.ndarray, second: np.ndarray) -> ValueChange:
    changed = not_finite = numbers = 0
    largest = squares = squares_before = 0.0
    is_number = first.dtype.kind not in "OSU"
    for start in range(0, first.size, _CHUNK):
        part, other = first[start : start + _CHUNK], second[start : start + _CHUNK]
        if not is_number:
            changed += int((part != other).sum())
            continue
        before, after = _numbers(part), _numbers(other)
        with np.errstate(all="ignore"):
            differs = (before != after) & ~(np.isnan(before) & np.isnan(after))
            finite = np.isfinite(before) & np.isfinite(after)
            changed += int(differs.sum())
            not_finite += int((differs & ~finite).sum())
            distances = np.abs(_distances(part, other, before, after))[finite]
            numbers += distances.size
            largest = max(largest, float(distances.max(initial=0.0)))
            squares += float(np.square(distances).sum())
            # As float64: the squares of large whole numbers are none of their type.
            squares_before += float(np.square(np.abs(before[finite] * 1.0)).sum())
    has_numbers = is_number and numbers > 0
    return ValueChange(
        name,
        int(first.size),
        changed,
        _finite(largest) if has_numbers else None,
        _finite(math.sqrt(squares / numbers)) if has_numbers else None,
        _finite(math.sqrt(squares_before / numbers)) if has_numbers else None,
        not_finite,
    )


def _numbers(values: np.ndarray) -> np.ndarray:
    """Returns numbers of any type as float64, or complex128."""
    if values.dtype.names:  # TensorFlow's quantized types
        values = values[values.dtype.names[0]]
    if values.dtype.kind in "iu" and values.dtype.itemsize == 8:
        return values  # not all of them are float64s
    return values.astype(np.complex128 if values.dtype.kind == "c" else np.float64)


def _distances(
    part: np.ndarray, other: np.ndarray, before: np.ndarray, after: np.ndarray
) -> np.ndarray:
    if before.dtype.kind not in "iu":
        return after - before
    high, low = np.maximum(part, other), np.minimum(part, other)
    return (high.astype(np.uint64) - low.astype(np.uint64)).astype(np.float64)


def _finite(number: float) -> float | None:
    return number if math.isfinite(number) else None


def is_comparable(dtype: str) -> bool:
    """Whether values of a type can be read and compared, which those of objects cannot."""
    return tf.as_dtype(dtype) not in (tf.resource, tf.variant)
