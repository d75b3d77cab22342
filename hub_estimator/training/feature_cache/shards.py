"""An array `[N, D]` on disk in shards of equal numbers of rows."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

_SHARD_BYTES = 8 << 20
_SHARD_ROWS = 4096
"""A kill costs at most the time of a shard."""


def shard_rows(width: int) -> int:
    """Returns how many rows of `width` float32 values a shard has; the last one may have fewer."""
    return max(1, min(_SHARD_ROWS, _SHARD_BYTES // (4 * max(width, 1))))


@dataclasses.dataclass(frozen=True)
class Shards:
    """Memory-mapped shards as one column of an input.

    Attributes:
      arrays: float32 `[R, D]` each, `R` the same for all but the last.
    """

    arrays: Sequence[np.ndarray]

    @property
    def shape(self) -> tuple[int, ...]:
        """`(N, D)`."""
        rows = sum(len(array) for array in self.arrays)
        return (rows, *self.arrays[0].shape[1:])

    @property
    def dtype(self) -> np.dtype:
        """float32."""
        return self.arrays[0].dtype

    def __getitem__(self, rows: np.ndarray) -> np.ndarray:
        """Returns some rows, float32 `[B, D]`."""
        values = np.empty([len(rows), *self.shape[1:]], self.dtype)
        numbers, offsets = np.divmod(rows, len(self.arrays[0]))
        for number in np.unique(numbers):
            chosen = numbers == number
            values[chosen] = self.arrays[number][offsets[chosen]]
        return values
