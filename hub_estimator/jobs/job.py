"""A job as a value: a model folder, which checkpoint, when, under what condition, and where to."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Literal

from hub_estimator import errors, files
from hub_estimator.jobs.candidates import Choice, Latest
from hub_estimator.jobs.destinations.destination import Destination
from hub_estimator.jobs.gates import Evaluation, Gate
from hub_estimator.jobs.keeping import Keep
from hub_estimator.jobs.schedules import OnNewCheckpoint, Schedule
from hub_estimator.training import checks

What = Literal["modules", "model"]
_WHAT = ("modules", "model")
_RECEIVES = ("features", "files", "examples")


@dataclasses.dataclass(frozen=True)
class ExportJob:
    """A job: it publishes checkpoints of a model folder.

    Attributes:
      name: the name of the job.
      model_dir: the folder in which `hub_estimator.train` runs, ran, or will run.
      destinations: where to: `[@Folder()]`, `@NumberedFolder()`, `@Site()`.
      what: `"modules"`, those with an `export_name`, or `"model"`, for serving.
      receives: of `"model"`: the form of a request; see `hub_estimator.export`.
      choose: which checkpoint; None is `@Latest()`.
      when: when to look; None is `@OnNewCheckpoint()`.
      gates: what a checkpoint must fulfil, all of it.
      keep: which published versions stay; None keeps all.
      then: a command and its arguments, run after a version was published. Its environment has
        `EXPORT_PATH`, and what `then` lists.
      timeout_minutes: how long an export, an evaluation or the command may take, each.
      gin_bindings: what differs from the training's settings, such as the path of a module.
      allow_import: modules to import, so that the model folder's settings can name what they register.

    Raises:
      errors.InvalidSettingError: a setting has a value that it cannot have.
      errors.InvalidPathNameError: the name cannot be that of a file.
    """

    name: str
    model_dir: str
    destinations: Sequence[Destination]
    what: What = "modules"
    receives: str = "features"
    choose: Choice | None = None
    when: Schedule | None = None
    gates: Sequence[Gate] = ()
    keep: Keep | None = None
    then: Sequence[str] = ()
    timeout_minutes: float = 60.0
    gin_bindings: Sequence[str] = ()
    allow_import: Sequence[str] = ()

    def __post_init__(self) -> None:
        files.check_name("ExportJob.name", self.name)
        checks.path("ExportJob.model_dir", self.model_dir)
        if files.is_store(self.folder):
            raise errors.InvalidSettingError(
                f"ExportJob.model_dir is {files.without_login(self.folder)!r}, and TensorFlow has no "
                f"filesystem {files.scheme_of(self.folder)}://. Give the folder in which training "
                "runs."
            )
        checks.listed("ExportJob.destinations", self.destinations, "[@Folder()]")
        if not self.destinations:
            raise errors.InvalidSettingError(
                f"The job {self.name!r} has no destination. Give it one: ExportJob.destinations = "
                "[@Folder()]."
            )
        for destination in self.destinations:
            checks.part("ExportJob.destinations", destination, "@Folder()", "publish", "versions")
        _check_word("ExportJob.what", self.what, _WHAT)
        for destination in self.destinations:
            destination.check_what(self.what)
        _check_word("ExportJob.receives", self.receives, _RECEIVES)
        checks.part("ExportJob.choose", self.chosen, "@Best()", "candidate")
        checks.part("ExportJob.when", self.schedule, "@Cron()", "next_secs")
        checks.listed("ExportJob.gates", self.gates, "[@AtLeast()]")
        for gate in self.gates:
            checks.part("ExportJob.gates", gate, "@AtLeast()", "objection")
        if self.keep is not None:
            checks.part("ExportJob.keep", self.keep, "@Keep()", "superfluous")
        _check_texts("ExportJob.then", self.then, "['systemctl', 'reload', 'nginx']")
        checks.positive("ExportJob.timeout_minutes", self.timeout_minutes)
        _check_texts("ExportJob.gin_bindings", self.gin_bindings, "[\"MODULE = '/moved'\"]")
        _check_texts("ExportJob.allow_import", self.allow_import, "['my_package.parts']")
        _ = self.evaluations

    @property
    def chosen(self) -> Choice:
        """Which checkpoint."""
        return Latest() if self.choose is None else self.choose

    @property
    def schedule(self) -> Schedule:
        """When to look."""
        return OnNewCheckpoint() if self.when is None else self.when

    @property
    def folder(self) -> str:
        """The path of the model folder."""
        return files.as_path(self.model_dir)

    @property
    def timeout_secs(self) -> float:
        """How long an export, an evaluation or the command may take."""
        return self.timeout_minutes * 60.0

    @property
    def evaluations(self) -> list[Evaluation]:
        """The evaluations that gates go by, each once.

        Raises:
          errors.DuplicateNameError: two that differ have one name.
        """
        found: dict[str, Evaluation] = {}
        for evaluation in [gate.evaluation for gate in self.gates if gate.evaluation is not None]:
            if found.setdefault(evaluation.name, evaluation) != evaluation:
                raise errors.DuplicateNameError(
                    f"The job {self.name!r} has two evaluations called {evaluation.name!r}, with "
                    "other bindings each. Give one of them another name."
                )
        return [*found.values()]


@dataclasses.dataclass(frozen=True)
class ExportJobs:
    """The jobs of one process.

    Attributes:
      jobs: the jobs, of different names and different destinations.
      state_dir: the folder of the journal, the locks, the logs and the metrics, of this machine.
      at_once: how many jobs run at once, each in a process of its own.
      poll_secs: how often the model folders are looked at.

    Raises:
      errors.InvalidSettingError: a setting has a value that it cannot have.
      errors.DuplicateNameError: two jobs have one name, or one destination.
    """

    jobs: Sequence[ExportJob]
    state_dir: str = "jobs"
    at_once: int = 2
    poll_secs: float = 10.0

    def __post_init__(self) -> None:
        checks.listed("ExportJobs.jobs", self.jobs, "[@ExportJob()]")
        if not self.jobs:
            raise errors.InvalidSettingError(
                "ExportJobs.jobs is empty. Give it a job: ExportJobs.jobs = [@ExportJob()]."
            )
        for job in self.jobs:
            checks.part("ExportJobs.jobs", job, "@ExportJob()", "destinations")
        checks.path("ExportJobs.state_dir", self.state_dir)
        if files.is_remote(files.as_path(self.state_dir)):
            raise errors.InvalidSettingError(
                f"ExportJobs.state_dir is {self.state_dir!r}; it must be a folder of this machine's "
                "filesystem, which has locks."
            )
        checks.whole_number("ExportJobs.at_once", self.at_once)
        checks.positive("ExportJobs.poll_secs", self.poll_secs)
        self._check_names()
        self._check_places()

    def _check_names(self) -> None:
        names = [job.name for job in self.jobs]
        for name in names:
            if names.count(name) > 1:
                raise errors.DuplicateNameError(
                    f"Two jobs are called {name!r}. Give each ExportJob.name a value of its own, in "
                    "a scope of its own: reviews/ExportJob.name = 'reviews'."
                )

    def _check_places(self) -> None:
        taken: dict[str, str] = {}
        for job in self.jobs:
            for destination in job.destinations:
                if destination.place in taken:
                    raise errors.DuplicateNameError(
                        f"The jobs {taken[destination.place]!r} and {job.name!r} both publish to "
                        f"{destination.place!r}. Give each destination a place of its own."
                    )
                taken[destination.place] = job.name

    @property
    def folder(self) -> str:
        """The path of the state folder."""
        return files.as_path(self.state_dir)


def _check_word(name: str, value: object, words: Sequence[str]) -> None:
    if value not in words:
        raise errors.InvalidSettingError(
            f"{name} is {value!r}; it must be one of {', '.join(map(repr, words))}."
        )


def _check_texts(name: str, value: object, example: str) -> None:
    checks.listed(name, value, example)
    assert isinstance(value, Sequence)
    for element in value:
        checks.text(f"An element of {name}", element)
