"""Rows that a program has, for prediction: lists, dicts, arrays and pandas frames as one table.

Messages count rows from 1 on, as predictions do.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from hub_estimator import errors, files, texts
from hub_estimator.training.inputs import arrays, columns, data_files, image_headers, image_listing
from hub_estimator.training.inputs.columns import ColumnName, ColumnNames, Table
from hub_estimator.training.inputs.values import Column

WHAT = "the given rows"
_TAKES = "a list of texts, a list of dicts, a dict of columns, or a pandas frame"


def read(rows: Any, names: Sequence[ColumnName]) -> Table:
    """Returns columns of given rows, at least one.

    Args:
      rows: a pandas frame, a dict of columns, a list of dicts, or, of one column, its values.
      names: the columns to read.

    Raises:
      errors.ColumnNotFoundError: a column is missing.
      errors.DataFileError: columns differ in their lengths, or one is there twice.
      errors.InputError: the rows are of another kind.
    """
    if not (_is_frame(rows) or isinstance(rows, Mapping) or _is_listed(rows)):
        raise errors.InputError(f"Rows are {_TAKES}, not {texts.shown(rows)}.")
    if not len(rows):
        return Table(WHAT, {name: [] for name in names})
    if _is_frame(rows):
        found: Mapping[ColumnName, Any] = arrays.frame_columns(rows, names)
    elif isinstance(rows, Mapping):
        found = {name: _of_dict(rows, name) for name in names}
        _check_lengths(found)
    elif any(isinstance(row, Mapping) for row in rows):
        found = {
            name: [_of_row(number, row, name) for number, row in enumerate(rows, 1)]
            for name in names
        }
    elif len(names) == 1:
        found = {names[0]: rows}
    else:
        raise errors.InputError(
            f"The model takes the columns {texts.shown_names(list(map(str, names)))}, so each row "
            f"needs them by name, as in {{{names[0]!r}: ...}}; the first is {texts.shown(rows[0])}."
        )
    return Table(WHAT, found)


def image_contents(table: Table, column: ColumnName) -> np.ndarray | None:
    """Returns the contents of files of images, bytes `[N]`; None where a column has no files.

    Args:
      table: where the column is.
      column: its values are paths, the contents of files as bytes, or something else.

    Raises:
      errors.DataFileError: one is no image, too large, or cannot be read; or only some are files.
    """
    values = table.columns[column]
    are_files = [isinstance(value, (str, bytes, os.PathLike)) for value in values]
    if not any(are_files):
        return None
    if not all(are_files):
        raise errors.DataFileError(
            f"Some images are files and some are arrays: {table.place(are_files.index(False))} is "
            f"{type(values[are_files.index(False)]).__name__}. Give all of one kind."
        )
    contents = [_content(value, table.place(row)) for row, value in enumerate(values)]
    return np.array(contents, object)


def feature(table: Table, name: str, names: ColumnNames, spec: tf.TensorSpec) -> Column:
    """Returns a feature of given rows; see `columns.feature`. Images of equal size may be a list."""
    if isinstance(names, (str, int)) and spec.shape.rank is not None and spec.shape.rank > 2:
        listed = table.columns[names]
        if not isinstance(listed, np.ndarray):
            table = Table(table.name, {names: _stacked(listed, table)})
    return columns.feature(table, name, names, spec)


def _is_frame(rows: Any) -> bool:
    """Whether it is a pandas frame; pandas is an extra."""
    return hasattr(rows, "columns") and hasattr(rows, "iloc")


def _is_listed(values: Any) -> bool:
    return isinstance(values, (list, tuple, np.ndarray)) and getattr(values, "ndim", 1) > 0


def _of_dict(rows: Mapping[Any, Any], name: ColumnName) -> Any:
    if name not in rows:
        there = texts.shown_names(list(map(str, rows)))
        raise errors.ColumnNotFoundError(
            f"The given rows have no column {name!r}. They have: {there}."
        )
    values = rows[name]
    if hasattr(values, "to_numpy"):  # a column of a frame
        values = arrays.plain_values(values.to_numpy())
    if not _is_listed(values):
        raise errors.InputError(
            f"The column {name!r} of the given rows is {texts.shown(values)}; give it a list or an array."
        )
    return values


def _of_row(number: int, row: Any, name: ColumnName) -> Any:
    if not isinstance(row, Mapping):
        raise errors.InputError(
            f"Row {number} of the given rows is {texts.shown(row)}, and another one is a dict. Give all "
            "of one kind."
        )
    if name not in row:
        there = texts.shown_names(list(map(str, row))) or "nothing"
        raise errors.ColumnNotFoundError(
            f"Row {number} of the given rows has no {name!r}. It has: {there}."
        )
    return row[name]


def _check_lengths(found: Mapping[ColumnName, Any]) -> None:
    lengths = {name: len(values) for name, values in found.items()}
    if len(set(lengths.values())) > 1:
        shown = ", ".join(f"{name!r} has {length}" for name, length in lengths.items())
        raise errors.DataFileError(f"The columns of the given rows differ in length: {shown}.")


def _stacked(values: Iterable[Any], table: Table) -> np.ndarray:
    found = [np.asarray(value) for value in values]
    for row, value in enumerate(found):
        if value.shape != found[0].shape:
            raise errors.DataFileError(
                f"The arrays of {WHAT} differ in shape: {list(found[0].shape)} in {table.place(0)}, "
                f"{list(value.shape)} in {table.place(row)}."
            )
    return np.stack(found)


def _content(value: Any, where: str) -> bytes:
    """Returns the content of a file of an image that can be decoded."""
    if not isinstance(value, bytes):
        path = files.as_path(value)
        image_listing.check_headers([path])
        with data_files.reading("image file", path):
            return files.read_bytes(path)
    problem = image_headers.problem(io.BytesIO(value))
    if problem:
        raise errors.DataFileError(f"The image in {where} {problem}.")
    return value
