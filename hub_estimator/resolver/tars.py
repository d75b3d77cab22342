"""Goes through a tar archive that nobody vouches for, in linear time and constant memory.

`tarfile` reads each header here, but does not go through the archive: it keeps every member in
memory, calls itself for each extended header that follows another, and some releases of Python take
quadratic time for the records in one.
"""

from __future__ import annotations

import dataclasses
import re
import tarfile
from collections.abc import Iterator, Mapping
from typing import BinaryIO

from hub_estimator import errors

BLOCK = tarfile.BLOCKSIZE
_CHUNK = 1 << 20
# Extended headers hold long names and records of what is not applied: dates, access lists.
_MAX_HEADER = 1 << 20
_MAX_HEADERS = 64 << 20
# Headers of one long text, and the record of pax that says the same.
_LONG = {tarfile.GNUTYPE_LONGNAME: "path", tarfile.GNUTYPE_LONGLINK: "linkpath"}
_EXTENDED = (tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE, tarfile.XGLTYPE, *_LONG)
_LENGTH = re.compile(rb"[0-9]{1,9} ")
_SIZE = re.compile(r"[0-9]{1,18}")
_KEYS = (b"path", b"linkpath", b"size", b"comment")
_LONGEST_COMMENT = 1 << 10


@dataclasses.dataclass(frozen=True)
class Member:
    """One member of an archive, before its content.

    Attributes:
      name: its path as the archive has it; bytes that are not UTF-8 are surrogates.
      link: the path that a link leads to, in the same form.
      type: one of `tarfile.REGTYPE`, `tarfile.DIRTYPE`, ...
      size: of its content, in bytes; negative sizes are refused before.
      is_sparse: whether its content leaves zeros out.
    """

    name: str
    link: str
    type: bytes
    size: int
    is_sparse: bool


class Stream:
    """The bytes of an archive: forward only, counted, and no more than allowed.

    Args:
      source: what to read.
      limit: how many bytes may come out of it.
      shown: what messages call the archive.
    """

    def __init__(self, source: BinaryIO, limit: int, shown: str):
        self._source = source
        self._limit = limit
        self._shown = shown
        self.position = 0

    def read(self, size: int) -> bytes:
        """Returns the next `size` bytes.

        Raises:
          errors.UnsafeArchiveError: there are more than allowed.
          tarfile.ReadError: there are fewer.
        """
        data = self._read_some(size)
        if len(data) != size:
            raise tarfile.ReadError("the end of the archive is missing")
        return data

    def _read_some(self, size: int) -> bytes:
        data = self._source.read(size)
        self.position += len(data)
        self.expect_room(0)
        return data

    def expect_room(self, size: int) -> None:
        """Raises an error if `size` further bytes would exceed the limit."""
        if self.position + size > self._limit:
            raise errors.UnsafeArchiveError(
                f"{self._shown} unpacks to more than {self._limit} bytes: if it is to be trusted, "
                "raise the limit by HUB_ESTIMATOR_MAX_UNPACKED_BYTES."
            )

    def chunks(self, size: int) -> Iterator[bytes]:
        """Yields the next `size` bytes in pieces; raises as `read` does."""
        self.expect_room(size)
        while size > 0:
            chunk = self.read(min(_CHUNK, size))
            size -= len(chunk)
            yield chunk

    def skip_to(self, position: int) -> None:
        """Reads on to `position`; raises as `read` does."""
        for _ in self.chunks(position - self.position):
            pass

    def expect_only_zeros(self) -> None:
        """Reads to the end, where gzip's checksum is, past the zero blocks that end a tar."""
        while chunk := self._read_some(_CHUNK):
            if chunk.count(0) != len(chunk):
                raise errors.UnsafeArchiveError(
                    f"{self._shown} goes on after the end of the tar archive: pack it again."
                )


def read_members(stream: Stream, shown: str) -> Iterator[Member]:
    """Yields the members up to the block of zeros that ends an archive.

    While it is at a member, the stream is at its content; as much may be read of it as there is.

    Args:
      stream: the archive from its start.
      shown: what messages call the archive.

    Raises:
      errors.UnsafeArchiveError: there is more of something than any module has.
      tarfile.TarError: the archive is damaged.
    """
    for_all: dict[str, str] = {}
    for_next: dict[str, str] = {}
    extended = 0
    while any(block := stream.read(BLOCK)):
        header = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
        if header.type in _EXTENDED:
            extended += BLOCK + _check_extended(header.size, shown)
            if extended > _MAX_HEADERS:
                raise errors.UnsafeArchiveError(
                    f"{shown} has more than {_MAX_HEADERS} bytes of extended headers: pack it again."
                )
            content = stream.read(_padded(header.size))[: header.size]
            records = for_all if header.type == tarfile.XGLTYPE else for_next
            records.update(_records(header.type, content))
            continue
        member = _member(header, {**for_all, **for_next})
        for_next = {}
        end = stream.position + _padded(member.size)
        yield member
        stream.skip_to(end)


def first_comment(stream: Stream) -> str:
    """Returns the comment with which an archive begins; empty where it has none.

    Args:
      stream: the archive from its start.

    Raises:
      errors.UnsafeArchiveError: see `Stream`.
      tarfile.TarError: the archive is damaged.
    """
    header = tarfile.TarInfo.frombuf(stream.read(BLOCK), "utf-8", "surrogateescape")
    if header.type != tarfile.XGLTYPE or not 0 <= header.size <= _LONGEST_COMMENT:
        return ""
    content = stream.read(_padded(header.size))[: header.size]
    return _records(header.type, content).get("comment", "")


def _padded(size: int) -> int:
    return -(-size // BLOCK) * BLOCK


def _check_extended(size: int, shown: str) -> int:
    if size < 0:
        raise tarfile.ReadError("a header's size is negative")
    if size > _MAX_HEADER:
        raise errors.UnsafeArchiveError(
            f"{shown} has a header of {size} bytes; at most {_MAX_HEADER} are read."
        )
    return size


def _records(kind: bytes, content: bytes) -> dict[str, str]:
    """Returns what an extended header says of names and sizes."""
    if kind in _LONG:
        return {_LONG[kind]: _text(content.partition(b"\0")[0])}
    return dict(_pax_records(content))


def _pax_records(content: bytes) -> Iterator[tuple[str, str]]:
    """Yields those of the records `<length> <key>=<value>\\n` that matter here."""
    at = 0
    while at < len(content) and content[at]:  # some programs fill up with zeros
        length = _LENGTH.match(content, at)
        end = at + int(length[0]) if length else at
        if not length or end > len(content) or content[end - 1 : end] != b"\n":
            raise tarfile.ReadError("a record of an extended header is damaged")
        key, is_record, value = content[length.end() : end - 1].partition(b"=")
        if not is_record:
            raise tarfile.ReadError("a record of an extended header is damaged")
        if key in _KEYS or key.startswith(b"GNU.sparse."):
            yield _text(key), _text(value)
        at = end


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _member(header: tarfile.TarInfo, records: Mapping[str, str]) -> Member:
    name = records.get("GNU.sparse.name", records.get("path", header.name))
    size = header.size
    if "size" in records:
        size = int(records["size"]) if _SIZE.fullmatch(records["size"]) else -1
    if size < 0:
        raise tarfile.ReadError("a member's size is negative")
    return Member(
        name=name.rstrip("/") if header.type == tarfile.DIRTYPE else name,
        link=records.get("linkpath", header.linkname),
        type=header.type,
        size=size,
        is_sparse=any(key.startswith("GNU.sparse.") for key in records),
    )
