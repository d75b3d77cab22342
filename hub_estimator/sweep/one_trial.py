"""One trial at work: its run, watched, its evaluations reported, stopped where it is to end early."""

from __future__ import annotations

import errno
import logging
import os
import threading
import time
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

from hub_estimator import errors, files, texts
from hub_estimator.sweep import optuna_library, records, study
from hub_estimator.sweep.plan import Plan
from hub_estimator.sweep.runner import Ended, Run
from hub_estimator.training.model_folder.history import METRICS, Evaluation, History

_LOOK_SECS = 0.1
_BUSY_SECS = 120.0  # for how long a run that was left alone may still be saving what it did
_FULL = tuple(map(os.strerror, (errno.ENOSPC, errno.EDQUOT)))

_logger = logging.getLogger("hub_estimator")


class TrialFailedError(Exception):
    """A trial failed; its error is recorded, and the sweep goes on."""


class FullDiskError(Exception):
    """There is no room left: no trial can go on."""


class TrialGoneError(Exception):
    """Somebody took this worker for dead, and runs the trial again."""


class OneTrial:
    """A trial that a worker runs.

    Args:
      plan: the sweep.
      number: of the trial.
      trial: Optuna's.
      stopping: is set where the worker is to stop.
    """

    def __init__(self, plan: Plan, number: int, trial: Any, stopping: threading.Event) -> None:
        self._plan, self._number, self._trial, self._stopping = plan, number, trial, stopping
        self._ends = threading.Event()  # what ends the run: the worker's stop, or this trial's
        self._is_pruned = False
        self._history = History(files.join(plan.model_dir(number), f"{METRICS}.jsonl"))
        self._seen: tuple[int, ...] | None = None
        self._reported: dict[int, float] = {}
        self._start = time.monotonic()

    def run(self, settings: Mapping[str, str], environment: Mapping[str, str]) -> Ended:
        """Runs the trial to its end.

        Args:
          settings: what it sets.
          environment: variables of the environment of its process.

        Returns:
          What it came to.

        Raises:
          optuna.TrialPruned: it was to end early.
          errors.InterruptedRunError: the worker was stopped.
          FullDiskError: there is no room left.
          TrialGoneError: it is somebody else's now.
          Exception: it failed.
        """
        plan, number = self._plan, self._number
        run = Run(settings, plan.model_dir(number), plan.log(number), environment)
        until = time.monotonic() + _BUSY_SECS
        while True:
            try:
                return self._run(run)
            except errors.LockHeldError:
                # What a killed worker left is saving a checkpoint.
                if time.monotonic() > until:
                    raise
                self._stopping.wait(1.0)
                self._check_not_stopped()

    def _run(self, run: Run) -> Ended:
        self._ends = threading.Event()  # of this run
        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(self._plan.runner, run, self._ends)
            try:
                self._watch(running)
            finally:
                self._ends.set()  # whatever happens here, the run ends
        try:
            ended = running.result()
        except Exception as error:
            self._explain(error)
            raise
        self.report()
        return ended

    def _watch(self, running: Future[Ended]) -> None:
        while not running.done():
            if self._stopping.is_set():
                self._ends.set()
            if not self._is_pruned:
                self.report()
                if self._is_pruned:
                    self._ends.set()
            wait([running], _LOOK_SECS)

    def _explain(self, error: Exception) -> None:
        """Raises what an error of the run means, where it means something else than a failure."""
        if self._is_pruned:
            step = max(self._reported)
            raise optuna_library.module("exceptions").TrialPruned(f"at step {step}") from error
        if isinstance(error, (errors.FreshProcessError, errors.InterruptedRunError)):
            self._stopping.wait(1.0)  # a machine that goes down tells all processes, in any order
        self._check_not_stopped(error)
        if any(text in str(error) for text in _FULL):
            raise FullDiskError(str(error)) from error

    def _check_not_stopped(self, error: Exception | None = None) -> None:
        if self._stopping.is_set() or isinstance(error, errors.InterruptedRunError):
            raise errors.InterruptedRunError("The worker was stopped.", 15) from error

    # --- evaluations ------------------------------------------------------------------------------

    def evaluations(self) -> list[Evaluation]:
        """Returns the evaluations so far."""
        return self._history.evaluations()

    def values(self, ended: Ended) -> tuple[float, ...]:
        """Returns the value of each objective that the trial came to.

        Raises:
          errors.LossNotFiniteError: one is not a number, or infinite.
          errors.MetricNotFoundError: there is no such metric.
        """
        found: list[float] = []
        for objective in self._plan.sweep.objectives:
            value = objective.value(ended.metrics)
            if value is None and any(objective.metric in each for each in self.evaluations()):
                raise errors.LossNotFiniteError(
                    f"{objective.metric} at step {ended.step} is not a finite number."
                )
            objective.check("Sweep.objective", ended.metrics)
            assert value is not None  # those that are not finite are not there
            found.append(value)
        return tuple(found)

    def report(self) -> None:
        """Reports the evaluations that are new, and asks whether the trial is to go on."""
        for evaluation in self._new():
            self._report_one(evaluation)

    def _new(self) -> list[Evaluation]:
        try:
            status = os.stat(self._history.path)
        except OSError:
            return []
        now = status.st_mtime_ns, status.st_size, status.st_ino
        if now == self._seen:
            return []
        self._seen = now
        return [each for each in self.evaluations() if each["step"] not in self._reported]

    def _report_one(self, evaluation: Evaluation) -> None:
        objectives, step = self._plan.sweep.objectives, evaluation["step"]
        objectives[0].check("Sweep.objective", evaluation)
        value = objectives[0].value(evaluation)
        if value is None:
            return
        try:
            with study.usable(self._plan):
                self._note(step, value)
        except optuna_library.module("exceptions").UpdateFinishedTrialError as error:
            raise TrialGoneError(str(self._number)) from error
        except errors.SweepStorageError:
            self._seen = None  # the next look reports it, should the storage be there again
            return
        shown = f"{texts.one_line(objectives[0].metric)} {value:.4f}"
        _logger.info("trial %d, step %d: %s", self._number, step, shown)

    def _note(self, step: int, value: float) -> None:
        """Reports an evaluation; it counts as reported where nothing is raised."""
        self._trial.set_user_attr(records.SECONDS, time.monotonic() - self._start)
        if len(self._plan.sweep.objectives) > 1:  # of these Optuna takes no reports
            self._trial.set_user_attr(records.REPORTS, {**self._reported, step: value})
            self._reported[step] = value
            return
        self._trial.report(value, step)
        self._reported[step] = value
        if self._plan.sweep.pruner is not None and self._trial.should_prune():
            self._is_pruned = True
