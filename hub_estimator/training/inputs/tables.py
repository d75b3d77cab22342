"""Tables of text and labels in CSV and TSV files, read whole and checked before anything runs."""

from __future__ import annotations

import contextlib
import csv
import gzip
import io
import zlib
from collections.abc import Iterator, Sequence

from hub_estimator import errors, files
from hub_estimator.training.inputs.columns import ColumnName

_GZIP = b"\x1f\x8b"


def read_columns(
    path: files.PathLike,
    columns: Sequence[ColumnName],
    delimiter: str | None = None,
    header: bool = True,
) -> dict[ColumnName, list[str]]:
    """Reads columns of a delimited text file in UTF-8.

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
      errors.DataFileError: it cannot be read, or has no rows, or a row of another length.
      errors.ColumnNotFoundError: it has no such column.
    """
    path = files.as_path(path)
    if delimiter is None:
        delimiter = "\t" if path.removesuffix(".gz").endswith(".tsv") else ","
    text = read_text(path)
    with _fields_of_any_length(text):
        rows = list(_rows(path, text, delimiter))
    if not rows:
        raise errors.DataFileError(f"The data file {path!r} is empty.")
    places = {column: _place(path, column, rows[0], header) for column in columns}
    table = rows[1:] if header else rows
    if not table:
        raise errors.DataFileError(f"The data file {path!r} has column names, but no rows.")
    return {column: [row[place] for row in table] for column, place in places.items()}


def _place(path: str, column: ColumnName, first: list[str], header: bool) -> int:
    if header and column in first:
        return first.index(str(column))
    if not header and isinstance(column, int) and column < len(first):
        return column
    there = (
        f"Its first row names: {', '.join(first)}."
        if header
        else f"Without names (header=False), its columns are 0 to {len(first) - 1}."
    )
    raise errors.ColumnNotFoundError(f"The data file {path!r} has no column {column!r}. {there}")


def read_text(path: str) -> str:
    """Returns the text of a file in UTF-8, which may be compressed with gzip.

    Raises:
      errors.DataFileNotFoundError: there is no such file.
      errors.DataFileError: it cannot be read.
    """
    if not files.exists(path):
        raise errors.DataFileNotFoundError(f"There is no data file {path!r}.")
    try:
        content = files.read_bytes(path)
        if content.startswith(_GZIP):
            content = gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        raise errors.DataFileError(f"The data file {path!r} cannot be read: {error}.") from error
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # What the error counts in has no mark of the byte order any more.
        line = error.object.count(b"\n", 0, error.start) + 1
        raise errors.DataFileError(
            f"The data file {path!r} is not UTF-8: byte 0x{error.object[error.start]:02x} in line "
            f"{line}. Convert it, for example with iconv."
        ) from error


@contextlib.contextmanager
def _fields_of_any_length(text: str) -> Iterator[None]:
    """Lifts the limit of `csv`, which is one for the whole process, for the time of a block."""
    before = csv.field_size_limit()
    csv.field_size_limit(max(before, len(text)))
    try:
        yield
    finally:
        csv.field_size_limit(before)


def _rows(path: str, text: str, delimiter: str) -> Iterator[list[str]]:
    width = None
    # Tab-separated text has no quoting: a stray quote must not swallow the rows up to the next one.
    reader = csv.reader(
        io.StringIO(text, newline=""),
        delimiter=delimiter,
        quoting=csv.QUOTE_NONE if delimiter == "\t" else csv.QUOTE_MINIMAL,
        strict=True,
    )
    row_number = 0
    try:
        for row_number, row in enumerate(reader, 1):
            width = width or len(row)
            if row and len(row) != width:
                raise errors.DataFileError(
                    f"Row {row_number} (line {reader.line_num}) of the data file {path!r} has "
                    f"{len(row)} fields, the first row has {width}."
                )
            yield row or [""] * width
    except csv.Error as error:
        raise errors.DataFileError(
            f"Row {row_number + 1} (line {reader.line_num}) of the data file {path!r} cannot be "
            f"parsed: {error}."
        ) from error
