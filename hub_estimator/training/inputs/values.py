"""Arrays of which batches are gathered: beside numpy's own, rows of any length and pixels."""

from __future__ import annotations

import dataclasses
from typing import Protocol

import numpy as np

from hub_estimator.digests import Digest


class Column(Protocol):
    """One value for each of `N` examples; an `np.ndarray` is one. Texts are bytes of type object."""

    @property
    def shape(self) -> tuple[int | None, ...]:
        """`N`, and the shape of a value; None where it differs."""

    @property
    def dtype(self) -> np.dtype:
        """The type of the values."""

    def __getitem__(self, rows: np.ndarray, /) -> np.ndarray:
        """Returns the values of some examples, `[B, ...]`."""


def batch_shape(column: Column) -> tuple[int | None, ...]:
    """Returns the shape of what a column gives of a batch, as far as it is always the same.

    Args:
      column: a column; one that gives something else than a value for each example says so itself, by
        `batch_shape`.
    """
    return getattr(column, "batch_shape", (None, *column.shape[1:]))


def add_column(digest: Digest, column: Column) -> None:
    """Adds the values of a column to a digest.

    Args:
      digest: the digest.
      column: an array, or a column that says itself what makes it up, by `add_to`.
    """
    if isinstance(column, np.ndarray):
        digest.add_array(column)
    else:
        column.add_to(digest)  # type: ignore[attr-defined]


@dataclasses.dataclass(frozen=True)
class Ragged:
    """Rows of any length.

    Attributes:
      values: the elements of all rows, one row after the other.
      splits: where each row starts, and where the last ends, int64 `[N + 1]`.
    """

    values: np.ndarray
    splits: np.ndarray

    def add_to(self, digest: Digest) -> None:
        """Adds all values to a digest."""
        digest.add_array(self.values)
        digest.add_array(self.splits)

    @property
    def shape(self) -> tuple[int | None, ...]:
        """`(N, None)`."""
        return (len(self.splits) - 1, None)

    @property
    def dtype(self) -> np.dtype:
        """The type of the elements."""
        return self.values.dtype

    def __getitem__(self, rows: np.ndarray) -> np.ndarray:
        """Returns rows `[B, T]`, `T` that of the longest; shorter ones end with 0, texts with ''."""
        starts = self.splits[rows]
        lengths = self.splits[rows + 1] - starts
        places = np.arange(lengths.max(initial=0))
        there = places < lengths[:, np.newaxis]
        padded = np.full(there.shape, b"" if self.dtype == object else 0, self.dtype)
        padded[there] = self.values[(starts[:, np.newaxis] + places)[there]]
        return padded


@dataclasses.dataclass(frozen=True)
class Pixels:
    """Images of 8 bits, converted to `[0, 1]` when they are needed.

    Attributes:
      values: uint8 `[N, H, W, C]`.
    """

    values: np.ndarray

    def add_to(self, digest: Digest) -> None:
        """Adds all values to a digest."""
        digest.add_array(self.values)

    @property
    def shape(self) -> tuple[int | None, ...]:
        """`(N, H, W, C)`."""
        return self.values.shape

    @property
    def dtype(self) -> np.dtype:
        """float32."""
        return np.dtype(np.float32)

    def __getitem__(self, rows: np.ndarray) -> np.ndarray:
        """Returns images, float32 `[B, H, W, C]` in `[0, 1]`."""
        return self.values[rows].astype(np.float32) / np.float32(255)
