"""Word vectors, and the text files they come in.

The format is that of word2vec and GloVe: one line per word, the word first and its numbers after
it, separated by spaces; word2vec puts the number of words and the width on a line before them.
"""

from __future__ import annotations

import gzip
import io
import logging
import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import tqdm

from hub_estimator import errors, files

_LOG = logging.getLogger(f"hub_estimator.{__name__}")  # shown like the package's own log

_NO_FILE = "There is no file of word vectors at %s."
_NOT_TEXT = "%s, line %d is not text in UTF-8: %s."
_WRONG_NUMBER = "%s, line %d: expected a word and %d numbers, found %d: %r."
_NOT_A_NUMBER = "%s, line %d: expected a word and %d finite numbers, but %r is none."
_NO_VECTORS = "%s has no word vectors: expected lines of a word and its numbers."
_GZIP_BROKEN = "%s is damaged: %s."


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


def read_vectors(path: files.PathLike, max_words: int | None = None) -> WordVectors:
    """Reads a file of word vectors, plain or compressed with gzip.

    Where a word occurs again, its first vector is taken.

    Args:
      path: the file.
      max_words: stop after so many words; files are usually sorted by frequency. None: read all.

    Raises:
      VectorsNotFoundError: there is no such file.
      VectorsFileError: a line is not a word and as many numbers as the others have.
    """
    path = files.as_path(path)
    if not files.exists(path) or files.is_folder(path):
        raise VectorsNotFoundError(_NO_FILE % path)
    rows: dict[str, np.ndarray] = {}
    duplicates = 0
    for word, row in tqdm.tqdm(_rows(path), desc="Word vectors", unit=" words", disable=None):
        duplicates += word in rows
        rows.setdefault(word, row)
        if max_words is not None and len(rows) >= max_words:
            break
    if not rows:
        raise VectorsFileError(_NO_VECTORS % path)
    if duplicates:
        _LOG.info("Of %d repeated words, the first vectors were taken.", duplicates)
    vectors = WordVectors(list(rows), np.stack(list(rows.values())))
    _LOG.info("Read %d word vectors, %d wide, from %s.", *vectors.vectors.shape, path)
    return vectors


def _rows(path: str) -> Iterator[tuple[str, np.ndarray]]:
    width: int | None = None
    for number, line in _lines(path):
        fields = line.split()
        if number == 1 and len(fields) == 2 and all(field.isdecimal() for field in fields):
            width = int(fields[1])
            continue
        if not fields:
            continue
        if width is None:
            width = len(fields) - 1
        yield _row(fields, width, path, number)


def _lines(path: str) -> Iterator[tuple[int, str]]:
    """Yields each line with its number, counted from 1."""
    file: io.BufferedIOBase = open(path, "rb")  # noqa: SIM115  closed below, wrapped or not
    if file.read(2) == b"\x1f\x8b":
        file.close()
        file = gzip.open(path, "rb")  # noqa: SIM115
    with file:
        file.seek(0)
        number = 0
        try:
            for number, line in enumerate(file, start=1):
                yield number, line.decode("utf-8")
        except UnicodeDecodeError as e:
            raise VectorsFileError(_NOT_TEXT % (path, number, e)) from e
        except (EOFError, gzip.BadGzipFile) as e:
            raise VectorsFileError(_GZIP_BROKEN % (path, e)) from e


def _row(fields: list[str], width: int, path: str, number: int) -> tuple[str, np.ndarray]:
    words = len(fields) - width
    # Published files have a few "words" of several parts, such as ". . ."; numbers are never parts.
    if width < 1 or words < 1 or any(_is_number(field) for field in fields[1:words]):
        shown = " ".join(fields)[:60]
        raise VectorsFileError(_WRONG_NUMBER % (path, number, width, len(fields) - 1, shown))
    for field in fields[words:]:
        if not _is_number(field):
            raise VectorsFileError(_NOT_A_NUMBER % (path, number, width, field))
    return " ".join(fields[:words]), np.array(fields[words:], np.float32)


def _is_number(field: str) -> bool:
    try:
        return math.isfinite(float(field))
    except ValueError:
        return False
