"""Tables of text and labels in CSV and TSV files, read whole and checked before anything runs."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Iterator, Sequence

import numpy as np

from hub_estimator import errors, files

_GZIP = b"\x1f\x8b"


def read_columns(
    path: files.PathLike, columns: Sequence[str], delimiter: str | None = None
) -> dict[str, list[str]]:
    """Reads columns of a delimited text file in UTF-8, whose first row names the columns.

    Args:
      path: the file; gzip is recognized by its content.
      columns: the names of the columns to read.
      delimiter: what separates the fields; None is a tab for `.tsv` and `.tsv.gz`, else a comma.
        Where it is a tab, quotes are letters like others; elsewhere they enclose a field.

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
    rows = _rows(path, _read_text(path), delimiter)
    header = next(rows, None)
    if header is None:
        raise errors.DataFileError(f"The data file {path!r} is empty.")
    for column in columns:
        if column not in header:
            raise errors.ColumnNotFoundError(
                f"The data file {path!r} has no column {column!r}. "
                f"Its first row names: {', '.join(header)}."
            )
    table = list(rows)
    if not table:
        raise errors.DataFileError(f"The data file {path!r} has column names, but no rows.")
    return {name: [row[header.index(name)] for row in table] for name in columns}


def parse_labels(path: files.PathLike, values: Sequence[str]) -> np.ndarray:
    """Returns labels as numbers: int64 where all are whole numbers, else float32.

    Args:
      path: the file they are from, for messages.
      values: the labels as text, `[N]`.

    Raises:
      errors.LabelError: one is not a number; the message names its row.
    """
    for number, value in enumerate(values):
        if not _is_number(value):
            raise errors.LabelError(
                f"The label {value!r} in row {number + 2} of {files.as_path(path)!r} is not a "
                "number."
            )
    labels = np.array([float(value) for value in values])
    whole = np.array_equal(labels, np.floor(labels)) and (np.abs(labels) < 2.0**63).all()
    return labels.astype(np.int64 if whole else np.float32)


def check_labels(path: files.PathLike, labels: np.ndarray, num_classes: int) -> None:
    """Checks that all labels are classes.

    Args:
      path: the file they are from, for messages.
      labels: `[N]`.
      num_classes: `K`; the classes are the whole numbers 0 to `K - 1`.

    Raises:
      errors.LabelError: one is not a class; the message names its row.
    """
    wrong = (labels < 0) | (labels >= num_classes) | (labels != np.floor(labels))
    if wrong.any():
        number = int(np.argmax(wrong))
        raise errors.LabelError(
            f"The label {labels[number]} in row {number + 2} of {files.as_path(path)!r} is not a "
            f"class of the model's head, which takes 0 to {num_classes - 1}."
        )


def _is_number(value: str) -> bool:
    try:
        return bool(np.isfinite(float(value)))
    except ValueError:
        return False


def _read_text(path: str) -> str:
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
        line = content.count(b"\n", 0, error.start) + 1
        raise errors.DataFileError(
            f"The data file {path!r} is not UTF-8: byte 0x{content[error.start]:02x} in line "
            f"{line}. Convert it, for example with iconv."
        ) from error


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
