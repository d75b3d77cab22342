"""Word vectors, and the text files they come in.

The format is that of word2vec and GloVe: one line per word, the word first and its numbers after
it, separated by spaces; word2vec puts the number of words and the width on a line before them.
"""

from __future__ import annotations

import gzip
import logging
import zlib
from collections.abc import Iterator
from typing import IO, NamedTuple

import numpy as np
import tqdm

from hub_estimator import errors, files, texts

# More than any published file has; what is compressed can be a thousand times what is on the disk.
MAX_UNPACKED_BYTES = 2**35
_CHUNK_BYTES = 1 << 20
_LONGEST_LINE = 1 << 20  # bytes: a word and some hundred thousand numbers
_BOM = b"\xef\xbb\xbf"
_LARGEST = float(np.finfo(np.float32).max)
_logger = logging.getLogger("hub_estimator")  # shown like the package's own log

_NO_FILE = "There is no file of word vectors at %s."
_NOT_TEXT = "%s, line %d is not text in UTF-8: %s."
_WRONG_NUMBER = "%s, line %d: expected a word and %d numbers, found %d: %s."
_NOT_A_NUMBER = "%s, line %d: expected a word and %d finite numbers, but %s is none."
_NO_VECTORS = "%s has no word vectors: expected lines of a word and its numbers."
_GZIP_BROKEN = "%s is damaged: %s."
_CONTRADICTION = (
    "%s says in its first line that it has %d words, but it has %d: it is cut, or was changed. Get "
    "it again, or remove the first line."
)
_LONG_LINE = "%s, line %d has more than %d bytes: that is no word and its vector."
_TOO_LARGE = "%s has more than %d bytes, unpacked. Where that is right, raise max_unpacked_bytes."


class VectorsFileError(errors.Error, ValueError):
    """A file of word vectors cannot be read."""


class VectorsNotFoundError(errors.Error, FileNotFoundError):
    """There is no file of word vectors where it should be."""


class WordVectors(NamedTuple):
    """Words (or phrases: words with a space between them), no two the same, and their vectors.

    Attributes:
      words: `V` of them.
      vectors: float32 `[V, D]`, row i for word i.
    """

    words: list[str]
    vectors: np.ndarray


def read_vectors(
    path: files.PathLike,
    max_words: int | None = None,
    max_unpacked_bytes: int = MAX_UNPACKED_BYTES,
) -> WordVectors:
    """Reads a file of word vectors, plain or compressed with gzip.

    Where a word occurs again, its first vector is taken. Only spaces of ASCII are between words and
    numbers: published words have others in them.

    Args:
      path: the file.
      max_words: stop after so many words; files are usually sorted by frequency. None: read all.
      max_unpacked_bytes: larger files are refused.

    Raises:
      VectorsNotFoundError: there is no such file.
      VectorsFileError: a line is not a word and as many numbers as the others have, or the first
        line, with the number of words, contradicts the others.
      errors.NotAFileError, errors.LfsPointerError: it is something else than a file of vectors.
    """
    path = files.as_path(path)
    if not files.exists(path) or files.is_folder(path):
        raise VectorsNotFoundError(_NO_FILE % path)
    files.check_file(path)
    rows: dict[str, np.ndarray] = {}
    duplicates = 0
    found = _rows(path, max_unpacked_bytes)
    for word, row in tqdm.tqdm(found, desc="Word vectors", unit=" words", disable=None):
        duplicates += word in rows
        rows.setdefault(word, row)
        if max_words is not None and len(rows) >= max_words:
            break
    if not rows:
        raise VectorsFileError(_NO_VECTORS % path)
    if duplicates:
        _logger.info("Of %d repeated words, the first vectors were taken.", duplicates)
    vectors = WordVectors(list(rows), np.stack(list(rows.values())))
    _logger.info("Read %d word vectors, %d wide, from %s.", *vectors.vectors.shape, path)
    return vectors


def _rows(path: str, max_bytes: int) -> Iterator[tuple[str, np.ndarray]]:
    width: int | None = None
    said: int | None = None
    count = 0
    for number, fields in _lines(path, max_bytes):
        if number == 1 and len(fields) == 2 and all(field.isdecimal() for field in fields):
            said, width = map(int, fields)
            continue
        if not fields:
            continue
        if width is None:
            width = len(fields) - 1
        yield _row(fields, width, path, number)
        count += 1
    if said is not None and 0 < count != said:
        raise VectorsFileError(_CONTRADICTION % (path, said, count))


def _lines(path: str, max_bytes: int) -> Iterator[tuple[int, list[str]]]:
    """Yields the fields of each line with its number, counted from 1."""
    number = 0
    try:
        for number, line in enumerate(_raw_lines(path, max_bytes), start=1):
            # Of bytes, only the spaces of ASCII are taken out.
            fields = (line.removeprefix(_BOM) if number == 1 else line).split()
            yield number, [field.decode("utf-8") for field in fields]
    except UnicodeDecodeError as error:
        raise VectorsFileError(_NOT_TEXT % (path, number, error)) from error
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise VectorsFileError(_GZIP_BROKEN % (path, error)) from error


def _raw_lines(path: str, max_bytes: int) -> Iterator[bytes]:
    total, number, rest = 0, 0, b""
    with files.open_file(path) as file:
        content = _unpacked(file)
        while chunk := content.read(_CHUNK_BYTES):
            total += len(chunk)
            if total > max_bytes:
                raise VectorsFileError(_TOO_LARGE % (path, max_bytes))
            *lines, rest = (rest + chunk).split(b"\n")
            number += len(lines)
            yield from lines
            if len(rest) > _LONGEST_LINE:
                raise VectorsFileError(_LONG_LINE % (path, number + 1, _LONGEST_LINE))
    if rest:
        yield rest


def _unpacked(file: IO[bytes]) -> IO[bytes]:
    is_packed = file.read(2) == b"\x1f\x8b"
    file.seek(0)
    return gzip.GzipFile(fileobj=file) if is_packed else file  # type: ignore[return-value]


def _row(fields: list[str], width: int, path: str, number: int) -> tuple[str, np.ndarray]:
    words = len(fields) - width
    # Published files have a few "words" of several parts, such as ". . ."; numbers are never parts.
    if width < 1 or words < 1 or any(_number(field) is not None for field in fields[1:words]):
        shown = texts.shown(" ".join(fields), 60)
        raise VectorsFileError(_WRONG_NUMBER % (path, number, width, len(fields) - 1, shown))
    vector = [_number(field) for field in fields[words:]]
    if None in vector:
        shown = texts.shown(fields[words + vector.index(None)], 60)
        raise VectorsFileError(_NOT_A_NUMBER % (path, number, width, shown))
    return " ".join(fields[:words]), np.array(vector, np.float32)


def _number(field: str) -> float | None:
    """Returns a number that float32 has; None where a field is none."""
    try:
        value = float(field)
    except ValueError:
        return None
    return value if abs(value) <= _LARGEST else None
