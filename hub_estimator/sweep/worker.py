"""A worker: a process that runs one trial after the other, until none waits."""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import signal
import threading
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from typing import Any

from hub_estimator import errors, files, texts
from hub_estimator.files import locks
from hub_estimator.sweep import devices, optuna_library, records, storage, study
from hub_estimator.sweep.one_trial import (
    FullDiskError,
    OneTrial,
    TrialFailedError,
    TrialGoneError,
)
from hub_estimator.sweep.plan import Plan
from hub_estimator.sweep.runner import finite

_AGAIN_SECS = 5.0

_logger = logging.getLogger("hub_estimator")


class _NotCountedError(Exception):
    """What was taken is no trial of the sweep, or one that somebody has already."""


class Worker:
    """Runs trials.

    Args:
      plan: the sweep.
      index: its number on this machine.
      stopping: is set where it is to stop.
    """

    def __init__(self, plan: Plan, index: int, stopping: threading.Event) -> None:
        self._plan, self._index, self._stopping = plan, index, stopping
        self._name = study.new_worker_name()
        self._gpus = devices.gpus()

    def work(self) -> None:
        """Runs trials until none waits, or it is to stop.

        Raises:
          errors.SweepStorageError: the storage cannot be used any more.
          errors.SweepFailedError: there is no room left on the disk.
        """
        files.make_folder(self._plan.workers_folder)
        lock = self._plan.lock(self._name)
        with locks.where_possible(locks.held, lock):
            opened = study.opened(self._plan)
            while not self._stopping.is_set() and self._take(opened):
                pass
            files.remove(lock)

    def _take(self, opened: study.OpenStudy) -> bool:
        """Runs the trial that is next; returns False where none waits."""
        ours = (TrialFailedError, _NotCountedError, errors.InterruptedRunError, TrialGoneError)
        with study.usable(self._plan), self._taking() as taking:
            if not opened.waiting():
                return False
            try:
                opened.study.optimize(
                    lambda trial: self._values(opened, trial, taking), n_trials=1, catch=ours
                )
            except FullDiskError as error:
                raise errors.SweepFailedError(
                    f"There is no room left: {str(error).rstrip('.')}. Make some, and run the same "
                    "command again; it goes on."
                ) from error
            except ValueError as error:
                # Optuna tells nothing of a trial that somebody has ended.
                if "Cannot tell a" not in str(error):
                    raise
        return True

    @contextlib.contextmanager
    def _taking(self) -> Iterator[contextlib.ExitStack]:
        """Keeps other workers from taking a trial, until what it gives is closed."""
        path = storage.taking_lock(self._plan.storage)
        with contextlib.ExitStack() as stack:
            if path is not None:
                stack.enter_context(locks.where_possible(locks.held, path))
            yield stack

    def _values(
        self, opened: study.OpenStudy, trial: Any, taking: contextlib.ExitStack
    ) -> tuple[float, ...]:
        """Runs a trial, and returns the value of each objective."""
        taking.close()
        number = trial.user_attrs.get(records.SLOT)
        trial.set_user_attr(records.WORKER, self._name)
        try:
            if not opened.is_counted(trial):
                raise _NotCountedError
            with study.usable(self._plan):
                return self._run(number, trial)
        except optuna_library.module("exceptions").UpdateFinishedTrialError as error:
            raise TrialGoneError(str(number)) from error
        except (_NotCountedError, errors.InterruptedRunError, FullDiskError):
            trial.set_user_attr(records.STOPPED, True)
            raise

    def _run(self, number: int, trial: Any) -> tuple[float, ...]:
        plan, start = self._plan, time.monotonic()
        space = plan.sweep.dimensions
        settings = space.settings(space.suggested(trial))
        trial.set_user_attr(records.SETTINGS, settings)
        trial.set_user_attr(records.MODEL_DIR, plan.model_dir(number))
        shown = " ".join(f"{name}={text}" for name, text in settings.items())
        _logger.info("trial %d: %s", number, texts.one_line(shown))
        one = OneTrial(plan, number, trial, self._stopping)
        pruned = optuna_library.module("exceptions").TrialPruned
        try:
            with devices.gpu(plan.sweep.gpus, self._index, self._gpus, self._stopping) as gpu:
                ended = one.run(settings, {**devices.threads(plan.workers), **gpu})
            values = one.values(ended)
        except pruned as error:
            self._keep_last(one, trial)
            _logger.info("trial %d: ended early, %s", number, error)
            raise
        except errors.SweepStorageError:
            raise
        except (errors.InterruptedRunError, FullDiskError, TrialGoneError):
            _logger.info("trial %d: stopped; it is run again", number)
            raise
        except Exception as error:
            message = str(error) if isinstance(error, errors.Error) else repr(error)
            self._note(trial, records.ERROR, texts.one_line(message))
            _logger.info("trial %d: failed: %s", number, texts.one_line(message))
            raise TrialFailedError(message) from error
        self._note(trial, records.METRICS, dict(ended.metrics))
        self._note(trial, records.STEP, ended.step)
        one.report()  # what could not be said while the storage was away
        _logger.info(
            "trial %d: %s, in %.0f s", number, self._shown(values), time.monotonic() - start
        )
        return values

    def _keep_last(self, one: OneTrial, trial: Any) -> None:
        """Keeps the metrics of the last evaluation of a trial that ended early."""
        last = one.evaluations()[-1]
        self._note(trial, records.METRICS, finite(last))
        self._note(trial, records.STEP, last["step"])

    def _note(self, trial: Any, key: str, value: Any) -> None:
        """Notes what a trial came to; waits for a server that is being started again."""
        until = time.monotonic() + study.PATIENCE_SECS
        while True:
            try:
                with study.usable(self._plan):
                    trial.set_user_attr(key, value)
                return
            except errors.SweepStorageError:
                if self._plan.is_local or time.monotonic() > until or self._stopping.is_set():
                    raise
                self._stopping.wait(_AGAIN_SECS)

    def _shown(self, values: tuple[float, ...]) -> str:
        metrics = [each.metric for each in self._plan.sweep.objectives]
        pairs = zip(metrics, values, strict=True)
        return ", ".join(f"{texts.one_line(metric)} {value:.4f}" for metric, value in pairs)


def main(plan: Plan, index: int, answers: Connection) -> None:
    """Is a worker, as this process.

    Args:
      plan: the sweep.
      index: its number on this machine.
      answers: to where it says why it cannot go on.
    """
    stopping = threading.Event()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who started it tells it
    signal.signal(signal.SIGTERM, lambda number, frame: stopping.set())
    threading.Thread(target=_stop_with_parent, args=(stopping,), daemon=True).start()
    logging.basicConfig(format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    _logger.setLevel(logging.INFO)
    try:
        Worker(plan, index, stopping).work()
    except errors.Error as error:
        answers.send((type(error).__name__, str(error)))
    except OSError as error:
        answers.send((errors.SweepFailedError.__name__, _of_system(error)))


def _stop_with_parent(stopping: threading.Event) -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    stopping.set()


def _of_system(error: OSError) -> str:
    return (
        f"A worker cannot go on: {str(error).rstrip('.')}. Once that is solved, run the same command "
        "again; it goes on."
    )
