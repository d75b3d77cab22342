"""One run of a job: choose a checkpoint, ask the gates, export it once, publish it, tidy up.

Exactly once: that a version is about to be published is in the journal before, that it is there after.
What a kill leaves in between, the next run finds at the destination, by the digest of the checkpoint.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import logging
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from hub_estimator import errors, files
from hub_estimator.jobs.candidates import Candidate
from hub_estimator.jobs.destinations.destination import Destination, Publication, Version
from hub_estimator.jobs.gates import Evaluation, Metrics
from hub_estimator.jobs.job import ExportJob
from hub_estimator.jobs.journal import Journal
from hub_estimator.jobs.ledger import Ledger
from hub_estimator.training.exporters import export_records

_MOST_LOOKS = 3  # at a folder in which checkpoints come and go while they are being exported

_logger = logging.getLogger("hub_estimator")


class Work(Protocol):
    """What a job has done in processes of their own; see `work.Worker`."""

    def export(self, job: ExportJob, step: int, path: str) -> None:
        """Exports the checkpoint of a step into a folder that is not there."""

    def evaluate(
        self, job: ExportJob, step: int, evaluation: Evaluation
    ) -> dict[str, float | None]:
        """Evaluates the checkpoint of a step, and returns its metrics."""

    def run_command(self, job: ExportJob, about: Mapping[str, str]) -> None:
        """Runs the command of a job with this in its environment."""


@dataclasses.dataclass(frozen=True)
class Outcome:
    """How a run of a job ended.

    Attributes:
      result: see `LastRun.result`; also `"stopped"`, where the process is to end.
      said: a sentence about it.
      key: that of the candidate that was looked at; None where there was none.
      has_folder: whether the model folder was there.
      export_secs: how long the export took; None where there was none.
    """

    result: str
    said: str
    key: str | None = None
    has_folder: bool = True
    export_secs: float | None = None


def look(job: ExportJob, had_folder: bool) -> Candidate | None:
    """Returns the checkpoint that a job would publish; None where it waits for one.

    Args:
      job: the job.
      had_folder: whether the model folder was there before.

    Raises:
      errors.ModelFolderError: the model folder was removed.
      errors.Error: something is to be changed before there can be one.
    """
    if files.is_folder(job.folder):
        return job.chosen.candidate(job.folder)
    if had_folder:
        raise errors.ModelFolderError(
            f"The model folder {job.folder!r} was there and is not any more. Bring it back, or take "
            f"the job {job.name!r} out of ExportJobs.jobs."
        )
    return None


@dataclasses.dataclass(frozen=True)
class Run:
    """A run of a job.

    Attributes:
      job: the job.
      ledger: what it published; it is kept up to date.
      journal: where to write it.
      work: what starts processes.
      folder: where exports are made before they are published; this process alone uses it.
    """

    job: ExportJob
    ledger: Ledger
    journal: Journal
    work: Work
    folder: str

    def run(self, had_folder: bool) -> Outcome:
        """Does all that is to be done now.

        Args:
          had_folder: whether the model folder was there in an earlier run.

        Raises:
          errors.InterruptedRunError: the process is to end; nothing is left half-done.
          errors.Error: the job fails; what was done before stays.
          OSError: likewise.
        """
        failures = self._adopt(None)
        raised: list[Exception] = []
        outcome = None
        try:
            outcome = self._publish_one(had_folder, failures)
        except errors.InterruptedRunError:
            raise
        except (errors.Error, OSError) as error:
            raised.append(error)
        # Also where that failed: for what was published before, and to make room.
        failures += self._remove_old()
        try:
            self._follow_up()
        except errors.FollowUpError as error:
            raised.append(error)
        if len(raised) == 1 and not failures:
            raise raised[0]
        if raised or failures:
            together = dict.fromkeys([*failures, *map(_sentence, raised)])
            raise errors.ExportError(" ".join(together)) from next(iter(raised), None)
        assert outcome is not None
        return dataclasses.replace(outcome, has_folder=files.is_folder(self.job.folder))

    def _adopt(self, candidate: Candidate | None) -> list[str]:
        """Finishes and writes down what is published and not in the journal; returns what failed.

        That is what a killed process left, or what is there where the journal was lost.

        Args:
          candidate: a checkpoint to look for beside those that were about to be published.
        """
        failures: list[str] = []
        for destination in self.job.destinations:
            with _noting(failures, destination):
                destination.tidy()
            sought = set(self.ledger.begun.get(destination.place, ()))
            if candidate is not None and not self.ledger.has(destination.place, candidate.sha256):
                sought.add(candidate.sha256)
            with _noting(failures, destination):
                for version in destination.versions(self.job.name) if sought else ():
                    if version.publication.sha256 in sought:
                        # Also what follows a version: a process may have died before that.
                        finished = destination.publish(version.path, version.publication, False)
                        self._note(destination, finished)
        return failures

    def _publish_one(self, had_folder: bool, failures: list[str]) -> Outcome:
        """Publishes a checkpoint; another one where training removed it meanwhile."""
        for _ in range(_MOST_LOOKS - 1):
            candidate = look(self.job, had_folder)
            try:
                return self._publish(candidate, failures)
            except errors.InterruptedRunError:
                raise
            except errors.Error:
                now = look(self.job, had_folder)
                if candidate is None or (now is not None and now.sha256 == candidate.sha256):
                    raise
        return self._publish(look(self.job, had_folder), failures)

    def _publish(self, candidate: Candidate | None, failures: list[str]) -> Outcome:
        if candidate is None:
            there = files.is_folder(self.job.folder)
            what = "checkpoint to publish" if there else "model folder"
            return Outcome("waiting", f"waits for a {what} in {self.job.folder!r}")
        failures += self._adopt(candidate)
        missing = [
            destination
            for destination in self.job.destinations
            if not self.ledger.has(destination.place, candidate.sha256)
        ]
        if not missing:
            said = f"step {candidate.step} is published already"
            return Outcome("unchanged", said, candidate.key)
        evaluations = {
            evaluation.name: self.work.evaluate(self.job, candidate.step, evaluation)
            for evaluation in self.job.evaluations
        }
        objections = self._objections(candidate, evaluations)
        if objections:
            said = f"step {candidate.step} is held back: {'; '.join(objections)}"
            self._note_held_back(candidate, objections)
            return Outcome("held_back", said, candidate.key)
        return self._export(candidate, evaluations, missing, failures)

    def _objections(
        self, candidate: Candidate, evaluations: Mapping[str, Metrics]
    ) -> Sequence[str]:
        last = self.ledger.last_publication
        found = []
        for gate in self.job.gates:
            if gate.evaluation is None:
                pair = candidate.metrics, None if last is None else last.metrics
            else:
                name = gate.evaluation.name
                pair = evaluations[name], None if last is None else last.evaluations.get(name)
            objection = gate.objection(*pair)
            found += [] if objection is None else [objection]
        return found

    def _export(
        self,
        candidate: Candidate,
        evaluations: Mapping[str, Metrics],
        missing: Sequence[Destination],
        failures: list[str],
    ) -> Outcome:
        ready = []
        for destination in missing:
            with _noting(failures, destination):  # before the work is done
                destination.check(self._is_first(destination))
                ready.append(destination)
        if not ready:
            return Outcome("failed", "no destination can be written to", candidate.key)
        began = time.monotonic()
        with files.scratch_folder(self.folder, self.job.name) as scratch:
            export = files.join(scratch, "export")
            self.work.export(self.job, candidate.step, export)
            secs = time.monotonic() - began
            if export_records.sha256(export) != candidate.sha256:
                raise errors.CheckpointGoneError(
                    f"The checkpoint of step {candidate.step} in {self.job.folder!r} was replaced by "
                    "another one of the same step meanwhile; that is looked at next."
                )
            publication = Publication(
                self.job.name,
                candidate.step,
                candidate.sha256,
                time.time(),
                candidate.metrics,
                evaluations,
            )
            paths = []
            for destination in ready:
                with _noting(failures, destination):
                    paths.append(self._publish_to(destination, export, publication).path)
        said = f"step {candidate.step} is published: {', '.join(paths)}"
        return Outcome("published", said, candidate.key, export_secs=secs)

    def _publish_to(
        self, destination: Destination, export: str, publication: Publication
    ) -> Version:
        place = destination.place
        self.ledger.take(
            self.journal.add(
                self.job.name,
                "publishing",
                place=place,
                step=publication.step,
                sha256=publication.sha256,
            )
        )
        version = destination.publish(
            export, publication, self._is_first(destination), self.job.folder
        )
        self._note(destination, version)
        return version

    def _is_first(self, destination: Destination) -> bool:
        return destination.place not in self.ledger.published

    def _note(self, destination: Destination, version: Version) -> None:
        """Writes down that a version is there."""
        self.ledger.take(
            self.journal.add(
                self.job.name,
                "published",
                place=destination.place,
                version=version.name,
                path=version.path,
                publication=dataclasses.asdict(version.publication),
                then=bool(self.job.then),
            )
        )
        step = version.publication.step
        _logger.info("%s: step %d is published: %s.", self.job.name, step, version.path)

    def _note_held_back(self, candidate: Candidate, objections: Sequence[str]) -> None:
        """Writes down that a checkpoint is held back; once, however often it is looked at."""
        about = candidate.key, tuple(objections)
        if about != self.ledger.held_back:
            self.ledger.take(
                self.journal.add(
                    self.job.name,
                    "held_back",
                    step=candidate.step,
                    sha256=candidate.sha256,
                    key=candidate.key,
                    objections=list(objections),
                )
            )

    def _remove_old(self) -> list[str]:
        """Removes the versions that need not be kept; returns what failed."""
        failures: list[str] = []
        if self.job.keep is None:
            return failures
        for destination in self.job.destinations:
            with _noting(failures, destination):
                versions = destination.versions(self.job.name)
                for version in self.job.keep.superfluous(versions, time.time()):
                    destination.remove(version)
                    self.journal.add(
                        self.job.name,
                        "removed",
                        place=destination.place,
                        version=version.name,
                        step=version.publication.step,
                        sha256=version.publication.sha256,
                    )
        return failures

    def _follow_up(self) -> None:
        """Runs the command, where versions were published that it was not run after."""
        last = self.ledger.last_publication
        paths = [*self.ledger.pending.values()]
        if not paths or last is None or not self.job.then:
            return
        about = {
            "EXPORT_PATH": paths[0],
            "EXPORT_PATHS": os.pathsep.join(paths),
            "EXPORT_JOB": self.job.name,
            "EXPORT_STEP": str(last.step),
            "EXPORT_METRICS": json.dumps(last.metrics),
        }
        self.work.run_command(self.job, about)
        self.ledger.take(self.journal.add(self.job.name, "then", paths=paths))


def _sentence(error: Exception) -> str:
    return f"{str(error).rstrip('.')}."


@contextlib.contextmanager
def _noting(failures: list[str], destination: Destination) -> Iterator[None]:
    """Notes what fails at one destination, so that it does not keep from the others."""
    try:
        yield
    except errors.InterruptedRunError:
        raise
    except errors.Error as error:
        failures.append(_sentence(error))
    except OSError as error:
        failures.append(f"{destination.place!r} cannot be used: {error.strerror or error}.")
