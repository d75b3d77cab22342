"""Evaluates the checkpoints of a model folder: chosen ones, or each new one as training saves it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from typing import Any

from hub_estimator import errors, files
from hub_estimator.training.experiment import Experiment
from hub_estimator.training.inputs.base import InputFn
from hub_estimator.training.inputs.failures import clear_errors
from hub_estimator.training.model_folder.checkpoints import Checkpoint
from hub_estimator.training.model_folder.choice import DEFAULT, CheckpointChoice
from hub_estimator.training.model_folder.history import Evaluation
from hub_estimator.training.model_folder.model_folder import ModelFolder
from hub_estimator.training.running import places, reporting
from hub_estimator.training.running.following import Following
from hub_estimator.training.running.interruption import Signals
from hub_estimator.training.running.kept_evaluation import keeping_evaluation
from hub_estimator.training.running.trained_model import TrainedModel

_logger = logging.getLogger("hub_estimator")


def evaluate(
    experiment: Experiment,
    model_dir: files.PathLike,
    checkpoints: CheckpointChoice | Following = DEFAULT,
    name: str | None = None,
) -> list[Evaluation]:
    """Evaluates checkpoints on the experiment's `eval_input`, and keeps the metrics in the folder.

    A checkpoint that training removes before its turn is left out; one that it removes meanwhile is
    evaluated to the end. Of several, a damaged one is left out too, with a warning in the log. The
    experiment's report is written for the last one.

    Args:
      experiment: what was trained.
      model_dir: the folder in which `train_and_evaluate` ran.
      checkpoints: which ones.
      name: under which name to keep the metrics; None is with those of training, which is right for
        the same data only.

    Returns:
      The evaluations, as `metrics.jsonl` has them.

    Raises:
      errors.Error: something is wrong; the class and the message say what.
    """
    eval_input, report = experiment.eval_input, experiment.report
    folder = ModelFolder(files.as_path(model_dir))
    history = folder.history(name)
    if report is not None:
        report.check()
    if isinstance(checkpoints, Following):
        checkpoints.wait_for_checkpoint(folder)
    trained = TrainedModel.of(experiment, folder, eval_input.class_names)
    trained.check("eval", eval_input)
    reporting.check_kept(report, eval_input, trained.spec)
    for what, path in places.of_inputs(eval_input=eval_input):
        folder.check_not_own(what, path)
    if experiment.source is not None:
        experiment.source.check_given_read()
    if isinstance(checkpoints, Following):
        done = [evaluation["step"] for evaluation in history.evaluations()]
        chosen: Iterable[Checkpoint] = checkpoints.checkpoints(
            folder, done, experiment.max_steps, experiment.stops_early
        )
    else:
        chosen = checkpoints.every(folder, experiment.goal, experiment.ends_on)
    found: list[Evaluation] = []
    input_fn = eval_input.evaluation_fn(trained.spec)

    def evaluate_one(checkpoint: Checkpoint) -> None:
        found.append(
            history.record(checkpoint.path, _metrics(trained, input_fn, checkpoint.path, name))
        )

    with Signals().listening(), keeping_evaluation(trained.estimator, input_fn):
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
                lambda pinned: reporting.write(report, trained, pinned.path, last, name),
            )
    return found


def _are_several(checkpoints: CheckpointChoice | Following) -> bool:
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
    trained: TrainedModel, input_fn: InputFn, checkpoint: str, name: str | None
) -> dict[str, Any]:
    began = time.monotonic()
    metrics = trained.estimator.evaluate(input_fn, checkpoint_path=checkpoint, name=name)
    _logger.info(
        "Evaluated the checkpoint of step %d in %.1f s: loss %.4f.",
        metrics["global_step"], time.monotonic() - began, metrics["loss"],
    )  # fmt: skip
    return metrics
