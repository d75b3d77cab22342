"""The workers of a machine: started, looked after, and stopped.

The supervisor trains nothing, and loads no TensorFlow. It sees to it that each trial that is to be run
waits for a worker, also one whose worker was killed, here or elsewhere; it ends with the sweep.
"""

from __future__ import annotations

import dataclasses
import logging
import multiprocessing
import threading
import time
from multiprocessing.connection import Connection, wait
from typing import Any

from hub_estimator import errors, files
from hub_estimator.sweep import study, worker
from hub_estimator.sweep.plan import Plan
from hub_estimator.sweep.results import keeping
from hub_estimator.sweep.results.results import Results
from hub_estimator.sweep.trials import Study

_WAIT_SECS = 0.5
_LOOK_SECS = 5.0
_GRACE_SECS = 90.0  # more than a run has to save what it did
_MOST_DEATHS = 3  # of workers, in a row, without a trial that came to its end

_logger = logging.getLogger("hub_estimator")


@dataclasses.dataclass(frozen=True)
class _Process:
    """A worker's process, its number, and where it says why it cannot go on."""

    process: Any
    index: int
    answers: Connection


class Supervisor:
    """Runs a sweep on this machine.

    Args:
      plan: the sweep.
      stopping: is set where all is to stop.
    """

    def __init__(self, plan: Plan, stopping: threading.Event) -> None:
        self._plan, self._stopping = plan, stopping
        self._processes: list[_Process] = []
        self._deaths, self._finished = 0, 0
        self._looked = -_LOOK_SECS
        self._failing_since: float | None = None
        self._has_told = False

    def run(self) -> Study:
        """Runs the sweep until all of its trials came to their end, or it is to stop.

        Returns:
          What is known of it then.

        Raises:
          errors.SweepStorageError: the storage cannot be used.
          errors.OtherSweepError: see `study.opened`.
          errors.SweepFailedError: workers cannot go on.
        """
        if self._plan.given_storage is None:
            files.make_folder(self._plan.folder)
        opened = study.opened(self._plan)
        study.take_folder(self._plan)
        study.describe(opened)
        try:
            seen = self._look(opened)
            while not self._stopping.is_set() and not (seen.is_finished and not self._processes):
                if self._failing_since is None:
                    self._start(seen)
                self._wait()
                try:
                    if self._collect() or time.monotonic() - self._looked > _LOOK_SECS:
                        seen = self._look(opened)
                except errors.SweepStorageError as error:
                    self._endure(error)
        finally:
            self._stop()
        return opened.seen()

    def _look(self, opened: study.OpenStudy) -> Study:
        """Sees what is to be done, and has what is lost wait for a worker again."""
        opened.lose_dead()
        opened.fill()
        seen = opened.seen()
        finished = sum(trial.is_finished for trial in seen.trials)
        if finished > self._finished:
            self._deaths, self._finished = 0, finished
            self._show(seen)
        self._tell(seen)
        self._looked, self._failing_since = time.monotonic(), None
        return seen

    def _show(self, seen: Study) -> None:
        """Has the sweep's folder tell how it stands, and keeps models as asked for."""
        Results(seen, self._plan.folder).write_progress()
        if self._plan.sweep.keep_best is not None:
            keeping.remove_models(seen, self._plan.sweep.keep_best)

    def _endure(self, error: errors.SweepStorageError) -> None:
        """Waits for a server that was there before: trials go on meanwhile.

        Raises:
          errors.SweepStorageError: it is no server, or was away for too long.
        """
        now = time.monotonic()
        if self._plan.is_local:
            raise error
        if self._failing_since is None:
            self._failing_since = now
            _logger.warning("%s It is tried again for some minutes.", error)
        if now - self._failing_since > study.PATIENCE_SECS:
            raise error
        self._looked = now

    def _tell(self, seen: Study) -> None:
        running = sum(trial.state == "running" for trial in seen.trials)
        is_over_here = not self._processes and not seen.is_finished
        if running and is_over_here and not any(t.state == "waiting" for t in seen.trials):
            if not self._has_told:
                _logger.info("%d trials are left, which other workers run", running)
            self._has_told = True

    def _start(self, seen: Study) -> None:
        """Starts workers, as long as trials wait that nobody here will take."""
        waiting = sum(trial.state == "waiting" for trial in seen.trials)
        taken = {each.index for each in self._processes}
        free = [index for index in range(self._plan.workers) if index not in taken]
        for index in free[:waiting]:
            self._start_one(index)

    def _start_one(self, index: int) -> None:
        context = multiprocessing.get_context("spawn")
        here, there = context.Pipe(duplex=False)
        process = context.Process(target=worker.main, args=(self._plan, index, there))
        process.start()
        there.close()
        self._processes.append(_Process(process, index, here))

    def _wait(self) -> None:
        sentinels = [each.process.sentinel for each in self._processes]
        if sentinels:
            wait(sentinels, timeout=_WAIT_SECS)
        else:
            self._stopping.wait(_WAIT_SECS)

    def _collect(self) -> bool:
        """Takes leave of workers that have ended; returns whether any has.

        Raises:
          errors.Error: what one of them said.
        """
        ended = [each for each in self._processes if not each.process.is_alive()]
        self._processes = [each for each in self._processes if each not in ended]
        for each in ended:
            _check_answer(each)
            if each.process.exitcode:
                self._deaths += 1
                _logger.info("a worker died (%s)", _how(each.process.exitcode))
        if self._deaths >= _MOST_DEATHS + self._plan.workers:
            raise errors.SweepFailedError(
                f"{self._deaths} workers died one after the other, and no trial came to its end "
                "meanwhile. Their last words are above. Once that is solved, run the same command "
                "again; it goes on."
            )
        return bool(ended)

    def _stop(self) -> None:
        """Stops all workers; each saves what its trial did."""
        for each in self._processes:
            each.process.terminate()
        until = time.monotonic() + _GRACE_SECS
        for each in self._processes:
            each.process.join(max(0.0, until - time.monotonic()))
            if each.process.is_alive():
                each.process.kill()
                each.process.join()
        self._processes = []


def _check_answer(ended: _Process) -> None:
    try:
        name, message = ended.answers.recv()
    except EOFError:
        return
    finally:
        ended.answers.close()
    raise getattr(errors, name)(message)


def _how(exitcode: int) -> str:
    return f"signal {-exitcode}" if exitcode < 0 else f"status {exitcode}"
