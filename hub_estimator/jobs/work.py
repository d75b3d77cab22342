"""What a job has done in processes of their own: exports, evaluations, and the command that follows."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any

from hub_estimator import config, errors, files
from hub_estimator.jobs.gates import Evaluation
from hub_estimator.jobs.job import ExportJob
from hub_estimator.training.fresh_process import run_in_fresh_process
from hub_estimator.training.model_folder import run_settings
from hub_estimator.training.model_folder.choice import CheckpointChoice
from hub_estimator.training.objective import NOT_METRICS

_LOOK_SECS = 0.2
_GRACE_SECS = 10.0
_SHOWN_LETTERS = 500


@dataclasses.dataclass(frozen=True)
class Worker:
    """Starts the processes of jobs, and waits for them.

    Attributes:
      logs: the folder of their output: of each job that of its last process.
      stopping: is set where all are to stop.
    """

    logs: str
    stopping: threading.Event

    def export(self, job: ExportJob, step: int, path: str) -> None:
        """Exports the checkpoint of a step into a folder that is not there.

        Raises:
          errors.Error: see `run_in_fresh_process`.
        """
        self._run(
            job,
            "export",
            export_path=path,
            checkpoint=CheckpointChoice(step),
            what=job.what,
            receives=job.receives,
        )

    def evaluate(
        self, job: ExportJob, step: int, evaluation: Evaluation
    ) -> dict[str, float | None]:
        """Evaluates the checkpoint of a step, and returns its metrics.

        Raises:
          errors.CheckpointGoneError: it was removed.
          errors.Error: see `run_in_fresh_process`.
        """
        found = self._run(
            job,
            "evaluate",
            *evaluation.bindings,
            checkpoints=CheckpointChoice(step),
            name=evaluation.name,
        )
        if not found:
            raise errors.CheckpointGoneError(
                f"The checkpoint of step {step} was removed from {job.folder!r} before it could be "
                "evaluated. Raise Experiment.keep_checkpoints."
            )
        return {name: value for name, value in found[0].items() if name not in NOT_METRICS}

    def _run(self, job: ExportJob, verb: str, *bindings: str, **arguments: Any) -> Any:
        try:
            return run_in_fresh_process(
                _settings(job),
                job.folder,
                verb,
                [*job.gin_bindings, *bindings],
                job.allow_import,
                job.timeout_secs,
                self._log(job),
                self.stopping,
                **arguments,
            )
        except errors.RunTooLongError as error:
            raise errors.RunTooLongError(
                f"The process of {job.folder!r} (to {verb}) took longer than {job.timeout_minutes:g} "
                f"minutes and was stopped; its last words are in {self._path(job)!r}. Raise "
                "ExportJob.timeout_minutes."
            ) from error

    def run_command(self, job: ExportJob, about: Mapping[str, str]) -> None:
        """Runs the command of a job.

        Args:
          job: the job, which has one.
          about: what is added to the environment.

        Raises:
          errors.FollowUpError: it cannot be run, fails, or takes too long.
          errors.InterruptedRunError: it was stopped.
        """
        log = self._log(job)
        environment = {**os.environ, **about}
        try:
            with open(log, "ab") as file:
                process = subprocess.Popen(
                    list(job.then),
                    stdin=subprocess.DEVNULL,
                    stdout=file,
                    stderr=file,
                    env=environment,
                    start_new_session=True,
                )
        except OSError as error:
            raise errors.FollowUpError(
                f"The command {_shown(job.then)} cannot be run: {error}. What was published stays."
            ) from error
        status = self._wait(process, job)
        if status:
            raise errors.FollowUpError(
                f"The command {_shown(job.then)} ended with status {status}{_last_words(log)}. What "
                "was published stays; the command is run again."
            )

    def _wait(self, process: subprocess.Popen[bytes], job: ExportJob) -> int:
        deadline = time.monotonic() + job.timeout_secs
        is_last = False
        while time.monotonic() < deadline:
            try:
                return process.wait(_LOOK_SECS)
            except subprocess.TimeoutExpired:
                pass
            if self.stopping.is_set() and not is_last:  # it gets the time that such commands take
                is_last = True
                deadline = min(deadline, time.monotonic() + _GRACE_SECS)
        _end_session(process)
        if is_last:
            raise errors.InterruptedRunError(
                f"The command {_shown(job.then)} was stopped.", signal.SIGTERM
            )
        raise errors.FollowUpError(
            f"The command {_shown(job.then)} took longer than {job.timeout_minutes:g} minutes and "
            "was ended. What was published stays. Raise ExportJob.timeout_minutes."
        )

    def _log(self, job: ExportJob) -> str:
        """Returns the path of a job's log, which has nothing in it yet."""
        files.make_folder(self.logs)
        path = self._path(job)
        with open(path, "wb"):
            pass
        return path

    def _path(self, job: ExportJob) -> str:
        return files.join(self.logs, f"{job.name}.log")


def _settings(job: ExportJob) -> str:
    """Returns the gin text of the run in a job's model folder.

    Raises:
      errors.ModelFolderError: it has no settings that can be read.
    """
    if not files.is_remote(job.folder):
        run_settings.check(job.folder)
    folder = job.folder if files.is_remote(job.folder) else os.path.abspath(job.folder)
    return f"include {files.join(folder, config.OPERATIVE_CONFIG)!r}\n"


def _end_session(process: subprocess.Popen[bytes]) -> None:
    """Ends a process, with those that it started, also where only these do not listen."""
    _signal_session(process, signal.SIGTERM)
    deadline = time.monotonic() + _GRACE_SECS
    # The number stays that of the session as long as one of its processes is there.
    while _signal_session(process, 0) and time.monotonic() < deadline:
        process.poll()
        time.sleep(_LOOK_SECS)
    _signal_session(process, signal.SIGKILL)
    process.wait()


def _signal_session(process: subprocess.Popen[bytes], number: int) -> bool:
    """Sends a signal to a process and those that it started; returns whether there are some."""
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        return False
    return True


def _shown(command: Sequence[str]) -> str:
    return repr(" ".join(command))


def _last_words(log: str) -> str:
    lines = files.read_bytes(log).decode("utf-8", "replace").split("\n")
    words = [line.strip() for line in lines if line.strip()]
    return f": {words[-1][:_SHOWN_LETTERS].rstrip('.')}" if words else ""
