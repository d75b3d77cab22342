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
from typing import Any, Literal, Protocol

from hub_estimator import errors
from hub_estimator.training import checks, settings_text
from hub_estimator.training.early_stopping import EarlyStopping
from hub_estimator.training.feature_cache import FeatureCache
from hub_estimator.training.inputs import parts
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
      eval_input: the examples to evaluate on. A number, such as 0.1, holds out that fraction of the
        training data, chosen by the contents of the examples (see `inputs.parts`): both inputs are
        made the parts. So does an input whose path is a number.
      max_steps: optimizer steps in all, those of earlier runs in the same model folder included.
      eval_every_steps: steps from one checkpoint, its evaluation and export, to the next.
      exporters: make the exporters, each called with `serving_input_fn`; for example
        `functools.partial(LatestModuleExporter, "module")`.
      hooks: make further hooks for training.
      early_stopping: when to end before `max_steps`; None never does.
      objective: which checkpoint is the best, for whoever asks for that, and for early stopping and
        exporters that have no objective of their own; None is the one of the least loss.
      report: writes pictures and tables of the last evaluation; None writes none.
      feature_cache: where to keep what frozen modules give for each example, and of trained ones what
        comes before all that is trained, so that it runs once for each and not in every epoch. Of data
        that is read anew in each epoch nothing is kept; there it runs ahead of the steps, on other
        cores, where there are such, and no GPU, and 50 steps at least. True is `FeatureCache()`, False runs all of it in each step.
      seed: of the order of examples, initial values and dropout.
      keep_checkpoints: how many checkpoints to keep, the newest ones. The best one by `goal` stays
        beside them; in a cluster, up to so many more that wait for their evaluation.
      load_best_model_at_end: whether the run ends on the best checkpoint by `goal` and not on the
        last: the report, the metrics of the `Result`, the exports after the last evaluation, and
        what `predict`, `evaluate` and `export` take where nobody chooses. A run that goes on does so
        from the last one.
      log_every_steps: steps between two lines of the log and two points in TensorBoard.
      profile_every_steps: steps between two profiles of one step each, which Chrome's
        chrome://tracing shows, in `<model_dir>/profile/`; None makes none.
      distribute: makes the strategy for several devices, such as `tf.distribute.MirroredStrategy`, or
        for the workers of a cluster, `tf.distribute.MultiWorkerMirroredStrategy`; None trains on one
        device, in a cluster with parameter servers. A step takes a batch on each of them.
      source: the configuration that it was made from, as long as that is open; None for one that was
        made in Python.

    Raises:
      errors.InvalidSettingError: a setting is of a kind, or has a value, that it cannot have.
    """

    model: TrainableModel
    train_input: Input
    eval_input: Input | Any
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
    load_best_model_at_end: bool = False
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
        self._check_inputs()
        checks.listed("Experiment.exporters", self.exporters, "[@LatestModuleExporter]")
        checks.listed("Experiment.hooks", self.hooks, "[@MyHook]")
        self._check_optional_parts()

    def _check_inputs(self) -> None:
        """Checks the inputs, and divides the training data where a fraction is to evaluate on."""
        needed = ("check", "training_fn", "evaluation_fn")
        checks.part("Experiment.train_input", self.train_input, "@TextFile()", *needed)
        train_input, eval_input = parts.divided(self.train_input, self.eval_input)
        object.__setattr__(self, "train_input", train_input)
        object.__setattr__(self, "eval_input", eval_input)
        checks.part("Experiment.eval_input", self.eval_input, "@TextFile()", *needed)

    def _check_optional_parts(self) -> None:
        optional = (
            ("early_stopping", "@EarlyStopping()", "should_stop", "by_default"),
            ("objective", "@Objective()", "is_better"),
            ("report", "@Report()", "write", "check"),
        )
        for name, example, *attributes in optional:
            value = getattr(self, name)
            if value is not None:
                checks.part(f"Experiment.{name}", value, example, *attributes)
        if not isinstance(self.load_best_model_at_end, bool):
            raise errors.InvalidSettingError(
                f"Experiment.load_best_model_at_end is {checks.shown(self.load_best_model_at_end)}; "
                "it must be True or False."
            )
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

    @property
    def stops_early(self) -> EarlyStopping | None:
        """When to end before `max_steps`, by `goal` where it has no objective of its own."""
        if self.early_stopping is None:
            return None
        return self.early_stopping.by_default(self.goal)

    @property
    def ends_on(self) -> Literal["latest", "best"]:
        """Which checkpoint is taken where nobody chooses."""
        return "best" if self.load_best_model_at_end else "latest"

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
