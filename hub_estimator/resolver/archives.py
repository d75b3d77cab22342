"""Unpacks a tar archive that nobody vouches for: only plain files and folders below the target.

What an archive says of owners, permissions and times is not applied. Anything that could write
elsewhere, or hide behind the archive's end, is refused before it has an effect. A file that comes
again, as where a folder and then its files were packed, replaces the earlier one.
"""

from __future__ import annotations

import contextlib
import dataclasses
import gzip
import os
import re
import tarfile
import unicodedata
import zlib
from collections.abc import Iterator
from typing import BinaryIO, cast

from hub_estimator import errors, files, texts
from hub_estimator.resolver import tars
from hub_estimator.resolver.tars import Member, Stream

_FILES = (tarfile.REGTYPE, tarfile.AREGTYPE)
_KINDS = {
    tarfile.LNKTYPE: "a hard link",
    tarfile.SYMTYPE: "a symbolic link",
    tarfile.CHRTYPE: "a character device",
    tarfile.BLKTYPE: "a block device",
    tarfile.FIFOTYPE: "a named pipe",
    tarfile.CONTTYPE: "a contiguous file",
    tarfile.GNUTYPE_SPARSE: "a sparse file",
}
_GZIP = b"\x1f\x8b"
_FORMATS = {
    b"PK\x03\x04": "a zip file",
    b"PK\x05\x06": "a zip file",
    b"BZh": "compressed by bzip2",
    b"\xfd7zXZ\x00": "compressed by xz",
    b"\x28\xb5\x2f\xfd": "compressed by zstandard",
    b"7z\xbc\xaf": "a 7z file",
    b"\x89HDF": "an HDF5 file, as Keras writes models",
    # The first fields of a SavedModel: its schema, 1, and a graph.
    b"\x08\x01\x12": "a bare saved_model.pb",
}
_PAGE = re.compile(rb"(\xef\xbb\xbf)?\s*<(!doctype|html|head|body|\?xml|!--)", re.IGNORECASE)
# Deeper folders are trouble for whoever walks through them; a module needs three.
_MAX_DEPTH = 64
_MAX_NAME = 255
_MAX_PATH = 2048


@dataclasses.dataclass(frozen=True)
class Limits:
    """How large what is unpacked may be.

    Attributes:
      unpacked_bytes: of the whole tar stream, headers included.
      members: of files and folders together, those that replace others included.
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
      The number of bytes in the files that are there.

    Raises:
      errors.UnsafeArchiveError: it holds what must not be unpacked.
      errors.BrokenArchiveError: it is no gzip or plain tar, or is damaged or cut short.
      errors.LfsPointerError: it is a pointer of Git LFS.
      errors.NotAFileError: it is no file.
    """
    _check_is_no_pointer(archive, shown)
    with files.open_file(archive) as file, _broken_archives_explained(shown):
        start = file.read(tars.BLOCK)
        file.seek(0)
        _check_format(start, shown)
        source = gzip.GzipFile(fileobj=file) if is_gzip(start) else file
        stream = Stream(cast(BinaryIO, source), limits.unpacked_bytes, shown)
        size = _unpack_members(stream, folder, limits, shown)
        stream.expect_only_zeros()
        return size


def check_size(size: int, limit: int, shown: str) -> None:
    """Checks the size of an archive: none is larger than what may come out of it.

    Args:
      size: in bytes.
      limit: see `Limits.unpacked_bytes`.
      shown: what messages call the archive.

    Raises:
      errors.UnsafeArchiveError: it is larger.
    """
    if size > limit:
        raise errors.UnsafeArchiveError(
            f"{shown} has more than {limit} bytes: if it is to be trusted, raise the limit by "
            "HUB_ESTIMATOR_MAX_UNPACKED_BYTES."
        )


def is_gzip(start: bytes) -> bool:
    """Whether a file that begins so is compressed by gzip, which finds damages by itself."""
    return start.startswith(_GZIP)


def format_of(start: bytes) -> str:
    """Returns what a file is that begins so, in words; empty if it may be a tar, or is unknown."""
    if not start:
        return "an empty file"
    if _PAGE.match(start):
        return "a web page"
    return next((text for magic, text in _FORMATS.items() if start.startswith(magic)), "")


def _check_is_no_pointer(archive: str, shown: str) -> None:
    try:
        files.check_file(archive)
    except errors.LfsPointerError as error:
        raise errors.LfsPointerError(
            f"{shown} is a pointer of Git LFS, not the archive that it stands for: take the archive "
            "from a clone after `git lfs pull`, or use the URL that downloads the file itself."
        ) from error


def _check_format(start: bytes, shown: str) -> None:
    if what := format_of(start):
        raise errors.BrokenArchiveError(
            f"{shown} is {what}, not a gzip or plain tar archive: check that the handle leads to "
            "a .tar.gz whose root is the module."
        )


