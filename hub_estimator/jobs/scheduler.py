"""All jobs of a process: which are due, several at once, in a state folder that is held alone."""

from __future__ import annotations

import concurrent.futures
import contextlib
import dataclasses
import logging
import os
import threading
import time
from collections.abc import Iterator, Mapping

from hub_estimator import errors, files
from hub_estimator.files import locks
from hub_estimator.jobs import journal, ledger, running
from hub_estimator.jobs.job import ExportJob, ExportJobs
from hub_estimator.jobs.journal import Journal
from hub_estimator.jobs.ledger import Ledger
from hub_estimator.jobs.places import Places
from hub_estimator.jobs.prometheus import write_metrics
from hub_estimator.jobs.running import Outcome, Run, Work
from hub_estimator.jobs.runs import LastRun, LastRuns

_logger = logging.getLogger("hub_estimator")


@contextlib.contextmanager
def held(jobs: ExportJobs) -> Iterator[Places]:
    """Holds the state folder of jobs alone for the time of a `with` block; gives what is where in it.

    Raises:
      errors.LockHeldError: another process has these jobs; the message says which.
      OSError: the folder cannot be made or written to.
    """
    places = Places(jobs.folder)
    files.make_folder(places.folder)
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(locks.where_possible(locks.held_alone, places.lock, _say_unlocked))
        except errors.LockHeldError as error:
            raise errors.LockHeldError(
                f"Somebody else runs the jobs in {places.folder!r}: {error}. Stop that, or give "
                "ExportJobs.state_dir another folder, and the jobs other destinations."
            ) from error
        files.remove(places.work)  # of a process that was killed
        files.make_folder(places.work)
        yield places


class Scheduler:
    """Runs jobs when they are due; to be made where their state folder is held.

    Args:
      jobs: the jobs.
      places: what `held` gave.
      work: what starts processes.
      stopping: is set where all is to end.

    Attributes:
      outcomes: how the last run of each job in this process ended, by its name.
    """

    def __init__(
        self, jobs: ExportJobs, places: Places, work: Work, stopping: threading.Event
    ) -> None:
        self._jobs = jobs
        self._places = places
        self._work = work
        self._stopping = stopping
        self._ledgers = ledger.ledgers(journal.read(places.journal))
        self._runs = LastRuns(places.runs)
        self._journal = Journal(places.journal)
        self.outcomes: dict[str, Outcome] = {}

    def once(self, regardless: bool = False) -> Mapping[str, Outcome]:
        """Does what is due, and what failed last time; returns how each of these jobs ended.

        Args:
          regardless: whether to do the others too.
        """
        now = time.time()
        chosen = [
            job
            for job in self._jobs.jobs
            if regardless or self._run_of(job, now).failures or self._is_due(job, now)
        ]
        with self._pool() as pool:
            for future in [pool.submit(self._run, job) for job in chosen]:
                future.result()
        self._write_metrics()
        return self.outcomes

    def serve(self) -> None:
        """Runs each job whenever it is due, until `stopping` is set."""
        at_work: dict[str, concurrent.futures.Future[None]] = {}
        with self._pool() as pool:
            while not self._stopping.is_set():
                now = time.time()
                for name in [name for name, each in at_work.items() if each.done()]:
                    at_work.pop(name).result()
                for job in self._jobs.jobs:
                    if job.name not in at_work and self._is_due(job, now):
                        at_work[job.name] = pool.submit(self._run, job)
                self._write_metrics()
                self._stopping.wait(self._jobs.poll_secs)
        self._write_metrics()

    def last_run(self, job: ExportJob) -> LastRun:
        """Returns what is remembered of a job's last run."""
        return self._run_of(job, time.time())

    def close(self) -> None:
        """Closes the journal."""
        self._journal.close()

    def _pool(self) -> concurrent.futures.ThreadPoolExecutor:
        return concurrent.futures.ThreadPoolExecutor(self._jobs.at_once, "job")

    def _run_of(self, job: ExportJob, now: float) -> LastRun:
        return self._runs.get(job.name, now)

    def _is_due(self, job: ExportJob, now: float) -> bool:
        run = self._run_of(job, now)
        due = run.due(job.schedule)
        if due is not None:
            return now >= due
        if run.began is None:
            return True  # so that it is said what the job waits for
        try:
            found = running.look(job, run.has_folder)
        except Exception:  # noqa: BLE001 - whatever it is, a remote filesystem's too, the run says it
            return True
        return (None if found is None else found.key) != run.key or _appeared(job, run)

    def _run(self, job: ExportJob) -> None:
        """Runs a job, and remembers how that ended; raises nothing."""
        began = time.time()
        before = self._run_of(job, began)
        outcome = self._outcome(job, before)
        self.outcomes[job.name] = outcome
        if outcome.result == "stopped":
            return
        failed = outcome.result == "failed"
        self._runs.set(
            job.name,
            dataclasses.replace(
                before,
                began=began,
                ended=time.time(),
                result=outcome.result,
                said=outcome.said,
                key=outcome.key,
                failures=before.failures + 1 if failed else 0,
                has_folder=before.has_folder or outcome.has_folder,
                export_secs=outcome.export_secs or before.export_secs,
            ),
        )

    def _outcome(self, job: ExportJob, before: LastRun) -> Outcome:
        if self._stopping.is_set():
            return Outcome("stopped", "was not begun")
        kept = self._ledgers.setdefault(job.name, Ledger())
        try:
            run = Run(job, kept, self._journal, self._work, self._places.work)
            return run.run(before.has_folder)
        except errors.InterruptedRunError as error:
            if self._stopping.is_set():
                return Outcome("stopped", str(error))
            return self._failed(job, str(error))
        except (errors.Error, OSError) as error:
            return self._failed(job, str(error))
        except Exception as error:  # a fault; the other jobs go on
            _logger.exception("%s: a fault in the job.", job.name)
            return self._failed(job, f"{type(error).__name__}: {error}")

    def _failed(self, job: ExportJob, message: str) -> Outcome:
        _logger.error("%s: failed: %s", job.name, message)
        with contextlib.suppress(OSError):  # the disk of the journal is full: it says so elsewhere
            self._journal.add(job.name, "failed", error=message)
        # Of a remote one that cannot be asked, nothing is known.
        has_folder = not files.is_remote(job.folder) and files.is_folder(job.folder)
        return Outcome("failed", message, has_folder=has_folder)

    def _write_metrics(self) -> None:
        try:
            write_metrics(self._places.metrics, self._jobs.jobs, self._runs, self._ledgers)
        except OSError as error:
            _logger.warning("%s cannot be written: %s.", self._places.metrics, error)


def _appeared(job: ExportJob, run: LastRun) -> bool:
    """Whether the model folder appeared since, which is to be remembered."""
    return not run.has_folder and files.is_folder(job.folder)


def _say_unlocked(error: OSError) -> None:
    _logger.warning(
        "No lock can be held there (%s): start no second process with these jobs.",
        os.strerror(error.errno or 0),
    )
