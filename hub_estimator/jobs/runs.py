"""What is remembered of each job's last run, in one small file that is written whole.

The journal has what must never be forgotten. This only says when and how a job was run last: should
it be lost, jobs look once more than they need to.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import math
import os
import threading
from collections.abc import Mapping

from hub_estimator import files, json_text
from hub_estimator.jobs.schedules import Schedule

_AHEAD_SECS = 60.0  # that clocks may differ by, or be put back, without anybody meaning it
_FIRST_PAUSE_SECS = 60.0
_LONGEST_PAUSE_SECS = 3600.0

# What each attribute of a last run can be.
_TIME = (float, type(None))
_WORD = (str, type(None))
_KINDS: Mapping[str, tuple[type, ...]] = {
    "first": (float,),
    "began": _TIME,
    "ended": _TIME,
    "export_secs": _TIME,
    "result": _WORD,
    "said": (str,),
    "key": _WORD,
    "failures": (int,),
    "has_folder": (bool,),
}

_logger = logging.getLogger("hub_estimator")


@dataclasses.dataclass(frozen=True)
class LastRun:
    """What is remembered of a job. All times are in seconds since 1970.

    Attributes:
      first: since when the job is known.
      began: when it was run last; None is never.
      ended: when that ended.
      result: how: `"published"`, `"unchanged"`, `"held_back"`, `"waiting"` or `"failed"`.
      said: a sentence about it.
      key: the candidate that it looked at; see `Candidate.key`.
      failures: how many runs failed since one did not.
      has_folder: whether the model folder was there.
      export_secs: how long the last export took.

    Raises:
      TypeError: an attribute is none, as where a file has something else.
      ValueError: likewise.
    """

    first: float
    began: float | None = None
    ended: float | None = None
    result: str | None = None
    said: str = ""
    key: str | None = None
    failures: int = 0
    has_folder: bool = False
    export_secs: float | None = None

    def __post_init__(self) -> None:
        for name, kinds in _KINDS.items():
            value = getattr(self, name)
            is_number = float in kinds and isinstance(value, (int, float))
            if type(value) not in kinds and not (is_number and not isinstance(value, bool)):
                raise TypeError(f"its {name} is none")
            if isinstance(value, float) and not math.isfinite(value):
                raise ValueError(f"its {name} is no time")

    def due(self, schedule: Schedule) -> float | None:
        """Returns when the job is due next; None is with a new checkpoint.

        What failed is tried again after pauses that grow.

        Args:
          schedule: that of the job.
        """
        if not self.failures or self.ended is None:
            return schedule.next_secs(self.first, self.began)
        pause = _FIRST_PAUSE_SECS * 2.0 ** min(self.failures - 1, 16)
        return self.ended + min(pause, _LONGEST_PAUSE_SECS)

    def settled(self, now: float) -> LastRun:
        """Returns the same, with times that lie ahead, since the clock was put back, as now."""

        def at_most_now(time: float | None) -> float | None:
            return now if time is not None and time > now + _AHEAD_SECS else time

        first = at_most_now(self.first)
        assert first is not None
        return dataclasses.replace(
            self, first=first, began=at_most_now(self.began), ended=at_most_now(self.ended)
        )


class LastRuns:
    """The last runs of all jobs, by the names of the jobs.

    Args:
      path: the file; it need not be there.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._runs = _read(path)

    def get(self, job: str, now: float) -> LastRun:
        """Returns that of a job, which is known from now on.

        Args:
          job: its name.
          now: in seconds since 1970.
        """
        known = self._runs.get(job)
        settled = LastRun(now) if known is None else known.settled(now)
        if settled != known:
            self.set(job, settled)
        return settled

    def peek(self, job: str) -> LastRun | None:
        """Returns that of a job; None where it is not known."""
        return self._runs.get(job)

    def set(self, job: str, run: LastRun) -> None:
        """Remembers one; where the disk refuses that, only as long as this process lives."""
        with self._lock:
            self._runs[job] = run
            content = {name: dataclasses.asdict(run) for name, run in self._runs.items()}
            try:
                files.write_text(self._path, json.dumps(content, indent=1, sort_keys=True) + "\n")
            except OSError as error:
                _logger.warning("%s cannot be written: %s.", self._path, error)


def _read(path: str) -> dict[str, LastRun]:
    if not os.path.exists(path):
        return {}
    try:
        content = json_text.parse(files.read_bytes(path))
        return {name: LastRun(**run) for name, run in content.items()}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        _logger.warning("%s cannot be read, so jobs look once more: %s.", path, error)
        return {}