@contextlib.contextmanager
def _broken_archives_explained(shown: str) -> Iterator[None]:
    try:
        yield
    except (tarfile.TarError, EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise errors.BrokenArchiveError(
            f"{shown} is not a whole gzip or plain tar archive ({error}): it is damaged or cut "
            "short; fetch or pack it again."
        ) from error


def _unpack_members(stream: Stream, folder: str, limits: Limits, shown: str) -> int:
    tree = _Tree(folder, limits, shown)
    for member in tars.read_members(stream, shown):
        if tree.has_again(member):
            continue
        names = _safe_names(member, shown)
        if member.type == tarfile.DIRTYPE:
            tree.add_folder(names, member.name)
        else:
            tree.add_file(names, member, stream)
    return tree.size


class _Tree:
    """What has been unpacked below a folder.

    Args:
      root: the folder.
      limits: how much it may be.
      shown: what messages call the archive.
    """

    def __init__(self, root: str, limits: Limits, shown: str):
        self._root = root
        self._limits = limits
        self._shown = shown
        self._members = 0
        self._folders: set[tuple[str, ...]] = {()}
        self._sizes: dict[tuple[str, ...], int] = {}

    @property
    def size(self) -> int:
        """The number of bytes in all files."""
        return sum(self._sizes.values())

    def has_again(self, member: Member) -> bool:
        """Whether a member is a file that is there, as a link to itself: GNU tar stores it so."""
        names = _names(member.name)
        is_link = member.type == tarfile.LNKTYPE and not member.size
        return is_link and names in self._sizes and names == _names(member.link)

    def add_folder(self, names: tuple[str, ...], given: str) -> None:
        """Makes a folder and those above it; one that is there is fine.

        Args:
          names: the names that its path is made of.
          given: the path as the archive has it.
        """
        self._count()
        self._make_folders(names, given)

    def add_file(self, names: tuple[str, ...], member: Member, stream: Stream) -> None:
        """Writes a file, whose content comes next in `stream`; replaces an earlier one."""
        self._count()
        self._make_folders(names[:-1], member.name)
        if names in self._folders:
            raise self._clash(member.name)
        path = os.path.join(self._root, *names)
        # Only what this archive wrote is replaced, not what has an equal name for the filesystem.
        if names in self._sizes:
            os.remove(path)
        self._sizes[names] = member.size
        try:
            with open(path, "xb") as target:
                target.writelines(stream.chunks(member.size))
        except FileExistsError as error:
            raise self._clash(member.name) from error

    def _make_folders(self, names: tuple[str, ...], given: str) -> None:
        if names in self._folders:
            return
        for depth in range(1, len(names) + 1):
            if names[:depth] in self._folders:
                continue
            if names[:depth] in self._sizes:
                raise self._clash(given)
            self._count()
            try:
                os.mkdir(os.path.join(self._root, *names[:depth]))
            except FileExistsError as error:
                raise self._clash(given) from error
            self._folders.add(names[:depth])

    def _count(self) -> None:
        self._members += 1
        if self._members > self._limits.members:
            raise errors.UnsafeArchiveError(
                f"{self._shown} has more than {self._limits.members} members: a module has a few "
                "dozen."
            )

    def _clash(self, given: str) -> errors.UnsafeArchiveError:
        return errors.UnsafeArchiveError(
            f"{self._shown} holds {texts.shown(given)}, which would replace what came before under "
            "that name."
        )


def _safe_names(member: Member, shown: str) -> tuple[str, ...]:
    """Returns the names of the folders, and the file, that the member's path is made of."""
    reason = _why_unsafe(member)
    if reason:
        raise errors.UnsafeArchiveError(
            f"{shown} holds {texts.shown(member.name)}, which is refused: {reason}. A module's "
            "archive has only files and folders, by relative paths."
        )
    return _names(member.name)


def _names(path: str) -> tuple[str, ...]:
    return tuple(name for name in path.split("/") if name not in ("", "."))


def _why_unsafe(member: Member) -> str:
    name = member.name
    if member.type not in (*_FILES, tarfile.DIRTYPE) or member.is_sparse:
        return f"it is {_KINDS.get(member.type, 'a sparse file or of an unknown type')}"
    if reason := why_unsafe_name(name):
        return reason
    if member.type == tarfile.DIRTYPE and member.size:
        return "its size is impossible"
    if member.type in _FILES and (name.endswith("/") or not set(name.split("/")) - {"", "."}):
        return "it is a file where a folder is"
    return ""


def why_unsafe_name(name: str) -> str:
    """Returns why nothing may be written by a path within a folder, in words; empty if it may.

    Args:
      name: the path, as somebody gave it whom nobody vouches for; with `/`.
    """
    names = name.split("/")
    try:
        encoded = [part.encode("utf-8") for part in names]
    except UnicodeEncodeError:
        return "its name is not UTF-8"
    if name.startswith("/") or name[1:2] == ":":
        return "its path is absolute"
    if ".." in names:
        return "its path leads upwards"
    if "\\" in name or any(unicodedata.category(letter) == "Cc" for letter in name):
        return "its name has a backslash or a control character"
    if max(map(len, encoded)) > _MAX_NAME or sum(map(len, encoded)) + len(names) > _MAX_PATH:
        return "its name is too long"
    if len(names) > _MAX_DEPTH:
        return f"it is more than {_MAX_DEPTH} folders deep"
    return ""
