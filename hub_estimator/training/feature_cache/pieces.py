"""What some examples in a row have of each array of an entry."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np


@dataclasses.dataclass(frozen=True)
class Layout:
    """The arrays of an entry, by their numbers.

    Attributes:
      dtypes: the type of each.
      lengths: which array says how many rows each example has in this one; None where it is one row.
        It is int64 `[N, 1]` itself, and the array 0 always has one row for each example.
    """

    dtypes: tuple[np.dtype, ...] = (np.dtype(np.float32),)
    lengths: tuple[int | None, ...] = (None,)


@dataclasses.dataclass(frozen=True)
class Piece:
    """The rows of some examples.

    Attributes:
      layout: what the arrays are.
      arrays: `[R, D]` each.
    """

    layout: Layout
    arrays: tuple[np.ndarray, ...]

    def __len__(self) -> int:
        """The number of examples."""
        return len(self.arrays[0])

    def between(self, start: int, end: int) -> Piece:
        """Returns the rows of the examples from `start` to `end`."""
        return Piece(
            self.layout,
            tuple(
                array[slice(*self._rows(number, start, end))]
                for number, array in enumerate(self.arrays)
            ),
        )

    def _rows(self, number: int, start: int, end: int) -> tuple[int, int]:
        lengths = self.layout.lengths[number]
        if lengths is None:
            return start, end
        counts = self.arrays[lengths][:, 0]
        before = int(counts[:start].sum())
        return before, before + int(counts[start:end].sum())


def joined(pieces: Sequence[Piece]) -> Piece:
    """Returns the rows of several pieces, one after the other."""
    arrays = zip(*(piece.arrays for piece in pieces), strict=True)
    return Piece(pieces[0].layout, tuple(map(np.concatenate, arrays)))
