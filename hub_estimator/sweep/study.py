"""A sweep's study in its storage: which trials there are to be, which are lost, what is known of all."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import json
import logging
import os
import socket
import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hub_estimator import errors, files, json_text, texts
from hub_estimator.files import locks
from hub_estimator.sweep import optuna_library, records, samplers, storage
from hub_estimator.sweep.plan import Plan
from hub_estimator.sweep.trials import Study
from hub_estimator.training.objective import Objective

PATIENCE_SECS = 300.0
"""How long to wait for a server of a storage that was there before, and is being started again."""

_LEAST_WAITING = 32
_MOST_KILLS = 5
_OWNER = "sweep.json"
_SPACE, _OBJECTIVES, _SETTINGS, _TRIALS = "space", "objectives", "settings", "trials"

_logger = logging.getLogger("hub_estimator")


@dataclasses.dataclass(frozen=True)
class OpenStudy:
    """A study that is open.

    Attributes:
      plan: the sweep.
      study: Optuna's.
    """

    plan: Plan
    study: Any

    def records(self) -> list[Any]:
        """Returns what Optuna's storage has of trials.

        Raises:
          errors.SweepStorageError: it cannot be read.
        """
        with usable(self.plan):
            found: list[Any] = self.study.get_trials(deepcopy=False)
            return found

    def waiting(self) -> bool:
        """Whether any trial waits for a worker."""
        state = optuna_library.module("trial").TrialState.WAITING
        with usable(self.plan):
            return bool(self.study.get_trials(deepcopy=False, states=(state,)))

    def is_counted(self, trial: Any) -> bool:
        """Whether a record that runs is the one of its slot that counts."""
        slot = trial.user_attrs.get(records.SLOT)
        if slot is None or slot >= self.plan.number:
            return False
        mine = records.by_slot(self.records())[slot]
        counted = records.living(mine)
        return counted is not None and counted.number == trial.number

    def fill(self) -> None:
        """Has the trials wait for a worker that are to be run next, also again.

        Several machines may do so at once: then some wait twice, and whoever takes one of them sees it.
        """
        points = self.plan.sweep.dimensions.grid() if self.plan.sweep.chosen_by.is_grid else None
        slots = records.by_slot(self.records())
        counted = [records.living(slots.get(slot, [])) for slot in range(self.plan.number)]
        waiting = sum(found is not None and records.state(found) == "waiting" for found in counted)
        # Enough for all workers until somebody looks again. To add one takes longer, the more there
        # are, and workers look through all that wait.
        most = max(_LEAST_WAITING, 4 * self.plan.workers)
        if waiting > most // 2:
            return
        missing = [slot for slot, found in enumerate(counted) if found is None]
        with usable(self.plan):
            for slot in self._in_own_order(missing)[: most - waiting]:
                self._add(slot, slots.get(slot, []), {} if points is None else points[slot])

    def _in_own_order(self, slots: list[int]) -> list[int]:
        """Returns slots in the order in which this machine adds them: others begin elsewhere."""
        if self.plan.is_local or not slots:
            return slots
        begin = zlib.crc32(socket.gethostname().encode()) % len(slots)
        return slots[begin:] + slots[:begin]

    def _add(self, slot: int, before: Sequence[Any], values: dict[str, Any]) -> None:
        """Adds a record of a slot, with the values that it had before."""
        kills = records.kills(before)
        if kills >= _MOST_KILLS:
            about: Mapping[str, Any] = next(
                (each.user_attrs for each in reversed(before) if each.user_attrs), {}
            )
            error = f"Its worker was killed {kills} times. Too little memory is the usual reason."
            self._add_failed({**about, records.SLOT: slot, records.ERROR: error})
            return
        had = [each.params for each in before if each.params]
        self.study.enqueue_trial(had[-1] if had else values, user_attrs={records.SLOT: slot})
        if before:
            _logger.info("trial %d: waits to be run again", slot)

    def _add_failed(self, attributes: dict[str, Any]) -> None:
        trial = optuna_library.module("trial")
        failed = trial.create_trial(state=trial.TrialState.FAIL, user_attrs=attributes)
        self.study.add_trial(failed)

    def lose_dead(self) -> None:
        """Marks as lost what dead workers were at.

        Those of this machine hold a lock as long as they live; others say by heartbeats that they do.
        """
        now = datetime.datetime.now()
        silent = datetime.timedelta(seconds=10 * self.plan.sweep.heartbeat_secs)
        for record in self.records():
            if record.state.name != "RUNNING":
                continue
            worker = record.user_attrs.get(records.WORKER)
            # Killed before it could say who it is, and before its first heartbeat.
            is_unknown = worker is None and now - record.datetime_start > silent
            if is_unknown or (worker is not None and self._is_dead(worker)):
                self.lose(record.number)
        with usable(self.plan), optuna_library.quiet():
            optuna_library.module("storages").fail_stale_trials(self.study)

    def lose(self, number: int) -> None:
        """Marks a record as lost, unless it has ended meanwhile."""
        failed = optuna_library.module("trial").TrialState.FAIL
        finished = optuna_library.module("exceptions").UpdateFinishedTrialError
        with usable(self.plan), contextlib.suppress(ValueError, finished):
            self.study.tell(number, state=failed, skip_if_finished=True)

    def _is_dead(self, worker: str) -> bool:
        """Whether a worker of this machine and folder is known to be dead."""
        path = self.plan.lock(worker)
        if host_of(worker) != socket.gethostname() or not os.path.exists(path):
            return False
        try:
            with locks.held_if_free(path) as is_free:
                return is_free
        except OSError:
            return False

    def seen(self) -> Study:
        """Returns what is known of the sweep now."""
        return _seen(self.study, self.records(), self.plan.storage)


def opened(plan: Plan) -> OpenStudy:
    """Opens the study of a sweep, and makes it where there is none.

    Raises:
      errors.SweepStorageError: the storage cannot be used.
      errors.OtherSweepError: what is there is the study of another sweep.
    """
    optuna = optuna_library.module()
    kept = storage.opened(plan.storage, plan.sweep.heartbeat_secs)
    pruner = optuna.pruners.NopPruner() if plan.sweep.pruner is None else plan.sweep.pruner.made()
    with usable(plan):
        study = optuna.create_study(
            storage=kept,
            study_name=plan.name,
            directions=[
                "maximize" if each.maximizes else "minimize" for each in plan.sweep.objectives
            ],
            sampler=samplers.per_trial(plan.sweep.chosen_by, plan.sweep.seed),
            pruner=pruner,
            load_if_exists=True,
        )
        _check_same(plan, study)
    return OpenStudy(plan, study)


def take_folder(plan: Plan) -> None:
    """Makes a folder that of a sweep: another one's trials would go on with the models of this.

    Raises:
      errors.OtherSweepError: it is that of another sweep.
    """
    place = None if plan.given_storage is None else storage.shown(plan.given_storage)
    path, about = files.join(plan.folder, _OWNER), {"name": plan.name, "storage": place}
    if not files.exists(path):
        files.make_folder(plan.folder)
        files.write_text(path, json.dumps(about) + "\n")
        return
    there = json_text.parse(files.read_bytes(path))
    if there != about:
        where = "its own storage" if there["storage"] is None else f"the storage {there['storage']}"
        raise errors.OtherSweepError(
            f"The folder {plan.folder!r} is that of the sweep {texts.shown(there['name'])} in {where}. "
            "Choose another --sweep_dir, or give the Sweep.name and --storage of that one."
        )


def describe(found: OpenStudy) -> None:
    """Keeps in the storage what whoever reads it is to know of the sweep."""
    about = _about(found.plan)
    with usable(found.plan):
        for key, value in {**about, _TRIALS: found.plan.number}.items():
            if found.study.user_attrs.get(key) != value:
                found.study.set_user_attr(key, value)


def read(url: str, name: str) -> Study:
    """Reads a sweep and its trials from their storage.

    Args:
      url: the storage.
      name: what the sweep is called there.

    Raises:
      errors.SweepStorageError: the storage cannot be used, or there is no such sweep.
    """
    optuna = optuna_library.module()
    kept = storage.opened(url, 1)
    try:
        study = optuna.load_study(study_name=name, storage=kept)
    except KeyError as error:
        raise errors.SweepStorageError(
            f"The storage {storage.shown(url)} has no sweep {name!r}."
        ) from error
    return _seen(study, study.get_trials(deepcopy=False), url)


def new_worker_name() -> str:
    """Returns a name that no other worker has."""
    return f"{socket.gethostname()}/{os.getpid()}-{os.urandom(3).hex()}"


def host_of(worker: str) -> str:
    """Returns the machine of a worker."""
    return worker.rpartition("/")[0]


def _seen(study: Any, found: Sequence[Any], url: str) -> Study:
    about = study.user_attrs
    return Study(
        study.study_name,
        tuple(Objective(metric, maximizes) for metric, maximizes in about.get(_OBJECTIVES, [])),
        tuple(about.get(_SETTINGS, ())),
        records.trials(found, about.get(_TRIALS, 0)),
        storage.shown(storage.with_driver(url)).strip("'"),
    )


def _about(plan: Plan) -> dict[str, Any]:
    # As JSON has it, which is what the storage gives back.
    space = [f"{dimension!r}" for dimension in plan.sweep.space]
    objectives = [[each.metric, each.maximizes] for each in plan.sweep.objectives]
    names = list(plan.sweep.dimensions.names)
    about = {_SPACE: space, _OBJECTIVES: objectives, _SETTINGS: names}
    return dict(json.loads(json.dumps(about)))


def _check_same(plan: Plan, study: Any) -> None:
    there = study.user_attrs
    for key, value in _about(plan).items():
        if there.get(key, value) != value:
            raise errors.OtherSweepError(
                f"The sweep {plan.name!r} in {storage.shown(plan.storage)} has other {key}: "
                f"{_difference(there[key], value)}. Choose another --sweep_dir, or give the gin "
                "files that it was begun with; two sweeps in one storage need names, Sweep.name."
            )


def _difference(before: Any, now: Any) -> str:
    gone = [each for each in before if each not in now]
    new = [each for each in now if each not in before]
    return f"it was begun with {gone or before}, and now has {new or now}"


@contextlib.contextmanager
def usable(plan: Plan) -> Iterator[None]:
    """Says what the storage of a sweep raises in a `with` block.

    Raises:
      errors.SweepStorageError: it cannot be used.
    """
    try:
        yield
    except errors.Error:
        raise
    except Exception as error:
        found = _of_storage(error)
        if found is None:
            raise
        raise storage.unusable(plan.storage, found) from error


def _of_storage(error: BaseException | None) -> Exception | None:
    """Returns the error of the storage that an error is, or that it followed; None without one.

    Optuna stumbles over what it did not get to know when it could not tell how a trial ended.
    """
    internal = optuna_library.module("exceptions").StorageInternalError
    while isinstance(error, Exception):
        if isinstance(error, internal) or type(error).__module__.startswith("sqlalchemy"):
            return error
        error = error.__context__
    return None
