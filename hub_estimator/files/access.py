"""Files and folders on the local disk, or on the filesystem that a remote path is of."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
from collections.abc import Callable
from typing import IO

from hub_estimator import errors
from hub_estimator.files.paths import is_remote
from hub_estimator.files.stores import Store
from hub_estimator.files.systems import is_store, system_of

# What Git LFS leaves in place of a file that was not fetched, see its specification.
_POINTER_START = b"version https://git-lfs.github.com/spec/v1"
_POINTER_BYTES = 1024
_CLOSE_ON_EXEC = getattr(os, "O_CLOEXEC", 0)
_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def exists(path: str) -> bool:
    """Whether there is a file or folder at `path`."""
    return system_of(path).exists(path) if is_remote(path) else os.path.exists(path)


def is_there(path: str) -> bool:
    """Whether there is anything at `path`, be it a link that leads nowhere."""
    return exists(path) if is_remote(path) else os.path.lexists(path)


def is_link(path: str) -> bool:
    """Whether there is a link at `path`; remote filesystems have none."""
    return not is_remote(path) and os.path.islink(path)


def is_plain_file(path: str) -> bool:
    """Whether there is a regular file at the local `path` itself, and no link."""
    return os.path.isfile(path) and not os.path.islink(path)


def is_folder(path: str) -> bool:
    """Whether there is a folder at `path`."""
    return system_of(path).is_folder(path) if is_remote(path) else os.path.isdir(path)


def listing(path: str) -> list[str]:
    """Returns the sorted names of what the folder `path` holds."""
    return sorted(system_of(path).listing(path) if is_remote(path) else os.listdir(path))


def size(path: str) -> int:
    """Returns the number of bytes of the file `path`."""
    return system_of(path).size(path) if is_remote(path) else os.path.getsize(path)


def make_folder(path: str) -> None:
    """Makes the folder `path` and those above it; one that is there is fine."""
    if is_remote(path):
        system_of(path).make_folder(path)
    else:
        os.makedirs(path, exist_ok=True)


def remove(path: str) -> None:
    """Removes the file or folder `path`; nothing there is fine."""
    if is_remote(path):
        system_of(path).remove(path)
    elif os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    else:
        with contextlib.suppress(FileNotFoundError):
            os.remove(path)


def move(source: str, target: str, overwrite: bool = False) -> None:
    """Renames `source` to `target`, in one step where the filesystem has one."""
    if is_remote(source):
        system_of(source).move(source, target, overwrite)
    elif overwrite:
        os.replace(source, target)
    else:
        os.rename(source, target)


def open_file(path: str) -> IO[bytes]:
    """Opens the file `path` to read bytes.

    Raises:
      OSError: there is none, or it cannot be read; TensorFlow's own errors where it is remote.
      errors.NotAFileError: it is a folder, a named pipe, a socket or a device. Opening a pipe would
        wait for somebody to write to it, and some devices have no end.
    """
    if is_remote(path):
        return system_of(path).open_file(path)
    # Without blocking, a named pipe opens at once; it makes no difference to files.
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | _CLOSE_ON_EXEC)
    try:
        _check_mode(path, os.fstat(descriptor).st_mode)
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def read_bytes(path: str) -> bytes:
    """Returns the content of the file `path`.

    Raises:
      errors.LfsPointerError: it is a pointer of Git LFS in place of the file.
      errors.NotAFileError: it is no file.
      OSError: see `open_file`.
    """
    with open_file(path) as file:
        content = file.read()
    if len(content) <= _POINTER_BYTES:
        _check_content(path, content)
    return content


def check_file(path: str) -> None:
    """Checks, before somebody else's code reads the file `path`, that it is one to read.

    Raises:
      errors.LfsPointerError: it is a pointer of Git LFS in place of the file.
      errors.NotAFileError: it is a folder, a named pipe, a socket or a device.
      OSError: there is none, or it cannot be read; TensorFlow's own errors where it is remote.
    """
    with open_file(path) as file:
        _check_content(path, file.read(len(_POINTER_START)))


def _check_mode(path: str, mode: int) -> None:
    if stat.S_ISREG(mode):
        return
    kind = next((kind for is_kind, kind in _KINDS if is_kind(mode)), "no file")
    raise errors.NotAFileError(f"{path!r} is {kind}; a regular file is needed here.")


def _check_content(path: str, content: bytes) -> None:
    if content.startswith(_POINTER_START):
        raise errors.LfsPointerError(
            f"{path!r} is a pointer of Git LFS, not the file that it stands for. Fetch the file: "
            "`git lfs pull` in the repository that it is from."
        )


def copy_file(source: str, target: str) -> None:
    """Copies one file; either end may be remote, or both, on one filesystem."""
    if is_remote(source) and is_remote(target):
        system_of(source).copy(source, target)
    elif is_remote(source):
        system_of(source).fetch(source, target)
    elif is_remote(target):
        system_of(target).put(source, target)
    else:
        shutil.copyfile(source, target)


def fetch(path: str, target: str, at: Callable[[int], None]) -> None:
    """Copies the remote file `path` to the local disk.

    Args:
      path: the file.
      target: where to.
      at: called with the number of bytes that have arrived, where the filesystem tells; what it
        raises ends the copy.
    """
    if is_store(path):
        Store().fetch(path, target, at)
    else:
        copy_file(path, target)


def link_or_copy(source: str, target: str) -> None:
    """Makes `target` another name of the file `source`, or a copy where there are no links."""
    if not is_remote(source):
        with contextlib.suppress(OSError):
            os.link(source, target)
            return
    copy_file(source, target)
