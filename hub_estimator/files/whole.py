"""Files and folders that appear whole or not at all, and what killed processes left of them.

What is being written has a scratch name beside its place, `.<name>.tmp-<machine>-<pid>-<random>`. It
is flushed to the disk before it is renamed, and so is the folder with the new name after it.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import hashlib
import os
import re
import secrets
import tempfile
import time
from collections.abc import Iterator
from typing import Any

from hub_estimator.files.access import (
    exists,
    is_folder,
    listing,
    make_folder,
    move,
    remove,
)
from hub_estimator.files.flushing import flush_folder, flush_open, flush_tree
from hub_estimator.files.paths import is_remote, join, parent
from hub_estimator.files.systems import is_store, system_of

_SCRATCH = re.compile(r"^\..*\.tmp-(?P<machine>[0-9a-f]{8})-(?P<pid>\d+)-[0-9a-f]{8}$")
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_NOT_WRITABLE = (errno.EACCES, errno.EPERM, errno.EROFS)


def write_bytes(path: str, content: bytes) -> None:
    """Writes the file `path` whole or not at all, replacing one that is there."""
    with whole_file(path) as file:
        file.write(content)


def write_text(path: str, content: str) -> None:
    """Writes the file `path` in UTF-8, whole or not at all, replacing one that is there."""
    write_bytes(path, content.encode("utf-8"))


@contextlib.contextmanager
def whole_file(path: str) -> Iterator[Any]:
    """Gives a file to write bytes to that becomes `path` when the block ends without an exception.

    It replaces one that is there. After an exception nothing of it remains.

    Args:
      path: the file to make.

    Yields:
      The open file.
    """
    scratch = scratch_beside(path)
    try:
        if is_remote(path):
            with system_of(path).whole_file(path, scratch) as file:
                yield file
            return
        with open(scratch, "wb") as file:
            yield file
            flush_open(file)
        move(scratch, path, overwrite=True)
        flush_folder(parent(path))
    except OSError as error:
        if error.errno in NO_ROOM and error.filename is None:  # writing does not say of what
            error.filename = path
        raise
    finally:
        if not is_remote(path):
            remove(scratch)


@contextlib.contextmanager
def whole_folder(path: str, last: str | None = None) -> Iterator[str]:
    """Gives a scratch folder that becomes `path` when the block ends without an exception.

    Where nothing is at `path`, that is one rename. Where a folder is, its entries stay, and the new
    ones move in, the file named `last` after all others: a reader that waits for it sees the rest.
    A kill between these moves leaves entries without `last`, which the next run refuses: nothing
    tells them from other people's.
    After an exception (also Ctrl-C) nothing of the scratch folder remains.

    Args:
      path: the folder to make.
      last: the name of the file that makes the folder valid.

    Yields:
      The path of an empty folder on the same filesystem as `path`.

    Raises:
      FileExistsError: the folder has one of the new entries, or `last`, already.
    """
    path = path.rstrip("/") or path
    if parent(path):
        make_folder(parent(path))
    scratch = scratch_beside(path)
    try:
        make_folder(scratch)
        yield scratch
        flush_tree(scratch)
        if not _move_whole(scratch, path):
            _move_into(scratch, path, last)
        flush_folder(parent(path))
    finally:
        remove(scratch)


@contextlib.contextmanager
def scratch_folder(folder: str, name: str, elsewhere: bool = False) -> Iterator[str]:
    """Gives a folder within `folder` that is removed, with what is in it, when the block ends.

    Args:
      folder: the folder above; one of a store has the scratch folder on the local disk.
      name: what its name tells about what it is for.
      elsewhere: whether it may be in the system's folder for temporary files, where a local `folder`
        cannot be written to.

    Yields:
      The path of an empty folder, which `remove_abandoned` finds after a kill.
    """
    scratch = scratch_beside(join(folder, name))
    try:
        try:
            if is_store(folder):
                scratch = _temporary(name)
            else:
                make_folder(scratch)
        except OSError as error:
            if not elsewhere or error.errno not in _NOT_WRITABLE:
                raise
            scratch = _temporary(name)
        yield scratch
    finally:
        remove(scratch)


def _temporary(name: str) -> str:
    """Makes a folder, for this user alone, in the system's folder for temporary files."""
    remove_abandoned(tempfile.gettempdir())
    scratch = scratch_beside(join(tempfile.gettempdir(), name))
    os.mkdir(scratch, 0o700)
    return scratch


