"""How jobs stand, as a table for people and as JSON for programs."""

from __future__ import annotations

import dataclasses
import datetime
import time
from collections.abc import Sequence

from hub_estimator import json_text, texts
from hub_estimator.jobs import journal, ledger
from hub_estimator.jobs.job import ExportJob, ExportJobs
from hub_estimator.jobs.ledger import Ledger
from hub_estimator.jobs.places import Places
from hub_estimator.jobs.runs import LastRun, LastRuns

_HEADER = ("JOB", "LAST RUN", "RESULT", "LAST EXPORT", "STEP", "VERSION", "NEXT RUN")
_NOTHING = "-"
_MOST_IN_CELL = 1000  # paths are to be copied
_NEW_CHECKPOINT = "new checkpoint"


@dataclasses.dataclass(frozen=True)
class JobStatus:
    """How a job stands; times as `2026-11-26T03:00:00+00:00`, None for what never was.

    Attributes:
      job: its name.
      last_run: when its last run ended.
      result: how that ended; see `LastRun`.
      said: a sentence about it.
      last_export: when it published last.
      step: the global step of what it published last.
      version: the path of that.
      next_run: when it is due next; None is with a new checkpoint.
      failures: how many runs failed since one did not.
      last_error: what the last run failed of; None where it did not.
    """

    job: str
    last_run: str | None = None
    result: str | None = None
    said: str = ""
    last_export: str | None = None
    step: int | None = None
    version: str | None = None
    next_run: str | None = None
    failures: int = 0
    last_error: str | None = None


def statuses(jobs: ExportJobs) -> list[JobStatus]:
    """Returns how jobs stand, as their state folder says; somebody may be running them.

    Raises:
      errors.DataFileError: the journal is damaged.
    """
    places = Places(jobs.folder)
    runs = LastRuns(places.runs)
    published = ledger.ledgers(journal.read(places.journal))
    return [
        _status(job, runs.peek(job.name), published.get(job.name, Ledger())) for job in jobs.jobs
    ]


def table(found: Sequence[JobStatus]) -> str:
    """Returns a table of how jobs stand, with the errors below it; times are local."""
    lines = [
        f"{each.job}: {texts.one_line(each.said)}\n"
        for each in found
        if each.result in ("failed", "held_back", "waiting")
    ]
    rows = [_HEADER, *map(_row, found)]
    return "".join([texts.aligned(rows, _MOST_IN_CELL, indentation=""), *lines])


def as_json(found: Sequence[JobStatus]) -> str:
    """Returns how jobs stand as a list of objects in JSON."""
    return json_text.text(found)


def _status(job: ExportJob, run: LastRun | None, published: Ledger) -> JobStatus:
    last = published.last_publication
    known = run or LastRun(time.time())
    return JobStatus(
        job.name,
        _time(known.ended),
        known.result,
        known.said,
        _time(None if last is None else last.published),
        None if last is None else last.step,
        None if published.last is None else published.last["path"],
        _time(known.due(job.schedule)),
        known.failures,
        known.said if known.result == "failed" else None,
    )


def _row(status: JobStatus) -> tuple[str, ...]:
    next_run = _local(status.next_run)
    return (
        status.job,
        _local(status.last_run),
        status.result or _NOTHING,
        _local(status.last_export),
        _NOTHING if status.step is None else str(status.step),
        status.version or _NOTHING,
        _NEW_CHECKPOINT if next_run == _NOTHING else next_run,
    )


def _time(secs: float | None) -> str | None:
    if secs is None:
        return None
    moment = datetime.datetime.fromtimestamp(secs, datetime.timezone.utc)
    return moment.isoformat(timespec="seconds")


def _local(time_text: str | None) -> str:
    if time_text is None:
        return _NOTHING
    return datetime.datetime.fromisoformat(time_text).astimezone().strftime("%Y-%m-%d %H:%M:%S")
