"""Packs a module into a `.tar.gz`: the same module gives the same bytes, whenever and by whomever."""

from __future__ import annotations

import dataclasses
import gzip
import hashlib
import os
import tarfile
from collections.abc import Iterator
from typing import IO

from hub_estimator import errors, files, texts
from hub_estimator.progress import Progress
from hub_estimator.resolver import contents, listed

_FILE_MODE, _FOLDER_MODE = 0o644, 0o755
_LEVEL = 6
# So that who gets the archive knows that there is a list with its digest.
_HEADERS = {"comment": listed.COMMENT}


@dataclasses.dataclass(frozen=True)
class Packed:
    """An archive that was written.

    Attributes:
      bytes: its size.
      sha256: its digest.
    """

    bytes: int
    sha256: str


def pack(folder: str, target: str) -> Packed:
    """Writes the archive of a local module folder.

    It has all files of the folder but those at its root whose names begin with a dot, which are
    other programs'. Members are in the order of their names; owners, times and permissions are not
    those of this machine.

    Args:
      folder: the module's folder.
      target: the file to make, which nobody sees before it is moved to its place.

    Raises:
      errors.NotAFileError: the folder holds a link, a named pipe or a device.
      errors.LfsPointerError: a file is a pointer of Git LFS.
      errors.BrokenModuleError: a file changes meanwhile.
    """
    if irregular := contents.find_irregular(folder):
        raise errors.NotAFileError(
            f"The module {folder!r} cannot be published: {texts.one_line(irregular)}. A module has "
            "only files and folders."
        )
    if pointer := contents.find_pointer(folder):
        raise errors.LfsPointerError(
            f"The module {folder!r} has a pointer of Git LFS in place of {pointer!r}: run "
            "`git lfs pull` in the clone that it is in."
        )
    paths = list(_paths(folder))
    total = sum(os.path.getsize(os.path.join(folder, path)) for path, is_file in paths if is_file)
    with open(target, "wb") as file, _progress(folder, total) as progress:
        counted = _Counted(file)
        with (
            gzip.GzipFile("", "wb", _LEVEL, counted, mtime=0) as compressed,
            tarfile.open(
                fileobj=compressed, mode="w|", format=tarfile.PAX_FORMAT, pax_headers=_HEADERS
            ) as tar,
        ):
            for path, is_file in paths:
                _add(tar, folder, path, is_file)
                progress.at(compressed.tell())
        return Packed(counted.size, counted.sha256.hexdigest())


def _paths(folder: str) -> Iterator[tuple[str, bool]]:
    """Yields the path of each member and whether it is a file; each folder comes before its content."""
    for here, folders, names in os.walk(folder):
        relative = os.path.relpath(here, folder)
        is_root = relative == os.curdir
        if is_root:
            folders[:] = [name for name in folders if not name.startswith(".")]
            names = [name for name in names if not name.startswith(".")]
        else:
            yield relative, False
        folders.sort()
        for name in sorted(names):
            yield name if is_root else os.path.join(relative, name), True


def _add(tar: tarfile.TarFile, folder: str, path: str, is_file: bool) -> None:
    member = tarfile.TarInfo(path.replace(os.sep, "/"))
    if not is_file:
        member.type, member.mode = tarfile.DIRTYPE, _FOLDER_MODE
        tar.addfile(member)
        return
    with files.open_file(os.path.join(folder, path)) as file:
        before = os.fstat(file.fileno())
        member.size, member.mode = before.st_size, _FILE_MODE
        try:
            tar.addfile(member, file)
            after = os.fstat(file.fileno())
            is_same = (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns)
        except OSError as error:
            if error.errno is not None:
                raise
            is_same = False  # the end of the file came too early
    if not is_same:
        raise errors.BrokenModuleError(
            f"{path!r} of the module {folder!r} changes while it is published. Publish again once the "
            "module is whole."
        )


def _progress(folder: str, total: int) -> Progress:
    def line(progress: Progress) -> str:
        return f"Packing {folder}: {progress.done / 1e6:.0f} of {total / 1e6:.0f} MB."

    return Progress(
        line, desc=f"Packing {folder}", total=total, unit="B", unit_scale=True, unit_divisor=1000
    )


class _Counted:
    """A file whose bytes are counted, and enter a digest, as they are written."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.size = 0
        self.sha256 = hashlib.sha256()

    def write(self, data: bytes) -> int:
        """Writes bytes to the file."""
        self._file.write(data)
        self.size += len(data)
        self.sha256.update(data)
        return len(data)

    def flush(self) -> None:
        """Flushes the file."""
        self._file.flush()
