"""What is computed of each example, once."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

import numpy as np

from hub_estimator.training.feature_cache.pieces import Piece

# The values of a batch by feature name, `[B, ...]`.
Features = dict[str, np.ndarray]

# What sums in another order may differ by; what chance makes differs by more.
_RELATIVE, _ABSOLUTE = 1e-3, 1e-5


class NotStorableError(Exception):
    """What was computed cannot stand for what each step would compute; the message says why."""


class Work(Protocol):
    """Something that is computed of each example."""

    @property
    def what(self) -> str:
        """What lines of progress call it."""

    @property
    def about(self) -> str:
        """What tells people what an entry is."""

    @property
    def contents(self) -> Any:
        """What an entry says of its arrays, as values of JSON; None says nothing."""

    @property
    def width(self) -> int:
        """About how many values of four bytes an example has."""

    def piece(self, session: Any, features: Features) -> Piece:
        """Computes a batch; several threads may do so at once.

        Args:
          session: a session of the graph.
          features: the batch.

        Raises:
          NotStorableError: it is not one for each example.
        """

    def check(self, session: Any, features: Features, piece: Piece, is_first: bool) -> None:
        """Checks what was computed of a batch.

        Args:
          session: a session of the graph.
          features: the batch.
          piece: what was computed of it.
          is_first: whether it is the first batch.

        Raises:
          NotStorableError: chance or other examples are in it.
        """


@runtime_checkable
class Exploring(Protocol):
    """Work that finds out from the data what it is."""

    def explore(self, session: Any, features: Features) -> None:
        """Finds out, before all else.

        Args:
          session: a session of the graph.
          features: the first batch.

        Raises:
          NotStorableError: nothing can be stored.
        """


def are_close(values: np.ndarray, others: np.ndarray) -> bool:
    """Whether two arrays of numbers are equal but for the order in which sums were made."""
    if values.shape != others.shape:
        return False
    if values.dtype.kind != "f":
        return np.array_equal(values, others)
    # What is near zero is as exact as what it was summed from, not as itself.
    scale = np.abs(others[np.isfinite(others)]).max(initial=1)
    return np.allclose(values, others, _RELATIVE, _ABSOLUTE * scale, equal_nan=True)
