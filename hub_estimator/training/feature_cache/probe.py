"""Finds out how tensors inside of a module follow from examples, by running some of these.

A few examples run by themselves and together. What is found out is checked again wherever all of the
data is computed.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from hub_estimator.training.feature_cache.border import (
    RULES,
    SIZES,
    Border,
    Derived,
    Source,
    Stored,
    lengths_of,
)
from hub_estimator.training.feature_cache.work import are_close

Values = Mapping[str, np.ndarray]
_MOST_SIZES = 8
_FLAT = {"splits": 1, "row_ids": 1, "indices": 2}


@dataclasses.dataclass(frozen=True)
class Seen:
    """The tensors of some of the examples.

    Attributes:
      examples: their numbers, int64 `[B]`.
      values: the tensors by name.
    """

    examples: np.ndarray
    values: Values


@dataclasses.dataclass(frozen=True)
class Found:
    """How a tensor follows from examples.

    Attributes:
      kind: how.
      size: how many bytes of it an example has on average.
    """

    kind: Stored | Derived
    size: float


class Probe:
    """Tensors of `K` examples.

    Args:
      singles: the tensors of each by itself.
      together: those of several.
      filled: how much of each example is not what fills it up, int64 `[K]`; None where that is not
        known.

    Attributes:
      found: what was found out of each tensor; those of which nothing was are not in it.
      groups: the groups of lengths that its kinds go by.
    """

    def __init__(
        self, singles: Sequence[Values], together: Sequence[Seen], filled: np.ndarray | None
    ) -> None:
        self._singles = singles
        alone = [Seen(np.array([number]), values) for number, values in enumerate(singles)]
        self._seen = [*together, *alone]
        self._lengths: list[np.ndarray] = []
        self.groups: list[Source] = []
        names = sorted(singles[0])
        for name, rule in itertools.product(names, RULES):
            self._add_group(name, rule)
        self._filled = len(self.groups)
        if filled is not None:
            self.groups.append(Source())
            self._lengths.append(filled)
        kinds = {name: self._kind(name) for name in names}
        self.found = {name: kind for name, kind in kinds.items() if kind is not None}

    def border(self, tensors: Sequence[str]) -> Border:
        """Returns the border that consists of some of the tensors, with the groups that it needs."""
        kinds = [self.found[name].kind for name in tensors]
        used = sorted({kind.group for kind in kinds if kind.group is not None})
        numbers = {None: None} | {group: number for number, group in enumerate(used)}
        kinds = [dataclasses.replace(kind, group=numbers[kind.group]) for kind in kinds]
        derived = tuple(kind for kind in kinds if isinstance(kind, Derived))
        groups = [self.groups[group] for group in used]
        for kind in derived:
            # What is on the border itself is right for other examples, too, in which lengths differ
            # that are equal here: of texts without words.
            if kind.rule in RULES and kind.group is not None:
                groups[kind.group] = Source(kind.tensor, kind.rule)
        stored = tuple(kind for kind in kinds if isinstance(kind, Stored))
        return Border(stored, derived, tuple(groups))

    def _add_group(self, name: str, rule: str) -> None:
        """Adds the lengths that a tensor tells, if it does, and no other one tells them."""
        seen = self._seen[0]
        values, count = seen.values[name], len(seen.examples)
        if values.dtype.kind not in "iu" or values.ndim != _FLAT[rule]:
            return
        rows = values if values.ndim == 1 else values[:, 0]
        if rule == "indices" and values.shape[1] != 2:
            return
        if rule == "splits":
            if len(rows) != count + 1 or (np.diff(rows) < 0).any():
                return
        elif rows.size and not 0 <= rows.min() <= rows.max() < count:
            return
        by_place = lengths_of(rule, values, count)
        lengths = np.empty_like(by_place)
        lengths[seen.examples] = by_place
        if any(np.array_equal(lengths, others) for others in self._lengths):
            return
        if self._follows(name, Derived(name, values.dtype.str, rule), lengths):
            self.groups.append(Source(name, rule))
            self._lengths.append(lengths)

    def _kind(self, name: str) -> Found | None:
        derived = next(self._derived(name), None)
        if derived is not None:
            return Found(derived, 0.0)
        for stored, values in self._stored(name):
            if self._makes_up(name, stored, values):
                filled = dataclasses.replace(stored, fill=self._fill(stored))
                return Found(filled, values.nbytes / len(self._singles))
        return None

    def _fill(self, stored: Stored) -> float | None:
        """Returns what fills a tensor up, where that is always the same; else None."""
        if not stored.is_padded:
            return None
        found = [seen.values[stored.tensor][~self._is_there(stored, seen)] for seen in self._seen]
        values = np.unique(np.concatenate(found))
        return values[0].item() if len(values) == 1 and np.isfinite(values[0]) else None

    def _is_there(self, stored: Stored, seen: Seen) -> np.ndarray:
        """Returns which places of a tensor are not filled up, bool `[B, T]`."""
        lengths = self._lengths[stored.group or 0][seen.examples]
        return np.arange(seen.values[stored.tensor].shape[1]) < lengths[:, np.newaxis]

    def _derived(self, name: str) -> Iterator[Derived]:
        """Gives the ways in which a tensor follows from lengths alone."""
        values = self._singles[0][name]
        if values.dtype.kind not in "iu":
            return
        for rule, (group, lengths) in itertools.product(RULES, enumerate(self._lengths)):
            derived = Derived(name, values.dtype.str, rule, group)
            if self._follows(name, derived, lengths):
                yield derived
        if values.ndim < 2 and values.size <= _MOST_SIZES:
            yield from self._sizes(name)

    def _sizes(self, name: str) -> Iterator[Derived]:
        arrays = [seen.values[name] for seen in self._seen]
        if len({array.shape for array in arrays}) > 1:
            return
        is_scalar = arrays[0].ndim == 0
        columns = np.stack(arrays).reshape(len(arrays), -1).T
        for group, lengths in [(None, None), *enumerate(self._lengths)]:
            sizes = [self._size(column, lengths) for column in columns]
            if all(size is not None for size in sizes) and any(
                isinstance(size, str) for size in sizes
            ):
                yield Derived(name, arrays[0].dtype.str, "sizes", group, tuple(sizes), is_scalar)  # type: ignore[arg-type]

    def _size(self, column: np.ndarray, lengths: np.ndarray | None) -> int | str | None:
        """Returns what an element is in each of what was seen."""
        for size in SIZES if lengths is not None else ("examples",):
            expected = [
                Derived("", "<i8", "sizes", None, (size,), True).of(
                    seen.examples if lengths is None else lengths[seen.examples]
                )
                for seen in self._seen
            ]
            if np.array_equal(column, expected):
                return size
        return int(column[0]) if (column == column[0]).all() else None

    def _follows(self, name: str, derived: Derived, lengths: np.ndarray) -> bool:
        return all(
            np.array_equal(seen.values[name], derived.of(lengths[seen.examples]))
            for seen in self._seen
        )

    def _stored(self, name: str) -> Iterator[tuple[Stored, np.ndarray]]:
        """Gives the ways in which a tensor may be made up of rows, and the rows of all examples."""
        arrays = [values[name] for values in self._singles]
        dtype = arrays[0].dtype
        if dtype.kind not in "biuf" or len({array.ndim for array in arrays}) > 1:
            return
        if arrays[0].ndim and len({array.shape[1:] for array in arrays}) == 1:
            lengths, inner = np.array([len(array) for array in arrays]), arrays[0].shape[1:]
            rows = np.concatenate(arrays)
            for group in self._groups_of(lengths, range(self._filled)):
                yield Stored(name, dtype.str, inner, group), rows
            if (lengths == 1).all():
                yield Stored(name, dtype.str, inner), rows
        is_row = arrays[0].ndim > 1 and all(len(array) == 1 for array in arrays)
        if is_row and len({array.shape[2:] for array in arrays}) == 1:
            lengths, inner = np.array([array.shape[1] for array in arrays]), arrays[0].shape[2:]
            rows = np.concatenate([array[0] for array in arrays])
            for group in self._groups_of(lengths, range(self._filled, len(self.groups))):
                yield Stored(name, dtype.str, inner, group, is_padded=True), rows

    def _groups_of(self, lengths: np.ndarray, groups: Sequence[int]) -> list[int]:
        return [group for group in groups if np.array_equal(self._lengths[group], lengths)]

    def _makes_up(self, name: str, stored: Stored, rows: np.ndarray) -> bool:
        column = stored.column(rows.reshape(len(rows), stored.width), self._lengths)
        for seen in self._seen:
            values, made = seen.values[name], column[seen.examples]
            if stored.is_padded and values.shape == made.shape:
                there = self._is_there(stored, seen)
                values, made = values[there], made[there]
            if not are_close(values, made):
                return False
        return True


def probe(
    run: Callable[[Sequence[int]], Values], rows: Sequence[int], filled: np.ndarray | None
) -> Probe:
    """Runs some examples by themselves and together.

    Args:
      run: gives the tensors of examples of a batch.
      rows: the examples, at least two.
      filled: how much of each example of the batch is not what fills it up; None is not known.
    """
    numbers = np.arange(len(rows))
    orders = [numbers, numbers[::-2]]
    together = [Seen(order, run([rows[number] for number in order])) for order in orders]
    singles = [run([row]) for row in rows]
    return Probe(singles, together, None if filled is None else filled[list(rows)])
