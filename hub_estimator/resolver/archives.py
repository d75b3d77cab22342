"""Unpacks a tar archive that nobody vouches for: only plain files and folders below the target.

What an archive says of owners, permissions and times is not applied. Anything that could write
elsewhere, replace a file, or hide behind the archive's end is refused before it has an effect.
"""

from __future__ import annotations

import contextlib
import dataclasses
import gzip
import os
import tarfile
import unicodedata
import zlib
from collections.abc import Iterator
from typing import BinaryIO, cast

from hub_estimator import errors

_BLOCK = tarfile.BLOCKSIZE
_CHUNK = 1 << 20
# Of extended headers (long names, pax records); tarfile reads them into memory in one piece.
_MAX_HEADER = 1 << 20
_KINDS = {
    tarfile.LNKTYPE: "a hard link",
    tarfile.SYMTYPE: "a symbolic link",
    tarfile.CHRTYPE: "a character device",
    tarfile.BLKTYPE: "a block device",
    tarfile.FIFOTYPE: "a named pipe",
    tarfile.CONTTYPE: "a contiguous file",
    tarfile.GNUTYPE_SPARSE: "a sparse file",
}
_FORMATS = {
    b"PK\x03\x04": "a zip file",
    b"PK\x05\x06": "a zip file",
    b"BZh": "compressed by bzip2",
    b"\xfd7zXZ\x00": "compressed by xz",
    b"\x28\xb5\x2f\xfd": "compressed by zstandard",
    b"7z\xbc\xaf": "a 7z file",
}


@dataclasses.dataclass(frozen=True)
class Limits:
    """How large what is unpacked may be.

    Attributes:
      unpacked_bytes: of the whole tar stream, headers included.
      members: of files and folders together.
    """

    unpacked_bytes: int = 32 << 30
    members: int = 100_000


def unpack(archive: str, folder: str, limits: Limits, shown: str) -> int:
    """Unpacks the tar or tar.gz file `archive` into the empty, local `folder`.

    Args:
      archive: a local path.
      folder: where to; it exists. After an error, it may hold some of the files.
      limits: how large it may be.
      shown: what messages call the archive.

    Returns:
      The number of bytes in the files that were written.

    Raises:
      errors.UnsafeArchiveError: it holds what must not be unpacked.
      errors.BrokenArchiveError: it is no gzip or plain tar, or is damaged or cut short.
    """
    with open(archive, "rb") as file, _broken_archives_explained(shown):
        start = file.read(_BLOCK)
        file.seek(0)
        _check_format(start, shown)
        compressed = start.startswith(b"\x1f\x8b")
        source = cast(BinaryIO, gzip.GzipFile(fileobj=file)) if compressed else file
        stream = _Stream(source, limits, shown)
        size = _unpack_members(stream, folder, limits, shown)
        stream.expect_only_zeros()
        return size


def _check_format(start: bytes, shown: str) -> None:
    what = next((text for magic, text in _FORMATS.items() if start.startswith(magic)), "")
    head = start.lstrip().lower()
    if not start:
        what = "an empty file"
    elif head.startswith((b"<!doctype", b"<html", b"<?xml")):
        what = "a web page"
    if what:
        raise errors.BrokenArchiveError(
            f"{shown} is {what}, not a gzip or plain tar archive: check that the handle leads to "
            "a .tar.gz whose root is the module."
        )


@contextlib.contextmanager
def _broken_archives_explained(shown: str) -> Iterator[None]:
    try:
        yield
    except (tarfile.TarError, EOFError, gzip.BadGzipFile, zlib.error, ValueError) as error:
        if isinstance(error, errors.Error):
            raise
        raise errors.BrokenArchiveError(
            f"{shown} is not a whole gzip or plain tar archive ({error}): it is damaged or cut "
            "short; fetch or pack it again."
        ) from error


