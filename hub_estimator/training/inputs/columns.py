"""Columns of raw values, and what they become: features of the types and shapes of a model."""

from __future__ import annotations

import contextlib
import dataclasses
import decimal
import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

import numpy as np
import tensorflow as tf

from hub_estimator import errors, texts
from hub_estimator.training import parsing
from hub_estimator.training.inputs.values import Column, Pixels, Ragged

# Columns have names, or numbers from 0 where a file names none.
ColumnName = str | int
# One column; several make one value of each row.
ColumnNames = ColumnName | Sequence[ColumnName]

_COMMA = "; in numbers a point is before the fraction, and no comma anywhere"
_EXACT = 2.0**53
"""Up to here every whole number is a float64."""


@dataclasses.dataclass(frozen=True)
class Table:
    """Columns of equal length.

    Attributes:
      name: what messages call it, such as `'reviews.csv'`.
      columns: the raw values of each column: texts, numbers, lists of them, or an array `[N, ...]`.
      first_row: the number that messages give the first row.
      row_numbers: those of each row, where some are left out.
    """

    name: str
    columns: Mapping[ColumnName, Sequence[Any] | np.ndarray]
    first_row: int = 1
    row_numbers: Sequence[int] | None = None

    def __len__(self) -> int:
        """The number of rows, `N`."""
        return len(next(iter(self.columns.values())))

    def place(self, row: int) -> str:
        """Returns what messages call a row."""
        number = self.row_numbers[row] if self.row_numbers else self.first_row + row
        return f"row {number} of {self.name}"


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


def cells(table: Table, column: ColumnName) -> Cells:
    """Returns a column's values as those of a feature."""
    what = ("The value", f" of {column!r}")
    return Cells(table.columns[column], what, table.place, errors.DataFileError)


def is_missing(value: Any) -> bool:
    """Whether a value stands for none: an empty text, null, and what pandas has instead."""
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    if isinstance(value, (float, np.floating)):
        return bool(np.isnan(value))
    return isinstance(value, (str, bytes)) and not value


def feature(table: Table, name: str, columns: ColumnNames, spec: tf.TensorSpec) -> Column:
    """Makes a feature of a column, or of several side by side.

    Args:
      table: where the columns are.
      name: the feature, for messages.
      columns: the columns. Of one column that holds lists, each list is a row of the feature.
      spec: the type and the shape that the model takes, the batch `B` as first dimension.

    Returns:
      The values of all rows, of this type and shape.

    Raises:
      errors.DataFileError: a value is missing or of another type; the message says where.
      errors.ModelError: the values have another shape.
    """
    dtype = np.dtype(spec.dtype.as_numpy_dtype)
    if isinstance(columns, (str, int)):
        column = _one(cells(table, columns), dtype, parsing.is_image(spec))
    else:
        column = np.stack([convert(cells(table, each), dtype) for each in columns], axis=1)
    return _fitted(table, name, column, spec)


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
        numbers = np.array([float(each) for each in raw], np.float64)
        if not _has_underscores(raw):
            return numbers
    values.refuse_as_number([is_number(each) for each in raw].index(False))


def _has_underscores(values: Sequence[Any] | np.ndarray) -> bool:
    """Whether a value is a number with Python's own separator of thousands, which none else has."""
    try:
        return "_" in "".join(values)
    except TypeError:  # not all are texts
        return any(
            "_" in each if isinstance(each, str) else b"_" in each
            for each in values
            if isinstance(each, (str, bytes))
        )


def _texts(values: Cells) -> np.ndarray:
    # An empty text is a text; only of a number it is the lack.
    encoded = np.empty(len(values.values), object)
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
    return np.array([_exact(each) for each in raw], object)


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


def _one(values: Cells, dtype: np.dtype, is_image: bool) -> Column:
    raw = values.values
    if isinstance(raw, np.ndarray) and raw.ndim > 1:
        if is_image and raw.dtype == np.uint8:
            return Pixels(raw)
        size = int(np.prod(raw.shape[1:]))
        flat = dataclasses.replace(
            values, values=raw.reshape(-1), place=lambda number: values.place(number // size)
        )
        return convert(flat, dtype).reshape(raw.shape)
    if len(raw) and isinstance(raw[0], (list, tuple, np.ndarray)):
        return _rows(values, dtype)
    return convert(values, dtype)


def _rows(values: Cells, dtype: np.dtype) -> Ragged:
    for number, row in enumerate(values.values):
        if not isinstance(row, (list, tuple, np.ndarray)):
            values.refuse(number, "is not a list, as that of the first row is")
    splits = np.cumsum([0, *(len(row) for row in values.values)], dtype=np.int64)
    elements = dataclasses.replace(
        values,
        values=list(itertools.chain.from_iterable(values.values)),
        place=lambda number: values.place(int(np.searchsorted(splits, number, "right")) - 1),
    )
    return Ragged(convert(elements, dtype), splits)


def _fitted(table: Table, name: str, column: Column, spec: tf.TensorSpec) -> Column:
    wanted = spec.shape[1:] if spec.shape.rank else tf.TensorShape(None)
    if isinstance(column, Ragged) and wanted.rank == 1 and wanted[0] is not None:
        lengths = np.diff(column.splits)
        if (lengths != wanted[0]).any():
            row = int(np.argmax(lengths != wanted[0]))
            raise errors.DataFileError(
                f"The feature {name!r} has {lengths[row]} values in {table.place(row)}, the model "
                f"takes {wanted[0]}."
            )
        return column.values.reshape(-1, wanted[0])
    if isinstance(column, np.ndarray) and column.ndim == 1 and wanted.rank == 1:
        column = column[:, np.newaxis]
    if not wanted.is_compatible_with(tf.TensorShape(column.shape[1:])):
        raise errors.ModelError(
            f"The feature {name!r} of {table.name} has the shape {_shown(column.shape)}, the model "
            f"takes {_shown(spec.shape.as_list())}."
        )
    return column


def _shown(shape: Sequence[int | None]) -> str:
    return (
        f"[{', '.join(['batch', *('any' if each is None else str(each) for each in shape[1:])])}]"
    )
