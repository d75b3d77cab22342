"""What a data file is that was given to an input of another format, and what reads it."""

from __future__ import annotations

import codecs
import dataclasses
import re

from hub_estimator import errors, json_text
from hub_estimator.training.inputs import record_framing

LOOKED_AT = 1 << 16
"""How many bytes of a file tell its format."""


@dataclasses.dataclass(frozen=True)
class Format:
    """A format.

    Attributes:
      what: what a file of it is.
      remedy: what to do where it was given to an input that does not read it.
      reader: the input that reads it from a path, where one does.
    """

    what: str
    remedy: str
    reader: str = ""


TABLE = Format("a CSV or TSV file", "give it to the input TextFile", "TextFile")
JSON_LINES = Format("a file of JSON lines", "give it to the input JsonlFile", "JsonlFile")
RECORDS = Format("a TFRecord file", "give it to the input Records", "Records")
_JSON = Format(
    "one JSON value over the whole file",
    "write each example into a line of its own, as `jq -c '.[]'` does with a list, for the input "
    "JsonlFile",
)
_IMAGE = Format("an image", "give the folder that it is in to the input ImageFolder")
_UTF_16 = Format("text in UTF-16", "convert it, as `iconv -f UTF-16 -t UTF-8` does")
_UTF_32 = Format("text in UTF-32", "convert it, as `iconv -f UTF-32 -t UTF-8` does")
_ARCHIVE = "unpack it, and give the file in it to the input that reads it"
_WEB_PAGE = Format("a web page or XML", "download the data itself")


def _loaded(what: str, function: str, given_to: str) -> Format:
    return Format(
        what, f"save it as CSV, or load it in Python with {function} for the input {given_to}"
    )


def _compressed(by: str) -> Format:
    return Format(f"compressed with {by}", "unpack it, or compress it with gzip")


# What starts a file that is no text.
_STARTS: tuple[tuple[bytes, Format], ...] = (
    (b"\xff\xfe\x00\x00", _UTF_32),
    (b"\x00\x00\xfe\xff", _UTF_32),
    (b"\xff\xfe", _UTF_16),
    (b"\xfe\xff", _UTF_16),
    (b"PAR1", _loaded("a Parquet file", "pandas.read_parquet", "Frame")),
    (b"ARROW1\x00\x00", _loaded("an Arrow file", "pandas.read_feather", "Frame")),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", _loaded("an Excel file", "pandas.read_excel", "Frame")),
    (b"\x89HDF\r\n\x1a\n", _loaded("an HDF5 file", "pandas.read_hdf", "Frame")),
    (b"\x93NUMPY", _loaded("an array of numpy", "numpy.load", "Arrays")),
    (b"SQLite format 3\x00", _loaded("an SQLite database", "pandas.read_sql", "Frame")),
    (b"\x1f\x8b", Format("compressed twice with gzip", "unpack it once")),
    (b"BZh", _compressed("bzip2")),
    (b"\xfd7zXZ\x00", _compressed("xz")),
    (b"\x28\xb5\x2f\xfd", _compressed("zstandard")),
    (b"%PDF-", Format("a PDF file", "take the data out of it, for example as CSV")),
)
_PICKLE = re.compile(rb"\x80[\x02-\x05][\x80-\x95cX}\](]", re.DOTALL)
_TAR = (257, b"ustar")
_MARKUP = re.compile(r"\s*<(!doctype|html|\?xml)[\s>]", re.IGNORECASE)
# A list, or an object that goes on in the next line.
_JSON_START = re.compile(r'\[\s*["\[{\]]|\{[ \t\r]*\n')


def refuse_other(path: str, start: bytes | str, own: Format) -> None:
    """Raises the error that says what a file is, where it is of another format that is known.

    Args:
      path: the file.
      start: how it starts, or its text does; `LOOKED_AT` of it are enough.
      own: the format that was expected.

    Raises:
      errors.OtherFormatError: it is of another format.
    """
    start = start[:LOOKED_AT]
    found = _of_text(start) if isinstance(start, str) else _format(start)
    if found is not None and found is not own:
        raise errors.OtherFormatError(
            f"The data file {path!r} is {found.what}: {found.remedy}.", found.reader
        )


def _format(start: bytes) -> Format | None:
    if record_framing.is_framed(start):
        return RECORDS
    text = _text(start)
    return _of_bytes(start) if text is None else _of_text(text)


def _text(start: bytes) -> str | None:
    """Returns how a text in UTF-8 starts; None of what is none."""
    try:
        text = codecs.getincrementaldecoder("utf-8-sig")().decode(start)  # the end may be half
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text


def _of_bytes(start: bytes) -> Format | None:
    for begins, found in _STARTS:
        if start.startswith(begins):
            return found
    if start.startswith(b"PK\x03\x04"):
        return _of_zip(start)
    from hub_estimator.training import images  # not earlier: it brings TensorFlow

    if images.image_format(start) is not None:
        return _IMAGE
    if _PICKLE.match(start):
        return _loaded("a pickle", "pickle.load, if you trust who made it,", "Frame or Arrays")
    if start[_TAR[0] :].startswith(_TAR[1]):
        return Format("a tar archive", _ARCHIVE)
    return _UTF_16 if any(_has_zeros_between(start[:1024], which) for which in range(2)) else None


def _has_zeros_between(start: bytes, which: int) -> bool:
    """Whether most of every second byte is zero, and none of the others: letters of ASCII in UTF-16."""
    zeros, letters = start[which::2], start[1 - which :: 2]
    return 2 * zeros.count(0) > len(zeros) and 0 not in letters


def _of_zip(start: bytes) -> Format:
    if b"[Content_Types].xml" in start or b"xl/" in start:
        return _loaded("an Excel file", "pandas.read_excel", "Frame")
    if b".npy" in start:
        return _loaded("an archive of arrays of numpy", "numpy.load", "Arrays")
    return Format("a zip archive", _ARCHIVE)


def _of_text(start: str) -> Format | None:
    if _MARKUP.match(start):
        return _WEB_PAGE
    text = start.lstrip(" \t\r\n")
    line = text.partition("\n")[0]
    if text.startswith(("{", "[")):
        try:
            return JSON_LINES if isinstance(json_text.parse(line), dict) else _JSON
        except ValueError:  # damaged, or it goes on in the next line
            return _JSON if _JSON_START.match(text) else None
    return TABLE if re.search("[,;\t]", line) else None
