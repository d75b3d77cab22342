"""Flushing to the disk: after a power cut there is what was before, or what was written, whole."""

from __future__ import annotations

import errno
import os
from typing import IO

from hub_estimator.files.paths import is_remote

# What filesystems say that cannot flush a folder: they keep it in order by themselves.
_NOT_FOR_FOLDERS = (errno.EINVAL, errno.ENOTSUP, errno.EACCES, errno.EPERM)


def flush_open(file: IO[bytes]) -> None:
    """Flushes an open local file."""
    file.flush()
    os.fsync(file.fileno())


def flush_file(path: str) -> None:
    """Flushes the file `path`; a remote filesystem has done so when it closed the file."""
    if not is_remote(path):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def flush_folder(path: str) -> None:
    """Flushes which entries the folder `path` has; not what is in them."""
    if is_remote(path):
        return
    try:
        flush_file(path or ".")
    except OSError as error:
        if error.errno not in _NOT_FOR_FOLDERS:
            raise


def flush_tree(path: str) -> None:
    """Flushes the folder `path` with all files and folders in it; links are not followed."""
    if is_remote(path):
        return
    for folder, _, names in os.walk(path):
        for name in names:
            whole = os.path.join(folder, name)
            if not os.path.islink(whole):
                flush_file(whole)
        flush_folder(folder)
