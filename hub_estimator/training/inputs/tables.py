"""Tables of text and labels in CSV and TSV files, read whole and checked before anything runs."""

from __future__ import annotations

import contextlib
import csv
import itertools
import operator
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from hub_estimator import errors, files, texts
from hub_estimator.training.inputs import data_text, formats

if TYPE_CHECKING:  # it brings TensorFlow
    from hub_estimator.training.inputs.columns import ColumnName

_DELIMITERS = ",;\t|"
# How many rows are taken at once, fewer than make Python look for garbage among them; but for the first
# ones, since some ask for no more.
_AT_ONCE = 500
_ONE_BY_ONE = 2
_FIRST_PART = 10_000  # characters, up to the end of their line
# What Python's `csv` says, and what is meant.
_MEANT = {
    "unexpected end of data": "unexpected end of data; a quote opens in this row and never closes",
    "new-line character seen in unquoted field": (
        "a carriage return (\\r) stands alone in it; put the field into quotes, or end lines as "
        "others are"
    ),
}


def read_columns(
    path: files.PathLike,
    columns: Sequence[ColumnName],
    delimiter: str | None = None,
    header: bool = True,
) -> dict[ColumnName, list[str]]:
    """Reads columns of a delimited text file in UTF-8.

    Lines end with `\\n` or `\\r\\n`; with `\\r` where the whole file has no `\\n`. Blank lines at the end
    are no rows. A column's name may have spaces around it that `columns` has not.

    Args:
      path: the file; gzip is recognized by its content.
      columns: the names of the columns to read; their numbers from 0 where the file has no names.
      delimiter: what separates the fields; None is a tab for `.tsv` and `.tsv.gz`, else a comma.
        Where it is a tab, quotes are letters like others; elsewhere they enclose a field.
      header: whether the first row names the columns.

    Returns:
      The fields of each column, in the order of the rows.

    Raises:
      errors.DataFileNotFoundError: there is no such file.
      errors.DataFileError: it cannot be read, is of another format, has no rows, a row of another
        length, or names a column twice.
      errors.ColumnNotFoundError: it has no such column.
    """
    path = files.as_path(path)
    with _reading(path, delimiter) as blocks:
        first = _first(path, blocks, header)
        places = {column: _place(path, column, first, header) for column in columns}
        has_any, fields = False, {column: list[str]() for column in columns}
        for block in blocks if header else itertools.chain([[first]], blocks):
            has_any = True
            for column, place in places.items():
                fields[column] += map(operator.itemgetter(place), block)
        _check_has_rows(path, has_any)
        return fields


def check_columns(
    path: str, columns: Sequence[ColumnName], delimiter: str | None = None, header: bool = True
) -> None:
    """Checks that a file has columns and a row, as `read_columns` does, but not its further rows.

    Raises:
      errors.Error: see `read_columns`.
    """
    with _reading(path, delimiter) as blocks:
        first = _first(path, blocks, header)
        for column in columns:
            _place(path, column, first, header)
        _check_has_rows(path, not header or next(blocks, None) is not None)


@contextlib.contextmanager
def _reading(path: str, delimiter: str | None) -> Iterator[Iterator[list[list[str]]]]:
    """Gives the rows of a file, see `_blocks`, for the time of a `with` block."""
    if delimiter is None:
        delimiter = "\t" if path.removesuffix(".gz").endswith(".tsv") else ","
    text = data_text.read(path, formats.TABLE)
    try:
        with _fields_of_any_length(text):
            yield _blocks(path, text, delimiter)
    except (errors.DataFileError, errors.ColumnNotFoundError):
        formats.refuse_other(path, text, formats.TABLE)
        raise


def _first(path: str, blocks: Iterator[list[list[str]]], header: bool) -> list[str]:
    block = next(blocks, None)
    if block is None:
        raise errors.DataFileError(f"The data file {path!r} is empty.")
    first = block[0]
    if header and not any(first):
        raise errors.DataFileError(
            f"The first line of the data file {path!r} is blank; it must name the columns."
        )
    return first


def _check_has_rows(path: str, has_any: bool) -> None:
    if not has_any:
        raise errors.DataFileError(f"The data file {path!r} has column names, but no rows.")


