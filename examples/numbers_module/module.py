"""A module for columns of numbers: each gets mean 0 and standard deviation 1."""

from __future__ import annotations

import csv
import io
import logging
import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf

import hub_estimator as hub
from examples import publishing
from hub_estimator import errors, files

tf1 = tf.compat.v1
_logger = logging.getLogger("hub_estimator")  # shown like the package's own log
_NO_FILE = "There is no table %s."
_NOT_A_TABLE = "%s is no CSV file in UTF-8: %s."
_NO_COLUMN = "The table %s has no column %r. Its first row names: %s."
_COLUMN_TWICE = "The table %s has the column %r twice. Rename one of them."
_NOT_A_NUMBER = "%s, row %d: the column %r has %r, which is no number."
_ALL_THE_SAME = "The column %r of %s has the same number in all rows. Leave it out."


class TableNotFoundError(errors.Error, FileNotFoundError):
    """The table is not where it should be."""


class TableError(errors.Error, ValueError):
    """A table lacks a column, or a column is not one of different numbers."""


class Statistics(NamedTuple):
    """What is known of the columns of a table.

    Attributes:
      columns: their `D` names.
      means: float32 `[D]`.
      deviations: the standard deviations, float32 `[D]`.
    """

    columns: list[str]
    means: np.ndarray
    deviations: np.ndarray


def measure(path: files.PathLike, columns: Sequence[str]) -> Statistics:
    """Measures columns of a CSV file in UTF-8 whose first row has their names.

    Raises:
      TableNotFoundError: there is no such file.
      TableError: a column is missing, has something else than numbers, or always the same one.
    """
    path = files.as_path(path)
    names, table = _read(path)
    for column in columns:
        if column not in names:
            raise TableError(_NO_COLUMN % (path, column, ", ".join(names)))
        if names.count(column) > 1:
            raise TableError(_COLUMN_TWICE % (path, column))
    rows = [
        [_number(row[column], path, number, column) for column in columns]
        for number, row in enumerate(table, start=2)
    ]
    values = np.array(rows, np.float64).reshape([-1, len(columns)])
    for column, numbers in zip(columns, values.T, strict=True):
        if not len(numbers) or np.ptp(numbers) == 0:
            raise TableError(_ALL_THE_SAME % (column, path))
    means, deviations = values.mean(axis=0), values.std(axis=0)
    return Statistics(list(columns), means.astype(np.float32), deviations.astype(np.float32))


def _read(path: str) -> tuple[list[str], list[dict[str, str]]]:
    if not files.exists(path):
        raise TableNotFoundError(_NO_FILE % path)
    try:
        text = files.read_bytes(path).decode("utf-8-sig")
        table = csv.DictReader(io.StringIO(text, newline=""), strict=True)
        rows = list(table)
    except (UnicodeDecodeError, csv.Error) as error:
        raise TableError(_NOT_A_TABLE % (path, error)) from error
    return list(table.fieldnames or []), rows


def _number(text: str | None, path: str, row: int, column: str) -> float:
    try:
        number = float(text or "")
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise TableError(_NOT_A_NUMBER % (path, row, column, text))
    return number


def module_fn(columns: Sequence[str]) -> None:
    """Builds the module's graph: `(x - mean) / deviation`.

    Its default signature takes `numbers`, float32 `[B, D]`, and gives the same shape. The signature
    `columns` has no input and gives the names of the `D` columns, string `[D]`, in their order.
    """
    numbers = tf1.placeholder(tf.float32, [None, len(columns)], name="numbers")
    # Not trained: what they are is known.
    mean, deviation = (
        tf1.get_variable(name, [len(columns)], trainable=False) for name in ("mean", "deviation")
    )
    hub.add_signature(inputs={"numbers": numbers}, outputs=(numbers - mean) / deviation)
    hub.add_signature("columns", outputs=tf.constant(list(columns)))


def publish(statistics: Statistics, export_path: files.PathLike) -> str:
    """Publishes a module that standardizes these columns; returns its folder.

    Raises:
      publishing.ModuleExistsError: there is a module.
    """
    spec = hub.create_module_spec(module_fn, [(set(), {"columns": statistics.columns})])
    values = {"mean": statistics.means, "deviation": statistics.deviations}
    path = publishing.publish(spec, export_path, values)
    _logger.info("Published %d columns as the module %s.", len(statistics.columns), path)
    return path
