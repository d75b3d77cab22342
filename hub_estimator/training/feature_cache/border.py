"""The border of a module's lower part: which tensors it has, and how they follow from what is stored.

Of each example the rows are stored that it has in a tensor. Those of a batch make up the tensor again.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from hub_estimator.training.feature_cache.pieces import Layout
from hub_estimator.training.inputs.values import Column

# How tensors follow from the number of rows of each example, int64 `[B]`.
_RULES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    # int `[B + 1]`, where the rows of each start and the last ends
    "splits": lambda lengths: np.append(0, np.cumsum(lengths)),
    # int `[R]`, the example of each row
    "row_ids": lambda lengths: np.repeat(np.arange(len(lengths)), lengths),
    # int `[R, 2]`, the example of each row, and its number there
    "indices": lambda lengths: np.stack(
        [np.repeat(np.arange(len(lengths)), lengths), places_of(lengths)], axis=1
    ),
}
# The other way round: from such a tensor and `B`.
_LENGTHS: dict[str, Callable[[np.ndarray, int], np.ndarray]] = {
    "splits": lambda values, count: np.diff(values),
    "row_ids": lambda values, count: np.bincount(values, minlength=count),
    "indices": lambda values, count: np.bincount(values[:, 0], minlength=count),
}
RULES = tuple(_RULES)
"""What a tensor can be that follows from the number of rows of each example."""
# An element of a tensor of sizes, from the number of rows of each example.
_SIZES: dict[str, Callable[[np.ndarray], int]] = {
    "examples": len,
    "longest": lambda lengths: int(lengths.max(initial=0)),
    "total": lambda lengths: int(lengths.sum()),
}
SIZES = tuple(_SIZES)
"""What an element of a tensor of sizes can be; other ones are whole numbers."""


def places_of(lengths: np.ndarray) -> np.ndarray:
    """Returns of each row its number within its example, int64 `[R]`."""
    starts = np.cumsum(lengths) - lengths
    return np.arange(int(lengths.sum())) - np.repeat(starts, lengths)


def lengths_of(rule: str, values: np.ndarray, count: int) -> np.ndarray:
    """Returns how many rows each of `count` examples has, int64, from what follows from it."""
    return _LENGTHS[rule](values, count).astype(np.int64)


@dataclasses.dataclass(frozen=True)
class Stored:
    """A tensor of which each example has rows that are stored.

    Attributes:
      tensor: its name in the module's graph.
      dtype: the type of its values.
      inner: the shape of a row.
      group: which lengths it goes by; None has one row for each example.
      is_padded: whether it is `[B, T, ...]`, where shorter examples are filled up, rather than
        `[R, ...]`.
      fill: what fills these up; None where that is anything, and counts for nothing.
    """

    tensor: str
    dtype: str
    inner: tuple[int, ...]
    group: int | None = None
    is_padded: bool = False
    fill: float | None = None

    @property
    def width(self) -> int:
        """`D`, how many values a row has."""
        return int(np.prod(self.inner, dtype=np.int64))

    def column(self, values: Column, lengths: Sequence[np.ndarray]) -> Column:
        """Returns what gives the tensor of a batch.

        Args:
          values: the stored rows, `[R, D]`.
          lengths: the lengths of each group, int64 `[N]`.
        """
        if self.group is None:
            return OneRow(values, self.inner)
        splits = _RULES["splits"](lengths[self.group])
        return Rows(values, splits, self.inner, self.is_padded, self.fill or 0)


@dataclasses.dataclass(frozen=True)
class Derived:
    """A tensor that follows from how many rows each example has.

    Attributes:
      tensor: its name in the module's graph.
      dtype: the type of its values.
      rule: one of `RULES`, or `"sizes"`.
      group: which lengths it follows from.
      sizes: the elements of a tensor of sizes: one of `SIZES`, or a number.
      is_scalar: whether it is one size.
    """

    tensor: str
    dtype: str
    rule: str
    group: int | None = None
    sizes: tuple[int | str, ...] = ()
    is_scalar: bool = False

    def of(self, lengths: np.ndarray) -> np.ndarray:
        """Returns the tensor of a batch.

        Args:
          lengths: the number of rows of each example, int64 `[B]`.
        """
        if self.rule != "sizes":
            return _RULES[self.rule](lengths).astype(self.dtype)
        values = [size if isinstance(size, int) else _SIZES[size](lengths) for size in self.sizes]
        return np.array(values[0] if self.is_scalar else values, self.dtype)

    def column(self, lengths: Sequence[np.ndarray], num_examples: int) -> Column:
        """Returns what gives the tensor of a batch.

        Args:
          lengths: the lengths of each group, int64 `[N]`.
          num_examples: `N`.
        """
        ones = np.ones(num_examples, np.int64)
        return Following(self, ones if self.group is None else lengths[self.group])


@dataclasses.dataclass(frozen=True)
class Source:
    """Where the lengths of a group are seen when the lower part is computed.

    Attributes:
      tensor: the name of a tensor; None takes the lengths of what fills up the features.
      rule: how that follows from them, one of `RULES`.
    """

    tensor: str | None = None
    rule: str = ""


@dataclasses.dataclass(frozen=True)
class Border:
    """The tensors between the lower part of a module and the rest.

    Attributes:
      stored: those whose values are stored.
      derived: the others.
      groups: how the lengths of each group are seen.
    """

    stored: tuple[Stored, ...]
    derived: tuple[Derived, ...]
    groups: tuple[Source, ...]

    @property
    def layout(self) -> Layout:
        """The arrays of an entry: the lengths of each group, and the rows of what is stored."""
        kinds = [np.dtype(np.int64)] * len(self.groups)
        kinds += [np.dtype(stored.dtype) for stored in self.stored]
        lengths = [None] * len(self.groups) + [stored.group for stored in self.stored]
        return Layout(tuple(kinds), tuple(lengths))

    def columns(self, arrays: Sequence[Column], num_examples: int) -> dict[str, Column]:
        """Returns what gives each tensor of a batch, by its name.

        Args:
          arrays: the arrays of an entry.
          num_examples: `N`.

        Raises:
          ValueError: an array is not what it should be.
        """
        count = len(self.groups)
        everything = np.arange(num_examples)
        lengths = [array[everything][:, 0] for array in arrays[:count]]
        found = {}
        for stored, values in zip(self.stored, arrays[count:], strict=True):
            if values.shape[1] != stored.width:
                raise ValueError(
                    f"rows of {values.shape[1]} values are not of shape {stored.inner}"
                )
            found[stored.tensor] = stored.column(values, lengths)
        return found | {
            derived.tensor: derived.column(lengths, num_examples) for derived in self.derived
        }

    def as_json(self) -> Any:
        """Returns it as values of JSON."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, given: Any) -> Border:
        """Returns what `as_json` gave.

        Raises:
          ValueError: it is none.
        """
        try:
            border = cls(
                tuple(
                    Stored(**{**part, "inner": tuple(part["inner"])}) for part in given["stored"]
                ),
                tuple(
                    Derived(**{**part, "sizes": tuple(part["sizes"])}) for part in given["derived"]
                ),
                tuple(Source(**part) for part in given["groups"]),
            )
            is_sound = _is_sound(border)
        except (KeyError, TypeError) as error:
            raise ValueError("it does not say what is stored") from error
        if not is_sound:
            raise ValueError("it does not say what is stored")
        return border


