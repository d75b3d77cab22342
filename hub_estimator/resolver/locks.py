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

_LOG = logging.getLogger("hub_estimator")
# What would fail in the same way in every process.
_SHARED = (errors.HandleError, errors.NotAModuleError)


@contextlib.contextmanager
def locked(folder: str, handle: Handle) -> Iterator[None]:
    """Holds the lock of one entry of the cache `folder` while the block runs.

    If the block fails in one process, those that were waiting meanwhile fail with the same error:
    many processes without a network are told as quickly as one.

    Raises:
      errors.Error: the one that the process failed with for which this one waited.
    """
    os.makedirs(folder, exist_ok=True)
    # Not `<key>.lock`: to the peer, the mere presence of that file means that it must wait.
    path = os.path.join(folder, f".{handle.key}.flock")
    note = os.path.join(folder, f".{handle.key}.failed")
    began = time.time()

    def waiting() -> None:
        _LOG.info("Waiting for another process that is fetching %s.", handle)

    with locks.held(path, waiting) as waited:
        try:
            if waited:
                _raise_failure_since(note, began)
            yield
        except _SHARED as error:
            if not isinstance(error, errors.CacheError):
                _write_failure(note, error)
            raise
        files.remove(note)


def _write_failure(note: str, error: Exception) -> None:
    content = {"time": time.time(), "kind": type(error).__name__, "message": str(error)}
    with contextlib.suppress(OSError):
        files.write_text(note, json.dumps(content))


def _raise_failure_since(note: str, began: float) -> None:
    try:
        content = json.loads(files.read_bytes(note))
        failed, kind, message = content["time"], content["kind"], content["message"]
    except (OSError, ValueError, TypeError, KeyError):
        return
    error = getattr(errors, str(kind), None)
    if isinstance(error, type) and issubclass(error, _SHARED) and began <= failed <= time.time():
        raise error(str(message))