def _place(path: str, column: ColumnName, first: list[str], header: bool) -> int:
    if not header:
        if isinstance(column, int) and column < len(first):
            return column
        there = f"Without names (header=False), its columns are 0 to {len(first) - 1}."
        raise _not_there(path, column, there)
    found = [place for place, name in enumerate(first) if name == column]
    # Spreadsheets show no spaces.
    found = found or [place for place, name in enumerate(first) if _bare(name) == _bare(column)]
    if len(found) > 1:
        places = ", ".join(str(place + 1) for place in found)
        raise errors.DataFileError(
            f"The data file {path!r} has the column {column!r} {len(found)} times (columns {places}):"
            " rename or remove all but one."
        )
    if not found:
        there = f"Its first row names: {texts.shown_names(first)}.{_other_delimiter(column, first)}"
        raise _not_there(path, column, there)
    return found[0]


def _bare(name: ColumnName) -> ColumnName:
    """Returns a name without spaces around it, and without further marks of the byte order."""
    return name.strip().strip("\ufeff").strip() if isinstance(name, str) else name


def _not_there(path: str, column: ColumnName, there: str) -> errors.Error:
    return errors.ColumnNotFoundError(f"The data file {path!r} has no column {column!r}. {there}")


def _other_delimiter(column: ColumnName, first: list[str]) -> str:
    """Returns what to say where another delimiter gives the column."""
    for delimiter in _DELIMITERS if len(first) == 1 else "":
        if column in map(_bare, first[0].split(delimiter)):
            return f" Its fields are separated by {delimiter!r}: set TextFile.delimiter = {delimiter!r}."
    return ""


@contextlib.contextmanager
def _fields_of_any_length(text: str) -> Iterator[None]:
    """Lifts the limit of `csv`, which is one for the whole process, for the time of a block."""
    before = csv.field_size_limit()
    csv.field_size_limit(max(before, len(text)))
    try:
        yield
    finally:
        csv.field_size_limit(before)


def _blocks(path: str, text: str, delimiter: str) -> Iterator[list[list[str]]]:
    """Gives rows of equal length, some at once; the first ones are the first row alone.

    A blank line is a row of empty fields, but not at the end.
    """
    reader = _reader(text, delimiter)
    given = width = blank = 0
    while True:
        try:
            block = list(itertools.islice(reader, 1 if given < _ONE_BY_ONE else _AT_ONCE))
        except csv.Error:
            _check_one_by_one(path, text, delimiter)
            raise
        if not block:
            return
        end = len(block)
        while end and not block[end - 1]:
            end -= 1
        if end:
            rows = block[:end]
            width = width or len(next(filter(None, rows)))
            if not {0, width}.issuperset(map(len, rows)):
                _check_one_by_one(path, text, delimiter)
            empty = [""] * width
            yield from itertools.repeat([empty], blank)
            blank = 0
            given += 1
            yield rows if all(rows) else [row or empty for row in rows]
        blank += len(block) - end


def _reader(text: str, delimiter: str) -> Any:
    # Tab-separated text has no quoting: a stray quote must not swallow the rows up to the next one.
    return csv.reader(
        itertools.chain.from_iterable(_lines(text)),
        delimiter=delimiter,
        quoting=csv.QUOTE_NONE if delimiter == "\t" else csv.QUOTE_MINIMAL,
        strict=True,
    )


def _lines(text: str) -> Iterator[Iterable[str]]:
    """Gives lines with their ends, in parts: some ask for the first ones only."""
    end = data_text.line_end(text)
    start, stop = 0, text.find(end, _FIRST_PART) + 1
    while start < len(text):
        lines = text[start : stop or None].split(end)
        last = lines.pop()
        yield map(operator.add, lines, itertools.repeat(end))
        yield [last] if last else ()
        start, stop = stop or len(text), 0


def _check_one_by_one(path: str, text: str, delimiter: str) -> None:
    """Raises the error of the first row that is wrong."""
    reader = _reader(text, delimiter)
    width = number = 0
    try:
        for number, row in enumerate(reader, 1):
            width = width or len(row)
            if len(row) not in (0, width):
                raise errors.DataFileError(
                    f"Row {number} (line {reader.line_num}) of the data file {path!r} has "
                    f"{len(row)} fields, the first row has {width}."
                )
    except csv.Error as error:
        raise errors.DataFileError(
            f"Row {number + 1} (line {reader.line_num}) of the data file {path!r} cannot be "
            f"parsed: {_meant(str(error))}."
        ) from error


def _meant(message: str) -> str:
    return next((meant for start, meant in _MEANT.items() if message.startswith(start)), message)
