"""What Optuna's storage keeps of trials, and a sweep's trials made of it.

A trial of the sweep is a *slot*: its number, from 0 to that of the trials that were asked for. Each run
of it is a *record*, which is a trial of Optuna and has the number of its slot. There are several of one
slot where workers were killed or stopped: then all but one are *lost*, which Optuna knows as failed and
which have no error. Should two that live be of one slot, as when two machines notice the same at once,
that of the smaller number counts.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from hub_estimator.sweep.trials import State, Trial

SLOT = "slot"  # the number of the trial in the sweep
WORKER = "worker"  # the name of the worker that has it
MODEL_DIR = "model_dir"
SETTINGS = "settings"  # gin texts by the names of settings
METRICS = "metrics"  # of the evaluation that counts
STEP = "step"  # of that evaluation
REPORTS = (
    "reports"  # of the first objective, where there are several, which Optuna reports nothing of
)
SECONDS = "seconds"  # how long it was worked at, as far as that was noted
ERROR = "error"  # why it failed
STOPPED = "stopped"  # that its worker was stopped, not killed


def state(record: Any) -> State | None:
    """Returns the state of a record; None where it is lost."""
    name = record.state.name
    if name == "FAIL":
        return "failed" if ERROR in record.user_attrs else None
    states: dict[str, State] = {
        "WAITING": "waiting",
        "RUNNING": "running",
        "COMPLETE": "complete",
        "PRUNED": "pruned",
    }
    return states[name]


def by_slot(records: Iterable[Any]) -> dict[int, list[Any]]:
    """Returns the records of each slot, in their order; those of none are left out."""
    found: dict[int, list[Any]] = {}
    for record in sorted(records, key=lambda record: record.number):
        slot = record.user_attrs.get(SLOT)
        if slot is not None:
            found.setdefault(slot, []).append(record)
    return found


def living(records: Sequence[Any]) -> Any | None:
    """Returns the record of a slot that counts; None where all are lost."""
    return next((record for record in records if state(record) is not None), None)


def kills(records: Sequence[Any]) -> int:
    """Returns how often the worker of a slot was killed."""
    lost = (record for record in records if state(record) is None)
    return sum(STOPPED not in record.user_attrs for record in lost)


def trials(records: Iterable[Any], number: int) -> tuple[Trial, ...]:
    """Returns the trials of a sweep.

    Args:
      records: those of its study.
      number: how many trials were asked for; more are there where it was greater before, and those
        of them that were not begun are left out.
    """
    slots = by_slot(records)
    found = [
        _trial(slot, slots.get(slot, [])) for slot in range(max([number, *(s + 1 for s in slots)]))
    ]
    return tuple(trial for trial in found if trial.number < number or trial.state != "waiting")


def _trial(slot: int, records: Sequence[Any]) -> Trial:
    record = living(records)
    if record is None:  # it is to be run again
        record = records[-1] if records else None
    if record is None:
        return Trial(slot, "waiting")
    attributes = {**(_latest(records)), **record.user_attrs}
    starts = [each.datetime_start for each in records if each.datetime_start is not None]
    return Trial(
        number=slot,
        state=state(record) or "waiting",
        settings=attributes.get(SETTINGS, {}),
        values=None if record.values is None else tuple(record.values),
        reports=_reports(record),
        metrics=record.user_attrs.get(METRICS, {}),
        step=record.user_attrs.get(STEP),
        seconds=sum(map(_seconds, records)),
        started=min(starts).astimezone() if starts else None,
        model_dir=attributes.get(MODEL_DIR, ""),
        worker=attributes.get(WORKER, ""),
        error=record.user_attrs.get(ERROR),
    )


def _latest(records: Sequence[Any]) -> Mapping[str, Any]:
    """Returns the attributes of the record that a worker had last."""
    had = [record.user_attrs for record in records if WORKER in record.user_attrs]
    return had[-1] if had else {}


def _reports(record: Any) -> dict[int, float]:
    noted = record.user_attrs.get(REPORTS)
    if noted is not None:
        return {int(step): value for step, value in noted.items()}
    return dict(sorted(record.intermediate_values.items()))


def _seconds(record: Any) -> float:
    """Returns how long a run of a trial took; of one that was killed, until its last evaluation."""
    start, end = record.datetime_start, record.datetime_complete
    if state(record) in ("complete", "pruned", "failed") and start is not None and end is not None:
        return (end - start).total_seconds()
    noted = record.user_attrs.get(SECONDS, 0.0)
    if state(record) == "running" and start is not None:
        return max(noted, (datetime.datetime.now() - start).total_seconds())
    return float(noted)
