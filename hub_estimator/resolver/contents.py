"""What is in the folder of an entry: files in folders, and nothing else is followed or opened."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

from hub_estimator import errors, files


def file_paths(folder: str) -> list[str]:
    """Returns the sorted paths of what the local `folder` holds but folders, with `/`.

    Raises:
      OSError: a folder cannot be read.
    """
    return sorted(path for path, _ in _walk(folder))


def find_irregular(folder: str) -> str:
    """Returns what in the local `folder` is no file, in words; empty if all are.

    Raises:
      OSError: a folder cannot be read.
    """
    for path, entry in _walk(folder):
        if entry.is_symlink():
            return f"{path} is a link"
        if not entry.is_file():
            return f"{path} is no file"
    return ""


def find_pointer(folder: str) -> str:
    """Returns the path of a file in the local `folder` that is a pointer of Git LFS; else empty.

    Raises:
      OSError: a folder or a file cannot be read.
    """
    for path in file_paths(folder):
        try:
            files.check_file(os.path.join(folder, path))
        except errors.LfsPointerError:
            return path
    return ""


def total_size(folder: str) -> int:
    """Returns the number of bytes in all files of the local `folder`, as far as they can be seen."""
    total = 0
    with contextlib.suppress(OSError):
        for _, entry in _walk(folder):
            total += entry.stat(follow_symlinks=False).st_size
    return total


def _walk(folder: str) -> Iterator[tuple[str, os.DirEntry[str]]]:
    # `os.walk` follows each nested folder by a nested call in some releases of Python.
    pending = [""]
    while pending:
        here = pending.pop()
        with os.scandir(os.path.join(folder, here)) as entries:
            for entry in entries:
                path = f"{here}/{entry.name}" if here else entry.name
                if entry.is_dir(follow_symlinks=False):
                    pending.append(path)
                else:
                    yield path, entry
