"""Files and folders on the local disk, or on a filesystem that `tf.io.gfile` knows."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
from typing import IO, Any

from hub_estimator import errors
from hub_estimator.files.paths import is_remote, join

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


def gfile() -> Any:
    """Returns `tf.io.gfile`; imported at the first use."""
    import tensorflow as tf

    return tf.io.gfile


def exists(path: str) -> bool:
    """Whether there is a file or folder at `path`."""
    return gfile().exists(path) if is_remote(path) else os.path.exists(path)


def is_taken(path: str) -> bool:
    """Whether there is anything at `path`: a link, too, that leads to nothing."""
    return exists(path) if is_remote(path) else os.path.lexists(path)


def is_folder(path: str) -> bool:
    """Whether there is a folder at `path`."""
    return gfile().isdir(path) if is_remote(path) else os.path.isdir(path)


def listing(path: str) -> list[str]:
    """Returns the sorted names of what the folder `path` holds."""
    names = gfile().listdir(path) if is_remote(path) else os.listdir(path)
    return sorted(name.rstrip("/") for name in names)


def size(path: str) -> int:
    """Returns the number of bytes of the file `path`."""
    return gfile().stat(path).length if is_remote(path) else os.path.getsize(path)


def make_folder(path: str) -> None:
    """Makes the folder `path` and those above it; one that is there is fine."""
    if is_remote(path):
        gfile().makedirs(path)
    else:
        os.makedirs(path, exist_ok=True)


def remove(path: str) -> None:
    """Removes the file or folder `path`; nothing there is fine."""
    if is_remote(path):
        if gfile().isdir(path):
            gfile().rmtree(path)
        elif gfile().exists(path):
            gfile().remove(path)
    elif os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    else:
        with contextlib.suppress(FileNotFoundError):
            os.remove(path)


def move(source: str, target: str, overwrite: bool = False) -> None:
    """Renames `source` to `target`, in one step where the filesystem has one."""
    if is_remote(source):
        if gfile().isdir(source):
            _move_remote_folder(source, target)
        else:
            gfile().rename(source, target, overwrite=overwrite)
    elif overwrite:
        os.replace(source, target)
    else:
        os.rename(source, target)


def _move_remote_folder(source: str, target: str) -> None:
    # Object stores and `ram://` have no rename of folders. Files come after folders: what makes a
    # folder valid is a file, and the last in its order or alone.
    make_folder(target)
    names = listing(source)
    for name in sorted(names, key=lambda name: (not is_folder(join(source, name)), name)):
        move(join(source, name), join(target, name), overwrite=True)
    remove(source)


def open_file(path: str) -> IO[bytes]:
    """Opens the file `path` to read bytes.

    Raises:
      OSError: there is none, or it cannot be read; TensorFlow's own errors where it is remote.
      errors.NotAFileError: it is a folder, a named pipe, a socket or a device. Opening a pipe would
        wait for somebody to write to it, and some devices have no end.
    """
    if is_remote(path):
        return gfile().GFile(path, "rb")
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
    """Copies one file; either end may be remote."""
    if is_remote(source) or is_remote(target):
        gfile().copy(source, target, overwrite=True)
    else:
        shutil.copyfile(source, target)


def link_or_copy(source: str, target: str) -> None:
    """Makes `target` another name of the file `source`, or a copy where there are no links."""
    if not is_remote(source):
        with contextlib.suppress(OSError):
            os.link(source, target)
            return
    copy_file(source, target)
