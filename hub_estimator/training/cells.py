"""The values of a column of a table: as numbers or texts, and how messages speak of one."""

from __future__ import annotations

import contextlib
import dataclasses
import decimal
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import numpy as np

from hub_estimator import errors, texts

_COMMA = "; in numbers a point is before the fraction, and no comma anywhere"
_EXACT = 2.0**53
"""Up to here every whole number is a float64."""


@dataclasses.dataclass(frozen=True)
class Cells:
    """The values of one column, and how messages speak of one.

    Attributes:
      values: one for each row.
      what: what one of them is called before and after its value, such as `"The label"` and `""`.
      place: returns what the place of a value is called.
      error: the class of the errors.
      no_number: what messages say of a value where a number is needed.
    """

    values: Sequence[Any] | np.ndarray
    what: tuple[str, str]
    place: Callable[[int], str]
    error: type[errors.Error]
    no_number: str = "is not a number"

    def split(self) -> list[Cells]:
        """Returns the columns of single values that an array `[N, ...]` is, else only this one."""
        if not isinstance(self.values, np.ndarray) or self.values.ndim < 2:
            return [self]
        flat = self.values.reshape(len(self.values), -1)
        return [dataclasses.replace(self, values=column) for column in flat.T]

    def refuse(self, number: int, why: str) -> NoReturn:
        """Raises the error that value `number` is wrong."""
        value, (before, after) = self.values[number], self.what
        if is_missing(value):
            raise self.error(f"{before}{after} in {self.place(number)} is missing.")
        shown = value.item() if isinstance(value, np.generic) else value
        raise self.error(f"{before} {texts.shown(shown)}{after} in {self.place(number)} {why}.")

    def refuse_as_number(self, number: int) -> NoReturn:
        """Raises the error that value `number` is no number."""
        value = self.values[number]
        has_comma = isinstance(value, str) and is_number(value.replace(",", ""))
        self.refuse(number, f"{self.no_number}{_COMMA if has_comma else ''}")


def side_by_side(columns: Sequence[np.ndarray]) -> np.ndarray:
    """Returns columns `[N]` as `[N, columns]`; a single one stays as it is."""
    return columns[0] if len(columns) == 1 else np.stack(columns, axis=1)


def is_missing(value: Any) -> bool:
    """Whether a value stands for none: an empty text, null, and what pandas has instead."""
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    if isinstance(value, (float, np.floating)):
        return bool(np.isnan(value))
    return isinstance(value, (str, bytes)) and not value


def convert(values: Cells, dtype: np.dtype) -> np.ndarray:
    """Returns values as an array `[N]`; texts are bytes in UTF-8 and of type object.

    Raises:
      errors.Error: one is missing, or cannot be of this type.
    """
    if dtype == object:
        return _texts(values)
    numbers = parse_numbers(values)
    if dtype.kind in "iub":
        numbers = _whole(values, numbers)
    return _cast(values, numbers, dtype)


def parse_numbers(values: Cells) -> np.ndarray:
    """Returns numbers, or texts of numbers, as float64 `[N]`.

    Raises:
      errors.Error: one is missing, or is no finite number.
    """
    raw = values.values
    if isinstance(raw, np.ndarray) and raw.dtype.kind in "fiub":
        numbers = raw.astype(np.float64)
    else:
        numbers = _floats(values)
    if not np.isfinite(numbers).all():
        values.refuse(int(np.argmin(np.isfinite(numbers))), "is not a number")
    return numbers


def is_number(value: Any) -> bool:
    """Whether a value is a number, or a text of one, that a float64 can hold or that is infinite."""
    try:
        float(value)
    except (TypeError, ValueError, OverflowError):
        return False
    return not _has_underscores([value])


def _floats(values: Cells) -> np.ndarray:
    raw = values.values
    with contextlib.suppress(TypeError, ValueError, OverflowError):
        numbers = np.array([float(value) for value in raw], np.float64)
        if not _has_underscores(raw):
            return numbers
    values.refuse_as_number([is_number(value) for value in raw].index(False))


def _has_underscores(values: Sequence[Any] | np.ndarray) -> bool:
    """Whether a value is a number with Python's own separator of thousands, which none else has."""
    try:
        return "_" in "".join(values)
    except TypeError:  # not all are texts
        return any(
            "_" in value if isinstance(value, str) else b"_" in value
            for value in values
            if isinstance(value, (str, bytes))
        )


def _texts(values: Cells) -> np.ndarray:
    # An empty text is a text; only of a number it is the lack.
    encoded = np.empty(len(values.values), object)
    with contextlib.suppress(TypeError, UnicodeEncodeError):
        encoded[:] = [*map(str.encode, values.values)]  # all are texts, as a rule
        return encoded
    for number, value in enumerate(values.values):
        if isinstance(value, bytes):
            encoded[number] = bytes(value)
            continue
        try:
            encoded[number] = value.encode("utf-8")
        except (AttributeError, UnicodeEncodeError):
            values.refuse(number, "is not a text")
    return encoded


def _whole(values: Cells, numbers: np.ndarray) -> np.ndarray:
    fractions = numbers != np.floor(numbers)
    if fractions.any():
        values.refuse(int(np.argmax(fractions)), "is not a whole number")
    if (np.abs(numbers) < _EXACT).all():
        return numbers.astype(np.int64)
    raw = values.values
    if isinstance(raw, np.ndarray) and raw.dtype.kind in "iub":
        return raw
    return np.array([_exact(value) for value in raw], object)


def _exact(value: Any) -> int:
    if isinstance(value, bytes):
        value = value.decode("ascii")
    return int(decimal.Decimal(value) if isinstance(value, str) else value)


def _cast(values: Cells, numbers: np.ndarray, dtype: np.dtype) -> np.ndarray:
    if dtype.kind == "b":
        low, high = 0.0, 1.0
    else:
        limits = np.finfo(dtype) if dtype.kind == "f" else np.iinfo(dtype)
        low, high = limits.min, limits.max
    outside = np.array((numbers < low) | (numbers > high), bool)
    if outside.any():
        values.refuse(int(np.argmax(outside)), f"does not fit {dtype.name}")
    return numbers.astype(dtype)
