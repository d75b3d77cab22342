"""The journal: what jobs did, one JSON object a line, only ever added to, each on the disk at once.

| event | what it says |
|---|---|
| `publishing` | a version is about to appear at `place`: its step and checkpoint |
| `published` | it is there: its name, path, metrics; `then` where a command is still to follow |
| `removed` | a version was removed by `Keep` |
| `then` | the command after the versions published so far succeeded |
| `held_back` | a gate speaks against a checkpoint |
| `failed` | a run failed: why |

A line that a kill or a full disk cut short is the last one; who reads passes over it, and who writes
next takes it away.
"""

from __future__ import annotations

import datetime
import errno
import json
import os
import threading
from collections.abc import Mapping
from typing import Any

from hub_estimator import errors, files, json_text

Event = Mapping[str, Any]


def read(path: str) -> list[Event]:
    """Returns the events of a journal, the oldest first; none where there is no journal.

    Args:
      path: the journal. Somebody may be writing to it.

    Raises:
      errors.DataFileError: a line that is whole is no event.
    """
    if not os.path.exists(path):
        return []
    whole, _, _ = files.read_bytes(path).rpartition(b"\n")
    lines = whole.split(b"\n") if whole else []
    return [_parsed(path, number, line) for number, line in enumerate(lines, 1)]


class Journal:
    """A journal that is written to, by one process at a time, which may have several threads.

    Args:
      path: the journal; the folder is there.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._lock = threading.Lock()
        is_new = not os.path.exists(path)
        self._descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
        _take_torn_line_away(path)
        if is_new:
            files.flush_folder(files.parent(path))

    def add(self, job: str, event: str, **more: Any) -> Event:
        """Adds an event; it is on the disk when this returns.

        Args:
          job: the name of the job.
          event: what happened.
          **more: what else there is to say, as JSON has it.

        Raises:
          OSError: it cannot be written; then nothing of it is there.
        """
        now = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds")
        content = {"time": now, "job": job, "event": event, **more}
        line = json.dumps(content, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"
        with self._lock:
            before = os.fstat(self._descriptor).st_size
            try:
                written = os.write(self._descriptor, line)
                if written < len(line):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), self.path)
                os.fsync(self._descriptor)
            except OSError:
                os.ftruncate(self._descriptor, before)
                raise
        return content

    def close(self) -> None:
        """Closes the file."""
        os.close(self._descriptor)


def _take_torn_line_away(path: str) -> None:
    content = files.read_bytes(path)
    whole = content.rfind(b"\n") + 1
    if whole < len(content):
        os.truncate(path, whole)
        files.flush_file(path)


def _parsed(path: str, number: int, line: bytes) -> Event:
    try:
        content = json_text.parse(line)
        if not all(isinstance(content[key], str) for key in ("time", "job", "event")):
            raise ValueError("it is no event")
    except (ValueError, TypeError, KeyError) as error:
        raise errors.DataFileError(
            f"Line {number} of the journal {path!r} is no event: {line[:60]!r}. Remove the line; of "
            "what it said, the versions themselves tell most."
        ) from error
    return content
