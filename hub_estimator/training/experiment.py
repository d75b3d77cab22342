"""A run as one value: what is trained on what, how long, and what is kept of it.

    experiment = Experiment(
        model=Model([Encoder("/modules/text")], head, Optimization(optimizer, 0.05)),
        train_input=TextFile("train.csv"),
        eval_input=TextFile("test.csv"),
        max_steps=2000,
        eval_every_steps=500,
    )
    result = train_and_evaluate(experiment, "/tmp/model")

Making one reads nothing and builds nothing; `dataclasses.replace` changes it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from hub_estimator import errors
from hub_estimator.training import checks, settings_text
from hub_estimator.training.early_stopping import EarlyStopping
from hub_estimator.training.feature_cache import FeatureCache
from hub_estimator.training.inputs.base import Input
from hub_estimator.training.model.contract import TrainableModel
from hub_estimator.training.objective import Objective
from hub_estimator.training.settings_text import GinSource


class ReportWriter(Protocol):
    """Writes something for people about the last evaluation of a run; `Report` is one.

    One that has an attribute `keep`, names of columns, is given what is kept under them, and what the
    data always tells, among the features of its `input_fn`; see `kept`.
    """

    def check(self) -> None:
        """Raises an `errors.Error` where nothing could be written; called before anything else."""

    def write(
        self, trained: Any, input_fn: Any, checkpoint: str, metrics: Any, name: str | None = None
    ) -> str:
        """Writes it, and returns where; see `hub_estimator.training.reports.report.Report.write`."""


@dataclasses.dataclass(frozen=True)
class Experiment:
    """What a run consists of, beside the model folder that it is in.

    Attributes:
      model: the model, such as `Model` or `CannedModel`.
      train_input: the examples to train on.
      eval_input: the examples to evaluate on.
      max_steps: optimizer steps in all, those of earlier runs in the same model folder included.
      eval_every_steps: steps from one checkpoint, its evaluation and export, to the next.
      exporters: make the exporters, each called with `serving_input_fn`; for example
        `functools.partial(LatestModuleExporter, "module")`.
      hooks: make further hooks for training.
      early_stopping: when to end before `max_steps`; None never does.
      objective: which checkpoint is the best, where somebody asks for that; None is the one of the
        least loss.
      report: writes pictures and tables of the last evaluation; None writes none.
      feature_cache: where to keep what frozen modules give for each example, so that they run once
        for each and not in every epoch. True is `FeatureCache()`, False runs them in each step.
      seed: of the order of examples, initial values and dropout.
      keep_checkpoints: how many checkpoints to keep, the newest ones.
      log_every_steps: steps between two lines of the log and two points in TensorBoard.
      profile_every_steps: steps between two profiles of one step each, which Chrome's
        chrome://tracing shows, in `<model_dir>/profile/`; None makes none.
      distribute: makes the strategy for several devices, such as `tf.distribute.MirroredStrategy`;
        None trains on one. A step takes a batch on each of them.
      source: the configuration that it was made from, as long as that is open; None for one that was
        made in Python.

    Raises:
      errors.InvalidSettingError: a setting is of a kind, or has a value, that it cannot have.
    """

    model: TrainableModel
    train_input: Input
    eval_input: Input
    max_steps: int
    eval_every_steps: int
    exporters: Sequence[Callable[..., Any]] = ()
    hooks: Sequence[Callable[[], Any]] = ()
    early_stopping: EarlyStopping | None = None
    objective: Objective | None = None
    report: ReportWriter | None = None
    feature_cache: FeatureCache | bool = True
    seed: int = 1
    keep_checkpoints: int = 5
    log_every_steps: int = 100
    profile_every_steps: int | None = None
    distribute: Callable[[], Any] | None = None
    source: GinSource | None = dataclasses.field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        for name in ("max_steps", "eval_every_steps", "keep_checkpoints", "log_every_steps"):
            checks.whole_number(f"Experiment.{name}", getattr(self, name))
        checks.whole_number("Experiment.seed", self.seed, least=0)
        if self.profile_every_steps is not None:
            checks.whole_number("Experiment.profile_every_steps", self.profile_every_steps)
        checks.part("Experiment.model", self.model, "@Model()", "model_fn", "example_spec", "check")
        for name in ("train_input", "eval_input"):
            needed = ("check", "training_fn", "evaluation_fn")
            checks.part(f"Experiment.{name}", getattr(self, name), "@TextFile()", *needed)
        checks.listed("Experiment.exporters", self.exporters, "[@LatestModuleExporter]")
        checks.listed("Experiment.hooks", self.hooks, "[@MyHook]")
        self._check_optional_parts()

    def _check_optional_parts(self) -> None:
        optional = (
            ("early_stopping", "@EarlyStopping()", "should_stop"),
            ("objective", "@Objective()", "is_better"),
            ("report", "@Report()", "write", "check"),
        )
        for name, example, *attributes in optional:
            value = getattr(self, name)
            if value is not None:
                checks.part(f"Experiment.{name}", value, example, *attributes)
        if not isinstance(self.feature_cache, (FeatureCache, bool)):
            raise errors.InvalidSettingError(
                f"Experiment.feature_cache is {checks.shown(self.feature_cache)}; it must be True, "
                "False or @FeatureCache()."
            )
        if self.distribute is not None:
            checks.factory("Experiment.distribute", self.distribute, "@MirroredStrategy")

    @property
    def goal(self) -> Objective:
        """By what the best checkpoint is the best, where nobody says otherwise."""
        return self.objective or Objective()

    def text(self, model_dir: str = "") -> str:
        """Returns the settings as text.

        Of an experiment from gin files it is the text of a gin file, with what had an effect so far:
        all of it once the model was built. What `dataclasses.replace` changed since is at its end.
        Of one that was made in Python it is for people.

        Args:
          model_dir: the model folder that it is for.
        """
        if self.source is None:
            return settings_text.of_python(self)
        return settings_text.with_changes(self.source.text(model_dir), self.source.changes(self))
