"""Columns of raw values, and what they become: features of the types and shapes of a model."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from hub_estimator import errors, texts
from hub_estimator.training import parsing
from hub_estimator.training.cells import Cells, convert
from hub_estimator.training.inputs.values import Column, Pixels, Ragged

# Columns have names, or numbers from 0 where a file names none.
ColumnName = str | int
# One column; several make one value of each row.
ColumnNames = ColumnName | Sequence[ColumnName]


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
        return f"row {self._number(row)} of {self.name}"

    def chosen(self, rows: np.ndarray) -> Table:
        """Returns a table of some of the rows, int64 `[M]`, which messages call as they do here."""
        columns = {
            name: values[rows] if isinstance(values, np.ndarray) else [values[row] for row in rows]
            for name, values in self.columns.items()
        }
        numbers = [self._number(row) for row in rows.tolist()]
        return dataclasses.replace(self, columns=columns, row_numbers=numbers)

    def _number(self, row: int) -> int:
        return self.row_numbers[row] if self.row_numbers else self.first_row + row


def cells(table: Table, column: ColumnName) -> Cells:
    """Returns a column's values as those of a feature."""
    what = ("The value", f" of {column!r}")
    return Cells(table.columns[column], what, table.place, errors.DataFileError)


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
      errors.PartsMismatchError: the values have another shape, or are texts in place of images.
    """
    dtype = np.dtype(spec.dtype.as_numpy_dtype)
    if isinstance(columns, (str, int)):
        _check_is_no_text_for_an_image(table, name, columns, spec)
        column = _one(cells(table, columns), dtype, parsing.is_image(spec))
    else:
        column = np.stack([convert(cells(table, one), dtype) for one in columns], axis=1)
    return _fitted(table, name, column, spec)


def _check_is_no_text_for_an_image(
    table: Table, name: str, column: ColumnName, spec: tf.TensorSpec
) -> None:
    values, shape = table.columns[column], _shown(spec.shape.as_list())
    if parsing.is_image(spec) and len(values) and isinstance(values[0], (str, bytes)):
        raise errors.PartsMismatchError(
            f"The model takes images as the feature {name!r}, real numbers {shape}, but the column "
            f"{column!r} of {table.name} has texts, such as {texts.shown(values[0], 40)}. "
            "Images come from ImageFolder, with a folder of files for each class, from Records and "
            "TfdsInput, or as pixels from Arrays."
        )


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
        raise errors.PartsMismatchError(
            f"The feature {name!r} of {table.name} has the shape {_shown(column.shape)}, the model "
            f"takes {_shown(spec.shape.as_list())}."
        )
    return column


def _shown(shape: Sequence[int | None]) -> str:
    return (
        f"[{', '.join(['batch', *('any' if size is None else str(size) for size in shape[1:])])}]"
    )