@dataclasses.dataclass(frozen=True)
class OneRow:
    """A tensor `[B, ...]` of which each example has one row.

    Attributes:
      values: `[N, D]`.
      inner: the shape of a row.
    """

    values: Column
    inner: tuple[int, ...]

    @property
    def shape(self) -> tuple[int | None, ...]:
        """`(N, ...)`."""
        return (self.values.shape[0], *self.inner)

    @property
    def dtype(self) -> np.dtype:
        """The type of the values."""
        return self.values.dtype

    def __getitem__(self, rows: np.ndarray) -> np.ndarray:
        """Returns the rows of some examples."""
        return self.values[rows].reshape(len(rows), *self.inner)


@dataclasses.dataclass(frozen=True)
class Rows:
    """A tensor of which each example has any number of rows.

    Attributes:
      values: the rows of all examples, `[R, D]`.
      splits: where those of each start, and the last end, int64 `[N + 1]`.
      inner: the shape of a row.
      is_padded: see `Stored`.
      fill: see `Stored`.
    """

    values: Column
    splits: np.ndarray
    inner: tuple[int, ...]
    is_padded: bool
    fill: float

    @property
    def shape(self) -> tuple[int | None, ...]:
        """`(None, ...)`: of the rows of a batch, or of its examples with the longest's."""
        return (None, None, *self.inner) if self.is_padded else (None, *self.inner)

    @property
    def dtype(self) -> np.dtype:
        """The type of the values."""
        return self.values.dtype

    def __getitem__(self, rows: np.ndarray) -> np.ndarray:
        """Returns the tensor of some examples."""
        lengths = self.splits[rows + 1] - self.splits[rows]
        places = places_of(lengths)
        values = self.values[np.repeat(self.splits[rows], lengths) + places]
        if not self.is_padded:
            return values.reshape(-1, *self.inner)
        shape = (len(rows), int(lengths.max(initial=0)), values.shape[1])
        padded = np.full(shape, self.fill, self.dtype)
        padded[np.repeat(np.arange(len(rows)), lengths), places] = values
        return padded.reshape(*shape[:2], *self.inner)


@dataclasses.dataclass(frozen=True)
class Following:
    """A tensor that follows from how many rows each example has.

    Attributes:
      derived: how.
      lengths: the number of rows of each example, int64 `[N]`.
    """

    derived: Derived
    lengths: np.ndarray

    @property
    def batch_shape(self) -> tuple[int | None, ...]:
        """The shape of the tensor of a batch."""
        if self.derived.rule == "sizes":
            return () if self.derived.is_scalar else (len(self.derived.sizes),)
        return (None, 2) if self.derived.rule == "indices" else (None,)

    @property
    def shape(self) -> tuple[int | None, ...]:
        """`(N,)`."""
        return (len(self.lengths),)

    @property
    def dtype(self) -> np.dtype:
        """The type of the values."""
        return np.dtype(self.derived.dtype)

    def __getitem__(self, rows: np.ndarray) -> np.ndarray:
        """Returns the tensor of some examples."""
        return self.derived.of(self.lengths[rows])


def _is_sound(border: Border) -> bool:
    """Whether all that a border names is there; raises TypeError where a type is none."""
    parts: list[Stored | Derived] = [*border.stored, *border.derived]
    numbers = [np.dtype(part.dtype).kind in "biuf" for part in parts]
    groups = [part.group is None or part.group in range(len(border.groups)) for part in parts]
    rules = [
        derived.group is not None if derived.rule in RULES else derived.rule == "sizes"
        for derived in border.derived
    ]
    sizes = [
        isinstance(size, int) or size in SIZES
        for derived in border.derived
        for size in derived.sizes
    ]
    return all([*numbers, *groups, *rules, *sizes])
