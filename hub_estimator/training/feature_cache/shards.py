"""An array `[N, D]` on disk in shards of equal numbers of rows."""

from __future__ import annotations

import dataclasses
import functools
import os
import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from hub_estimator import files

_SHARD_BYTES = 8 << 20
_SHARD_ROWS = 4096
"""A kill costs at most the time of a shard."""
# The format of numpy: its mark and version, the length of what follows, and that.
_HEADER = re.compile(
    rb"\x93NUMPY\x01\x00(..)\{'descr': '<f4', 'fortran_order': False, "
    rb"'shape': \((\d{1,18}), (\d{1,18})\), \} *\n",
    re.DOTALL,
)
_MOST_HEADER = 1024
_OPEN = 128
"""How many shards are mapped at a time; each takes a file descriptor, of which 1,024 are usual."""


def shard_rows(width: int) -> int:
    """Returns how many rows of `width` float32 values a shard has; the last one may have fewer."""
    return max(1, min(_SHARD_ROWS, _SHARD_BYTES // (4 * max(width, 1))))


def shape(path: str) -> tuple[int, int]:
    """Returns `(R, D)` of a shard without loading it, which numpy would as far as the file says.

    Raises:
      ValueError: it is no array of float32, or cut short.
      OSError: it cannot be read here and now.
    """
    with files.open_file(path) as file:
        start = file.read(_MOST_HEADER)
        size = os.fstat(file.fileno()).st_size
    if not start:
        raise ValueError("No data left in file")
    header = _HEADER.match(start)
    if header is None:
        raise ValueError(f"{os.path.basename(path)!r} is no array [R, D] of float32")
    rows, width = int(header[2]), int(header[3])
    whole = 10 + int.from_bytes(header[1], "little") + 4 * rows * width
    if size != whole:
        raise ValueError(f"{os.path.basename(path)!r} has {size} bytes, not {whole}")
    return rows, width


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