def _move_whole(scratch: str, path: str) -> bool:
    """Moves the folder to its place in one step; False where there is something already."""
    if exists(path):
        return False
    try:
        move(scratch, path)
    except OSError:
        if not exists(path):
            raise
        return False  # another process made it meanwhile
    return True


def _move_into(scratch: str, path: str, last: str | None) -> None:
    names = listing(scratch)
    there = [name for name in names if exists(join(path, name))]
    if there:
        raise FileExistsError(f"There is already {', '.join(map(repr, there))} in {path}.")
    for name in sorted(names, key=lambda name: (name == last, name)):
        if name == last:
            flush_folder(path)
        move(join(scratch, name), join(path, name))
    flush_folder(path)


def remove_at_once(path: str) -> None:
    """Removes the file or folder `path` so that nobody finds a part of it; nothing there is fine.

    Object stores have no rename, so there a folder goes file by file.
    """
    if is_remote(path) or not exists(path):
        remove(path)
        return
    scratch = scratch_beside(path)
    move(path, scratch)
    remove(scratch)


def switch_link(path: str, name: str) -> None:
    """Makes `path` lead to `name`, an entry of the same folder, in one step; replaces a link.

    Where there are no links, on remote filesystems, `path` is a text file that holds the name.
    """
    if is_remote(path):
        write_text(path, name)
        return
    scratch = scratch_beside(path)
    try:
        os.symlink(name, scratch)
        os.replace(scratch, path)
        flush_folder(parent(path))
    finally:
        remove(scratch)


def remove_abandoned(folder: str, older_than_secs: float = 86400.0) -> list[str]:
    """Removes what killed processes left unfinished in a local `folder`; returns the paths.

    What another user left stays where this one may not remove it.

    Args:
      folder: a folder in which `whole_folder` or `write_bytes` made entries; a remote one stays as
        it is.
      older_than_secs: younger ones of other machines may still be written by a living process. Those
        of this machine go as soon as their process is gone.
    """
    removed: list[str] = []
    names: list[str] = []
    with contextlib.suppress(OSError):  # some folders can be written to, and not be listed
        names = listing(folder) if not is_remote(folder) and is_folder(folder) else []
    for name in names:
        path = join(folder, name)
        # Also where another process finished or removed it meanwhile.
        with contextlib.suppress(OSError):
            age_secs = time.time() - os.lstat(path).st_mtime
            if is_abandoned(name, age_secs, older_than_secs):
                remove(path)
                removed.append(path)
    return removed


def is_abandoned(name: str, age_secs: float, older_than_secs: float = 86400.0) -> bool:
    """Whether what has a scratch name is left of a killed process; False for any other name.

    Args:
      name: the name, without the folder.
      age_secs: how old it is.
      older_than_secs: see `remove_abandoned`.
    """
    scratch = _SCRATCH.match(name)
    return scratch is not None and (
        _is_of_a_dead_process(scratch["machine"], int(scratch["pid"])) or age_secs > older_than_secs
    )


def scratch_beside(path: str) -> str:
    """Returns a name that nothing has yet, in the folder of `path`, for what will become `path`."""
    # Starts with a dot: readers that list the parent (timestamped exports) pass it over.
    owner = f"{_machine()}-{os.getpid()}"
    name = f".{os.path.basename(path)}.tmp-{owner}-{secrets.token_hex(4)}"
    folder = parent(path)
    return f"{folder}{name}" if folder.endswith("://") else join(folder, name)


@functools.cache
def _machine() -> str:
    """What tells this start of this machine, or container, from others: 8 hexadecimal digits."""
    parts = [os.uname().nodename if hasattr(os, "uname") else ""]
    with contextlib.suppress(OSError):  # elsewhere than on Linux
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            parts.append(file.read())
        # Process numbers mean something within one namespace.
        parts.append(os.readlink("/proc/self/ns/pid"))
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:8]


def _is_of_a_dead_process(machine: str, pid: int) -> bool:
    if machine != _machine():
        return False
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return True
    except OSError:  # somebody else's process
        return False
    return False
