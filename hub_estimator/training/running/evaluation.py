"""Evaluates the checkpoints of a model folder: chosen ones, or each new one as training saves it."""

from __future__ import annotations

import dataclasses
import logging
import time
from collections.abc import Callable, Iterable
from typing import Any

from hub_estimator import errors, files
from hub_estimator.training import checks
from hub_estimator.training.inputs.base import Input, InputFn
from hub_estimator.training.inputs.failures import clear_errors
from hub_estimator.training.model.model_fn import Model
from hub_estimator.training.running import places
from hub_estimator.training.running.checkpoint_names import step_of
from hub_estimator.training.running.checkpoints import Checkpoint
from hub_estimator.training.running.early_stopping import EarlyStopping
from hub_estimator.training.running.folder_model import FolderModel, Settings
from hub_estimator.training.running.following import Following
from hub_estimator.training.running.history import Evaluation
from hub_estimator.training.running.interruption import Signals
from hub_estimator.training.running.model_folder import ModelFolder
from hub_estimator.training.running.reports.report import Report

_logger = logging.getLogger("hub_estimator")


@dataclasses.dataclass(frozen=True)
class Choice:
    """Which checkpoints to use.

    Attributes:
      which: `"latest"`, `"best"`, `"all"`, a global step, or the path of a checkpoint in the model
        folder: its prefix, or one of its files.
      metric: what the best one is the best by, as `metrics.jsonl` names it.
      lower_is_better: whether smaller values are better; None is for metrics with "loss" or "error"
        in their name.
    """

    which: str | int = "latest"
    metric: str = "loss"
    lower_is_better: bool | None = None

    def one(self, folder: ModelFolder) -> Checkpoint:
        """Returns the checkpoint, of all of them the last.

        Raises:
          errors.ModelFolderError: there is none such.
        """
        if self.which == "best":
            return folder.best(self.metric, self.lower_is_better)
        if self.which in ("latest", "all"):
            return folder.latest()
        return folder.at(self._step(folder))

    def _step(self, folder: ModelFolder) -> int:
        which = str(self.which)
        if which.isdecimal():
            return int(which)
        step, place = step_of(which), files.parent(files.as_path(which))
        if step is None:
            raise errors.ModelFolderError(
                f"There is no checkpoint {which!r}. Give 'latest', 'best' or a step."
            )
        if place and not files.is_same(place, folder.path):
            raise errors.ModelFolderError(
                f"The checkpoint {which!r} is not in the model folder {folder.path!r}. Give its "
                f"step, {step}, where that was moved, or the model folder that it is in."
            )
        return step

    def every(self, folder: ModelFolder) -> list[Checkpoint]:
        """Returns the checkpoints, that of the smallest step first.

        Raises:
          errors.ModelFolderError: there is none such.
        """
        last = self.one(folder)
        return folder.checkpoints() if self.which == "all" else [last]


LATEST = Choice()


def evaluate(
    model_dir: files.PathLike,
    model: Model,
    eval_input: Input,
    max_steps: int | None = None,
    early_stopping: EarlyStopping | None = None,
    report: Report | None = None,
    seed: int = 1,
    checkpoints: Choice | Following = LATEST,
    name: str | None = None,
    settings: Settings | None = None,
) -> list[Evaluation]:
    """Evaluates checkpoints, and keeps the metrics in the model folder.

    A checkpoint that training removes before its turn is left out; one that it removes meanwhile is
    evaluated to the end. Of several, a damaged one is left out too, with a warning in the log.

    Args:
      model_dir: a folder in which `train_and_evaluate` ran.
      model: the model that was trained.
      eval_input: the examples to evaluate on.
      max_steps: the step at which training ends, for `Following`; None is never.
      early_stopping: when training ends before that, for `Following`; None is never.
      report: writes pictures and tables of the last evaluation; None writes none.
      seed: that of training.
      checkpoints: which ones.
      name: under which name to keep the metrics; None is with those of training, which is right for
        the same data only.
      settings: checked before the work starts.

    Returns:
      The evaluations, as `metrics.jsonl` has them.

    Raises:
      errors.Error: something is wrong; the class and the message say what.
    """
    checks.made("evaluate.eval_input", eval_input, "@TextFile()", "evaluation_fn")
    history = ModelFolder(files.as_path(model_dir)).history(name)
    if isinstance(checkpoints, Following):
        checkpoints.wait_for_checkpoint(ModelFolder(files.as_path(model_dir)))
    made = FolderModel.make("evaluate", model_dir, model, seed, eval_input.class_names)
    made.check("eval", eval_input)
    for what, path in places.of_inputs(eval_input=eval_input):
        made.folder.check_not_own(what, path)
    if settings is not None:
        settings.check_given_read()
    folder = made.folder
    if isinstance(checkpoints, Following):
        done = [each["step"] for each in history.evaluations()]
        last_step = max_steps if max_steps is not None else 2**63
        chosen: Iterable[Checkpoint] = checkpoints.checkpoints(
            folder, done, last_step, early_stopping
        )
    else:
        chosen = checkpoints.every(folder)
    found: list[Evaluation] = []
    input_fn = eval_input.evaluation_fn(made.spec)

    def evaluate_one(checkpoint: Checkpoint) -> None:
        found.append(
            history.record(checkpoint.path, _metrics(made, input_fn, checkpoint.path, name))
        )

    with Signals().listening():
        damaged: errors.DamagedCheckpointError | None = None
        for checkpoint in chosen:
            try:
                _use(folder, checkpoint, evaluate_one)
            except errors.DamagedCheckpointError as error:
                if not _are_several(checkpoints):
                    raise
                _logger.warning("%s", error)
                damaged = error
        if damaged is not None and not found:
            raise damaged
        if report is not None and found:
            last = found[-1]
            _use(
                folder,
                Checkpoint(last["step"], files.join(folder.path, last["checkpoint"])),
                lambda pinned: report.write(made, input_fn, pinned.path, last, name),
            )
    return found


def _are_several(checkpoints: Choice | Following) -> bool:
    return isinstance(checkpoints, Following) or checkpoints.which == "all"


@clear_errors()
def _use(
    folder: ModelFolder, checkpoint: Checkpoint, function: Callable[[Checkpoint], Any]
) -> None:
    """Calls a function with a checkpoint that stays meanwhile; one that is gone is left out."""
    try:
        with folder.pinned(checkpoint) as pinned:
            function(pinned)
    except errors.CheckpointGoneError as error:
        _logger.info("%s", error)


@clear_errors()
def _metrics(
    made: FolderModel, input_fn: InputFn, checkpoint: str, name: str | None
) -> dict[str, Any]:
    began = time.monotonic()
    metrics = made.estimator.evaluate(input_fn, checkpoint_path=checkpoint, name=name)
    _logger.info(
        "Evaluated the checkpoint of step %d in %.1f s: loss %.4f.",
        metrics["global_step"], time.monotonic() - began, metrics["loss"],
    )  # fmt: skip
    return metrics
