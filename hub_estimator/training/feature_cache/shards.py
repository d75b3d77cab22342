"""An array `[N, D]` on disk in shards."""

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
_HEADER = (
    rb"\x93NUMPY\x01\x00(..)\{'descr': '%s', 'fortran_order': False, "
    rb"'shape': \((\d{1,18}), (\d{1,18})\), \} *\n"
)
_MOST_HEADER = 1024
_FLOAT = np.dtype(np.float32)
_OPEN = 128
"""How many shards are mapped at a time; each takes a file descriptor, of which 1,024 are usual."""


def shard_rows(width: int) -> int:
    """Returns how many rows of `width` float32 values a shard has; the last one may have fewer."""
    return max(1, min(_SHARD_ROWS, _SHARD_BYTES // (4 * max(width, 1))))


def shape(path: str, dtype: np.dtype = _FLOAT) -> tuple[int, int]:
    """Returns `(R, D)` of a shard without loading it, which numpy would as far as the file says.

    Args:
      path: the file.
      dtype: the type of its values.

    Raises:
      ValueError: it is no array of this type, or cut short.
      OSError: it cannot be read here and now.
    """
    with files.open_file(path) as file:
        start = file.read(_MOST_HEADER)
        size = os.fstat(file.fileno()).st_size
    if not start:
        raise ValueError("No data left in file")
    header = re.match(_HEADER % re.escape(dtype.str.encode()), start, re.DOTALL)
    if header is None:
        raise ValueError(f"{os.path.basename(path)!r} is no array [R, D] of {dtype.name}")
    rows, width = int(header[2]), int(header[3])
    whole = 10 + int.from_bytes(header[1], "little") + dtype.itemsize * rows * width
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
        """Returns shard `number`, `[R, D]`."""
        return self._mapped(self._paths[number])


@dataclasses.dataclass(frozen=True)
class Shards:
    """Shards as one column of an input.

    Attributes:
      arrays: `[R, D]` each.
      ends: the number of rows up to the end of each, int64; None where `R` is the same for all but
        the last.
    """

    arrays: Sequence[np.ndarray]
    ends: np.ndarray | None = None

    @functools.cached_property
    def _ends(self) -> np.ndarray:
        if self.ends is not None:
            return self.ends
        rows, count = len(self.arrays[0]), len(self.arrays)
        return np.append(rows * np.arange(1, count), rows * (count - 1) + len(self.arrays[-1]))

    @property
    def shape(self) -> tuple[int, ...]:
        """`(N, D)`."""
        return (int(self._ends[-1]), *self.arrays[0].shape[1:])

    @property
    def dtype(self) -> np.dtype:
        """The type of the values."""
        return self.arrays[0].dtype

    def __getitem__(self, rows: np.ndarray) -> np.ndarray:
        """Returns some rows, `[B, D]`."""
        values = np.empty([len(rows), *self.shape[1:]], self.dtype)
        numbers = np.searchsorted(self._ends, rows, side="right")
        for number in np.unique(numbers):
            chosen = numbers == number
            start = self._ends[number - 1] if number else 0
            values[chosen] = self.arrays[number][rows[chosen] - start]
        return values
