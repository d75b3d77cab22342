"""How TFRecord files frame their records, and whether the lengths that they give can be true.

A record is its length, 8 bytes; the checksum of these, 4 bytes; its own bytes; and their checksum,
4 bytes. TensorFlow takes memory for as many bytes as a length says before it reads them: a length
that is more than there is memory ends the process, and the checksum beside it says only that
somebody meant it. So lengths are looked at first, once in a process: a small read for each record.
"""

from __future__ import annotations

import functools
import os
import struct
import zlib
from typing import IO, Any, Protocol

from hub_estimator import errors, files
from hub_estimator.training.inputs import limits

_LENGTH = struct.Struct("<Q")
_CHECKSUM = struct.Struct("<I")
_HEADER_BYTES = 12
_AROUND = 16
"""How many bytes a record has beside its own."""
_MOST_BYTES = (1 << 31) - 1
"""The largest message that protobuf parses."""
_GZIP = b"\x1f\x8b"
_ANY_HEADER = 32 + zlib.MAX_WBITS
_MOST_FOR_A_BYTE = 1032
"""How many bytes one byte can unpack to."""
_CHUNK = 1 << 16
_REMEMBERED = 1 << 16


def opened(path: str) -> tuple[str, bytes]:
    """Looks into a file.

    Returns:
      How it is compressed, which its first bytes tell: what `tf.data.TFRecordDataset` calls it,
      `"GZIP"`, `"ZLIB"`, or empty without. And how its content starts.

    Raises:
      OSError: the file cannot be read; TensorFlow's own errors where it is remote.
    """
    with files.open_file(path) as file:
        compression = _compression(file.read(_HEADER_BYTES))
        file.seek(0)
        return compression, _Unpacked(file).start() if compression else file.read(_CHUNK)


def is_framed(start: bytes) -> bool:
    """Whether what starts so is records, not compressed."""
    return len(start) >= _HEADER_BYTES and _has_checksum(start)


def check_first(path: str, number: int) -> None:
    """Checks the lengths of the first `number` records of a file.

    Raises:
      errors.DataFileError: one cannot be true.
      OSError: the file cannot be read; TensorFlow's own errors where it is remote.
    """
    _check(path, files.size(path), number)


def check_all(path: str) -> None:
    """Checks the lengths of all records of a local file; a remote one would be read twice for it.

    Raises:
      errors.DataFileError: one cannot be true.
      OSError: the file cannot be read.
    """
    if not files.is_remote(path):
        state = os.stat(path)
        _check_once(path, state.st_size, state.st_mtime_ns)


@functools.lru_cache(_REMEMBERED)
def _check_once(path: str, size: int, changed: int) -> None:
    """Checks a file once, as long as it stays what it is: training reads it in every epoch."""
    del changed
    _check(path, size, None)


def _check(path: str, size: int, number: int | None) -> None:
    with files.open_file(path) as file:
        compression = _compression(file.read(_HEADER_BYTES))
        if not compression:
            _check_lengths(path, _Plain(file), size, number)
        elif number is not None or size * _MOST_FOR_A_BYTE > limits.most_data_bytes():
            # Others cannot become too much, whatever they say.
            _check_lengths(path, _Unpacked(file), None, number)


def _check_lengths(path: str, headers: _Headers, size: int | None, number: int | None) -> None:
    """Checks lengths up to the end, or to where TensorFlow says itself that a file is damaged."""
    position, limit = 0, min(limits.most_data_bytes() if size is None else _MOST_BYTES, _MOST_BYTES)
    while number != 0:
        header = headers.at(position)
        if len(header) < _HEADER_BYTES:
            return
        (length,) = _LENGTH.unpack_from(header)
        rest = None if size is None else size - position - _AROUND
        is_true = length <= limit and (rest is None or length <= rest)
        # Zeros, of which there may be many, are no records.
        if (not length or not is_true) and not _has_checksum(header):
            return
        if not is_true:
            raise errors.DataFileError(
                f"The file of records {path!r} is damaged or cut short: the record at byte "
                f"{position} is said to have {length:,} bytes, {_why_not(length, rest, limit)}."
            )
        position += _AROUND + length
        number = None if number is None else number - 1


def _why_not(length: int, rest: int | None, limit: int) -> str:
    if rest is not None and length > rest:
        return f"but only {max(rest, 0):,} follow"
    if length > _MOST_BYTES:
        return "which no tf.train.Example has"
    return (
        f"and at most {limit:,} are unpacked: if it is to be trusted, raise the limit by "
        f"{limits.DATA_BYTES}"
    )


class _Headers(Protocol):
    """Where a walk through a file finds the headers of records."""

    def at(self, position: int) -> bytes:
        """Returns the header at `position`, which only grows; less than it at the end."""


class _Plain:
    """Of a file as it is."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def at(self, position: int) -> bytes:
        self._file.seek(position)
        return self._file.read(_HEADER_BYTES)


class _Unpacked:
    """Of what a file unpacks to, a chunk of which is held at a time."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._file.seek(0)
        self._unpacking: Any = None
        self._packed = self._chunk = b""
        self._start = 0

    def at(self, position: int) -> bytes:
        while position + _HEADER_BYTES > self._start + len(self._chunk):
            more = self._more()
            if not more:
                return b""
            # What is before the position is not needed any more.
            kept = self._chunk[position - self._start :]
            self._start += len(self._chunk) - len(kept)
            self._chunk = kept + more
        place = position - self._start
        return self._chunk[place : place + _HEADER_BYTES]

    def start(self) -> bytes:
        """Returns how the content starts; nothing where it is damaged."""
        return self._more()

    def _more(self) -> bytes:
        """Returns the next bytes; none at the end, or where the file is damaged."""
        while True:
            self._packed = self._packed or self._file.read(_CHUNK)
            if not self._packed:
                return b""
            if self._unpacking is None:
                self._unpacking = zlib.decompressobj(_ANY_HEADER)
            try:
                unpacked = self._unpacking.decompress(self._packed, _CHUNK)
            except zlib.error:
                return b""
            self._packed = self._unpacking.unconsumed_tail
            if self._unpacking.eof:  # another part may follow
                self._packed, self._unpacking = self._unpacking.unused_data, None
            if unpacked:
                return unpacked


def _compression(start: bytes) -> str:
    # A length may have the bytes of any mark, but hardly with the checksum beside it.
    if is_framed(start):
        return ""
    if start.startswith(_GZIP):
        return "GZIP"
    is_zlib = start[:1] == b"\x78" and int.from_bytes(start[:2], "big") % 31 == 0
    return "ZLIB" if is_zlib else ""


def _has_checksum(header: bytes) -> bool:
    """Whether the length in a header has the checksum that follows it."""
    (stored,) = _CHECKSUM.unpack_from(header, _LENGTH.size)
    crc = _crc(header[: _LENGTH.size])
    return stored == ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def _crc(content: bytes) -> int:
    """Returns the CRC-32C (Castagnoli)."""
    table, crc = _crc_table(), 0xFFFFFFFF
    for byte in content:
        crc = table[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


@functools.cache
def _crc_table() -> tuple[int, ...]:
    table = []
    for crc in range(256):
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
        table.append(crc)
    return tuple(table)
