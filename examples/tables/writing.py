"""Tables on disk: rows to train on and held-out ones, both files or neither."""

from __future__ import annotations

import csv
import io
import logging
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from hub_estimator import files

_logger = logging.getLogger("hub_estimator")  # shown like the package's own log
_NAMES = ("train.csv", "test.csv")


class Tables(NamedTuple):
    """Two tables with the same columns.

    Attributes:
      columns: the names of the columns.
      train: the rows to train on.
      test: held-out rows.
    """

    columns: Sequence[str]
    train: Sequence[Sequence[Any]]
    test: Sequence[Sequence[Any]]


def write_tables(
    folder: files.PathLike, make: Callable[[], Tables], source: files.PathLike | None = None
) -> str:
    """Writes `train.csv` and `test.csv`; a folder that has both is left as it is.

    Args:
      folder: where they go.
      make: makes the tables, where they are not there yet.
      source: the file that they are made from; None is an installed one.

    Returns:
      The folder's path.

    Raises:
      errors.OutputIsInputError: one of them is the source.
    """
    folder = files.as_path(folder)
    reads = [] if source is None else [("the source", files.as_path(source))]
    for name in _NAMES:
        files.check_output("The table", files.join(folder, name), reads)
    if all(files.exists(files.join(folder, name)) for name in _NAMES):
        _logger.info("The tables are in %s already.", folder)
        return folder
    tables = make()
    with files.whole_folder(folder, last=_NAMES[-1]) as scratch:
        for name, rows in zip(_NAMES, (tables.train, tables.test), strict=True):
            files.write_text(files.join(scratch, name), _as_csv(tables.columns, rows))
    counts = (len(tables.train), len(tables.test), folder)
    _logger.info("Wrote %d rows to train on and %d held-out ones to %s.", *counts)
    return folder


def _as_csv(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    content = io.StringIO(newline="")
    writer = csv.writer(content, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return content.getvalue()
