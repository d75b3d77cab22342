"""Locks of the operating system: one holder at a time, and the dead hold none."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import filelock

from hub_estimator import errors, json_text
from hub_estimator.files.access import make_folder, open_file, read_bytes, remove
from hub_estimator.files.paths import is_remote, join, user_cache_folder
from hub_estimator.files.whole import write_text

_POLL_SECS = 0.05
_SAY_WAITING_SECS = 10.0
# What network filesystems without locks say.
_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP)


@contextlib.contextmanager
def held(path: str, waiting: Callable[[], None] | None = None) -> Iterator[bool]:
    """Holds a lock for the time of a `with` block; waits for it as long as it takes.

    Args:
      path: the lock's file, on the local disk, in a folder that is there. It stays.
      waiting: called when this waits for another holder, at once and every ten seconds.

    Yields:
      Whether somebody else held it meanwhile.

    Raises:
      OSError: the file cannot be made or opened.
    """
    lock: filelock.BaseFileLock | _OthersLock = filelock.FileLock(path)
    timeout = 0.0
    while not lock.is_locked:
        try:
            lock.acquire(timeout=timeout, poll_interval=_POLL_SECS)
        except filelock.Timeout:
            if timeout and waiting is not None:
                waiting()
            timeout = _SAY_WAITING_SECS
        except PermissionError:
            if isinstance(lock, _OthersLock) or not os.path.exists(path):
                raise
            lock = _OthersLock(path)
    try:
        yield timeout > 0
    finally:
        lock.release()


class _OthersLock:
    """A lock whose file another user made, and only lets read: that is enough to hold it."""

    def __init__(self, path: str):
        self._path = path
        self._file = open_file(path)
        self.is_locked = False

    def acquire(self, timeout: float, poll_interval: float) -> None:
        """Takes the lock; raises a `filelock.Timeout` if it is not free for `timeout` seconds."""
        end = time.monotonic() + timeout
        while not filelock.lock_descriptor(self._file.fileno(), blocking=False):
            if time.monotonic() >= end:
                raise filelock.Timeout(self._path)
            time.sleep(poll_interval)
        self.is_locked = True

    def release(self) -> None:
        """Gives the lock back."""
        self._file.close()


@contextlib.contextmanager
def held_if_free(path: str) -> Iterator[bool]:
    """Holds a lock for the time of a `with` block where nobody else does; waits for nobody.

    Args:
      path: the lock's file; see `held`.

    Yields:
      Whether it is held.

    Raises:
      OSError: the file cannot be made or opened.
    """
    lock = filelock.FileLock(path)
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        yield False
        return
    try:
        yield True
    finally:
        lock.release()


@contextlib.contextmanager
def held_alone(path: str) -> Iterator[None]:
    """Holds a lock for the time of a `with` block; where somebody else does, says who.

    Args:
      path: the lock's file; see `held`. Beside it, `<path>.holder` says who holds it.

    Raises:
      errors.LockHeldError: somebody else holds it.
      OSError: the file cannot be made or opened.
    """
    holder = f"{path}.holder"
    with held_if_free(path) as is_held:
        if not is_held:
            raise errors.LockHeldError(_who(holder))
        try:
            started = time.strftime("%Y-%m-%d %H:%M:%S")
            about = {"pid": os.getpid(), "host": socket.gethostname(), "since": started}
            write_text(holder, json.dumps(about) + "\n")
            yield
        finally:
            remove(holder)


@contextlib.contextmanager
def where_possible(
    hold: Callable[[str], contextlib.AbstractContextManager[Any]],
    path: str,
    without: Callable[[OSError], None] | None = None,
) -> Iterator[None]:
    """Holds a lock for the time of a `with` block; on a filesystem without locks it holds nothing.

    Args:
      hold: `held` or `held_alone`.
      path: the lock's file; see `held`.
      without: called with what the filesystem said, where it has none.

    Raises:
      errors.LockHeldError: see `held_alone`.
      OSError: the file cannot be made or opened.
    """
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(hold(path))
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise
            if without is not None:
                without(error)
        yield


@contextlib.contextmanager
def held_folder(path: str) -> Iterator[None]:
    """Holds a folder itself for the time of a `with` block, and leaves nothing in it.

    Waits for another holder as long as it takes. Where there are no such locks, as on some network
    filesystems, it holds nothing.

    Args:
      path: the folder, which is there; or a place of a store, see `file_of`.

    Raises:
      OSError: it cannot be opened.
    """
    if is_remote(path):
        with where_possible(held, file_of(path)):
            yield
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        with contextlib.suppress(ImportError, OSError):
            import fcntl  # of Unix alone

            fcntl.flock(descriptor, fcntl.LOCK_EX)  # goes when the file is closed
        yield
    finally:
        os.close(descriptor)


def file_of(path: str) -> str:
    """Returns the path of the lock's file of a place.

    That is its own on the local disk. Stores have no locks: there it is a file of this user on this
    machine, so that the lock keeps out no others.

    Args:
      path: what the lock's file would be.
    """
    if not is_remote(path):
        return path
    folder = join(user_cache_folder(), "locks")
    make_folder(folder)
    return join(folder, f"{hashlib.sha256(path.encode()).hexdigest()[:40]}.lock")


def _who(holder: str) -> str:
    """Returns who holds a lock, as far as that is known: `process 12 on host since ...`."""
    try:
        about = json_text.parse(read_bytes(holder))
        return f"process {about['pid']} on {about['host']!r} since {about['since']}"
    except (OSError, ValueError, TypeError, KeyError):  # it is just beginning, or ending
        return "another process"
