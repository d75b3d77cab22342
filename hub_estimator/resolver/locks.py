"""One process at a time fetches an entry; the operating system frees the lock of the dead."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import time
from collections.abc import Iterator

from hub_estimator import errors, files
from hub_estimator.files import locks
from hub_estimator.resolver.handle import Handle

_logger = logging.getLogger("hub_estimator")
# What would fail in the same way in every process of a user.
_SHARED = (errors.HandleError, errors.NotAModuleError, errors.LfsPointerError)
_MAX_NOTE = 1 << 16


@contextlib.contextmanager
def locked(folder: str, handle: Handle) -> Iterator[None]:
    """Holds the lock of one entry of the cache `folder` while the block runs.

    If the block fails in one process, those of the same user that were waiting meanwhile fail with
    the same error: many processes without a network are told as quickly as one. Another user tries
    again, maybe with another login.

    Raises:
      errors.Error: the one that the process failed with for which this one waited.
    """
    os.makedirs(folder, exist_ok=True)
    path = lock_path(folder, handle)
    note = os.path.join(folder, f".{handle.key}.failed")
    began = time.time()

    def waiting() -> None:
        _logger.info("Waiting for another process that is fetching %s.", handle)

    with locks.held(path, waiting) as waited:
        try:
            if waited:
                _raise_failure_since(note, began)
            yield
        except _SHARED as error:
            if not isinstance(error, errors.CacheError):
                _write_failure(note, error)
            raise
        with contextlib.suppress(OSError):  # another user's
            files.remove(note)


def lock_path(folder: str, handle: Handle) -> str:
    """Returns where the lock of one entry of the cache `folder` is."""
    # Not `<key>.lock`: to the peer, the mere presence of that file means that it must wait.
    return os.path.join(folder, f".{handle.key}.flock")


def _write_failure(note: str, error: Exception) -> None:
    content = {"time": time.time(), "kind": type(error).__name__, "message": str(error)}
    with contextlib.suppress(OSError):
        files.write_text(note, json.dumps(content))


def _raise_failure_since(note: str, began: float) -> None:
    try:
        content = json.loads(_read_own(note))
        failed, kind, message = content["time"], content["kind"], content["message"]
        is_of_the_wait = began <= failed <= time.time()
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return
    error = getattr(errors, str(kind), None)
    if is_of_the_wait and isinstance(error, type) and issubclass(error, _SHARED):
        raise error(str(message))


def _read_own(path: str) -> bytes:
    """Returns the content of a small file of this user; an `OSError` where it is not."""
    with files.open_file(path) as file:
        if hasattr(os, "geteuid") and os.fstat(file.fileno()).st_uid != os.geteuid():
            raise PermissionError(f"{path} is of another user")
        return file.read(_MAX_NOTE)