class _Stream:
    """What tarfile reads from: forward only, counted, and it remembers how the archive ended."""

    def __init__(self, source: BinaryIO, limits: Limits, shown: str):
        self._source = source
        self._limits = limits
        self._shown = shown
        self._position = 0
        self._last = b""

    def tell(self) -> int:
        return self._position

    def seek(self, position: int) -> None:
        if position < self._position:
            raise tarfile.ReadError("a member's size contradicts its place")
        while self._position < position and self.read(min(_CHUNK, position - self._position)):
            pass

    def read(self, size: int) -> bytes:
        if size < 0:  # of an extended header; it would read, and keep, all that follows
            raise tarfile.ReadError("a header's size is negative")
        if size > _MAX_HEADER:
            raise errors.UnsafeArchiveError(
                f"{self._shown} has a header of {size} bytes; at most {_MAX_HEADER} are read."
            )
        self._last = self._source.read(size)
        self._position += len(self._last)
        self.expect_room(0)
        return self._last

    def expect_room(self, size: int) -> None:
        """Raises an error if `size` further bytes would exceed the limit."""
        if self._position + size > self._limits.unpacked_bytes:
            raise errors.UnsafeArchiveError(
                f"{self._shown} unpacks to more than {self._limits.unpacked_bytes} bytes: if it is to "
                "be trusted, raise the limit by HUB_ESTIMATOR_MAX_UNPACKED_BYTES."
            )

    def expect_only_zeros(self) -> None:
        """Reads to the end, where gzip's checksum is, past the zero blocks that end a tar."""
        if len(self._last) != _BLOCK or any(self._last):
            raise tarfile.ReadError("the end of the archive is missing")
        while chunk := self.read(_CHUNK):
            if chunk.count(0) != len(chunk):
                raise errors.UnsafeArchiveError(
                    f"{self._shown} goes on after the end of the tar archive: pack it again."
                )


def _unpack_members(stream: _Stream, folder: str, limits: Limits, shown: str) -> int:
    total = count = 0
    with tarfile.open(fileobj=cast(BinaryIO, stream), mode="r:") as tar:
        for member in tar:
            count += 1
            if count > limits.members:
                raise errors.UnsafeArchiveError(
                    f"{shown} has more than {limits.members} members: a module has a few dozen."
                )
            path = os.path.join(folder, *_safe_names(member, shown))
            stream.expect_room(member.size)
            with _name_clashes_explained(member, shown):
                if member.isdir():
                    os.makedirs(path, exist_ok=True)
                else:
                    os.makedirs(os.path.dirname(path), exist_ok=True)
                    total += _write_file(tar, member, path)
    return total


def _safe_names(member: tarfile.TarInfo, shown: str) -> list[str]:
    """Returns the names of the folders, and the file, that the member's path is made of."""
    reason = _why_unsafe(member)
    if reason:
        raise errors.UnsafeArchiveError(
            f"{shown} holds {member.name!r}, which is refused: {reason}. A module's archive has "
            "only files and folders, by relative paths."
        )
    return [name for name in member.name.split("/") if name not in ("", ".")]


def _why_unsafe(member: tarfile.TarInfo) -> str:
    name = member.name
    names = name.split("/")
    try:
        encoded = [part.encode("utf-8") for part in names]
    except UnicodeEncodeError:
        return "its name is not UTF-8"
    if not (member.isfile() or member.isdir()) or member.type in _KINDS or member.issparse():
        return f"it is {_KINDS.get(member.type, 'a sparse file or of an unknown type')}"
    if name.startswith("/") or name[1:2] == ":":
        return "its path is absolute"
    if ".." in names:
        return "its path leads upwards"
    if "\\" in name or any(unicodedata.category(letter) == "Cc" for letter in name):
        return "its name has a backslash or a control character"
    if any(len(part) > 255 for part in encoded) or len(name) > 2048:
        return "its name is too long"
    if member.size < 0 or (member.isdir() and member.size):
        return "its size is impossible"
    if member.isfile() and (name.endswith("/") or not set(names) - {"", "."}):
        return "it is a file where a folder is"
    return ""


@contextlib.contextmanager
def _name_clashes_explained(member: tarfile.TarInfo, shown: str) -> Iterator[None]:
    try:
        yield
    except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
        raise errors.UnsafeArchiveError(
            f"{shown} holds {member.name!r}, which would replace what came before under that name."
        ) from error


def _write_file(tar: tarfile.TarFile, member: tarfile.TarInfo, path: str) -> int:
    source = tar.extractfile(member)
    assert source is not None  # it is a regular file
    written = 0
    with source, open(path, "xb") as target:
        while chunk := source.read(_CHUNK):
            target.write(chunk)
            written += len(chunk)
    return written
