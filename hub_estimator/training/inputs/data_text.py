"""Text files of data: UTF-8, of limited size where they are compressed, in lines as files end them."""

from __future__ import annotations

import gzip
import io

from hub_estimator import errors, files
from hub_estimator.training.inputs import data_files, formats, limits, presence

_GZIP = b"\x1f\x8b"
_CHUNK = 1 << 20


def read(path: str, own: formats.Format) -> str:
    """Returns the text of a file in UTF-8, which may be compressed with gzip.

    Args:
      path: the file.
      own: its format, if it is what was expected.

    Raises:
      errors.DataFileNotFoundError: there is no such file.
      errors.LfsPointerError: it is a pointer of Git LFS in its place.
      errors.DataFileError: it cannot be read, is no text, of another format, or unpacks to too much.
    """
    with data_files.reading("data file", path):
        presence.check_file(path)
        packed = files.read_bytes(path)
        content = _unpacked(path, packed) if packed.startswith(_GZIP) else packed
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        formats.refuse_other(path, bytes(content[: formats.LOOKED_AT]), own)
        # What the error counts in has no mark of the byte order any more.
        line = error.object.count(b"\n", 0, error.start) + 1
        raise errors.DataFileError(
            f"The data file {path!r} is not UTF-8: byte 0x{error.object[error.start]:02x} in line "
            f"{line}. Convert it, for example with iconv."
        ) from error
    if "\0" in text:
        formats.refuse_other(path, bytes(content[: formats.LOOKED_AT]), own)
        line = text.count("\n", 0, text.index("\0")) + 1
        raise errors.DataFileError(
            f"The data file {path!r} has a byte of zero in line {line}: it is damaged, or no text."
        )
    return text


def line_end(text: str) -> str:
    """Returns what ends the lines of a text: `\\n`, also after `\\r`, or `\\r` where there is none.

    Other characters that end lines elsewhere, such as U+2028, are letters of a text like others.
    """
    return "\r" if "\r" in text and "\n" not in text else "\n"


def _unpacked(path: str, content: bytes) -> bytearray:
    unpacked, limit = bytearray(), limits.most_data_bytes()
    with gzip.GzipFile(fileobj=io.BytesIO(content)) as file:
        while chunk := file.read(_CHUNK):
            unpacked += chunk
            if b"\0" in chunk:
                break  # no text, whatever follows
            if len(unpacked) > limit:
                raise errors.DataFileError(
                    f"The data file {path!r} unpacks to more than {limit:,} bytes: if it is to be "
                    f"trusted, raise the limit by {limits.DATA_BYTES}."
                )
    return unpacked
