"""An array `[N, D]` on disk in shards of equal numbers of rows."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

_SHARD_BYTES = 8 << 20
_SHARD_ROWS = 4096
"""A kill costs at most the time of a shard."""
_OPEN = 128
"""How many shards are mapped at a time; each takes a file descriptor, of which 1,024 are usual."""


def shard_rows(width: int) -> int:
    """Returns how many rows of `width` float32 values a shard has; the last one may have fewer."""
    return max(1, min(_SHARD_ROWS, _SHARD_BYTES // (4 * max(width, 1))))


class MappedFiles(Sequence[np.ndarray]):
    """Shards that are memory-mapped when they are asked for, and closed when others were since.

    Args:
      paths: the files.
    """

    def __init__(self, paths: Sequence[str]) -> None:
        self._paths = paths
        self._mapped = functools.lru_cache(_OPEN)(functools.partial(np.load, mmap_mode="r"))

    def __len__(self) -> int:
        return len(self._paths)

    def __getitem__(self, number: Any) -> Any:
        """Returns shard `number`, float32 `[R, D]`."""
        return self._mapped(self._paths[number])


@dataclasses.dataclass(frozen=True)
class Shards:
    """Shards as one column of an input.

    Attributes:
      arrays: float32 `[R, D]` each, `R` the same for all but the last.
    """

    arrays: Sequence[np.ndarray]

    @property
    def shape(self) -> tuple[int, ...]:
        """`(N, D)`."""
        rows = len(self.arrays[0]) * (len(self.arrays) - 1) + len(self.arrays[-1])
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
