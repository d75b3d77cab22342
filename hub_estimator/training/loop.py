"""Train, evaluate and export: one run of a model in a model folder."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import tensorflow as tf

from hub_estimator import compat, errors, files
from hub_estimator.training import checks, preflight
from hub_estimator.training.early_stopping import EarlyStopping, Stopping
from hub_estimator.training.exporters.modules import modules_in
from hub_estimator.training.inputs.base import Input, InputFn
from hub_estimator.training.interruption import Signals, StopOnSignalHook
from hub_estimator.training.model_fn import Model
from hub_estimator.training.progress import ProgressHook
from hub_estimator.training.report import Result
from hub_estimator.training.serving import ServingInput

OPERATIVE_CONFIG = "operative_config.gin"
# Makes an exporter of the Estimator API: `exporter(serving_input_fn=...)`.
ExporterFactory = Callable[..., Any]

_logger = logging.getLogger("hub_estimator")


class Settings(Protocol):
    """Where the run's settings are from; `config.Session` is one."""

    def check_all_read(self) -> None:
        """Raises an error where a setting has no effect."""

    def operative_text(self) -> str:
        """Returns the settings that had an effect."""


def train_and_evaluate(
    model_dir: files.PathLike,
    model: Model,
    train_input: Input,
    eval_input: Input,
    max_steps: int,
    eval_every_steps: int,
    exporters: Sequence[ExporterFactory] = (),
    hooks: Sequence[Callable[[], Any]] = (),
    early_stopping: EarlyStopping | None = None,
    seed: int = 1,
    keep_checkpoints: int = 5,
    log_every_steps: int = 100,
    settings: Settings | None = None,
) -> Result:
    """Trains a model, evaluates and exports it at each checkpoint; goes on where it stopped before.

    All that can be wrong is looked for before anything is written.

    Args:
      model_dir: the folder for checkpoints, TensorBoard logs and exports.
      model: the model.
      train_input: the examples to train on.
      eval_input: the examples to evaluate on.
      max_steps: optimizer steps in all, those of earlier runs in this folder included.
      eval_every_steps: steps from one checkpoint, its evaluation and export, to the next.
      exporters: make the exporters, each called with `serving_input_fn`; for example
        `functools.partial(LatestModuleExporter, "module")`.
      hooks: make further hooks for training.
      early_stopping: when to end before `max_steps`; None never does.
      seed: of the order of examples, initial values and dropout.
      keep_checkpoints: how many checkpoints to keep, the newest ones.
      log_every_steps: steps between two lines of the log and two points in TensorBoard.
      settings: checked and saved before training starts.

    Returns:
      The `Result`.

    Raises:
      errors.Error: something is wrong; the class and the message say what.
    """
    folder = files.as_path(model_dir)
    _check_numbers(
        max_steps=max_steps,
        eval_every_steps=eval_every_steps,
        keep_checkpoints=keep_checkpoints,
        log_every_steps=log_every_steps,
    )
    checks.whole_number("train_and_evaluate.seed", seed, least=0)
    _check_parts(model, train_input=train_input, eval_input=eval_input)
    checks.listed("train_and_evaluate.exporters", exporters, "[@LatestModuleExporter]")
    if early_stopping is not None:
        name = "train_and_evaluate.early_stopping"
        checks.made(name, early_stopping, "@EarlyStopping()", "should_stop")
    spec = preflight.check(folder, model, train_input, eval_input)
    config = _run_config(seed, eval_every_steps, keep_checkpoints, log_every_steps)
    stopping = Stopping(early_stopping, folder, config)
    made_exporters = stopping.exporters(
        [exporter(serving_input_fn=ServingInput(spec)) for exporter in exporters]
    )
    made_hooks = [*(hook() for hook in hooks), *stopping.hooks()]
    if settings is not None:
        settings.check_all_read()
    signals = Signals()
    with signals.listening():
        if settings is not None and config.is_chief:
            _save_settings(folder, settings)
        estimator = compat.estimator_module().Estimator(model.model_fn, folder, config, params={})
        start = _step(estimator)
        evaluation_fn = eval_input.evaluation_fn(spec)
        if start >= max_steps or stopping.requested:
            _logger.info("Training in %s is already finished, at step %d.", folder, start)
            metrics, exported = _evaluate_and_export(estimator, evaluation_fn, made_exporters)
        else:
            if start:
                _logger.info(
                    "Training goes on from the checkpoint of step %d in %s.", start, folder
                )
            metrics, exported = _train(
                estimator,
                train_input.training_fn(spec, seed, lambda: _step(estimator)),
                evaluation_fn, max_steps, log_every_steps, made_exporters, made_hooks, signals,
            )  # fmt: skip
    return Result(
        folder, _step(estimator), metrics, estimator.latest_checkpoint(), _modules(exported)
    )


def _check_numbers(**numbers: Any) -> None:
    for name, value in numbers.items():
        checks.whole_number(f"train_and_evaluate.{name}", value)


def _check_parts(model: Any, **inputs: Any) -> None:
    checks.made("train_and_evaluate.model", model, "@Model()", "model_fn", "example_spec")
    for name, source in inputs.items():
        checks.made(f"train_and_evaluate.{name}", source, "@TextFile()", "training_fn")


def _save_settings(folder: str, settings: Settings) -> None:
    text = settings.operative_text()
    files.make_folder(folder)
    files.write_text(files.join(folder, OPERATIVE_CONFIG), text)
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        # Four spaces before each line: TensorBoard shows text as Markdown.
        shown = "\n".join(f"    {line}" for line in text.splitlines())
        summary = session.run(tf.compat.v1.summary.text("operative_config", tf.constant(shown)))
        # The suffix: files are named by the second, and training opens its own in the same one.
        with tf.compat.v1.summary.FileWriter(folder, filename_suffix=".config") as writer:
            writer.add_summary(summary, 0)


def _run_config(seed: int, save_steps: int, keep: int, log_steps: int) -> Any:
    return compat.estimator_module().RunConfig(
        tf_random_seed=seed,
        save_checkpoints_steps=save_steps,
        keep_checkpoint_max=keep,
        save_summary_steps=log_steps,
        log_step_count_steps=log_steps,
    )


def _step(estimator: Any) -> int:
    """Returns the global step of the latest checkpoint, 0 without one."""
    checkpoint = estimator.latest_checkpoint()
    return int(tf.train.load_variable(checkpoint, "global_step")) if checkpoint else 0


def _train(
    estimator: Any,
    training_fn: InputFn,
    evaluation_fn: InputFn,
    max_steps: int,
    log_every_steps: int,
    exporters: list[Any],
    hooks: list[Any],
    signals: Signals,
) -> tuple[dict[str, Any], list[Any]]:
    api = compat.estimator_module()
    stop = StopOnSignalHook(signals, estimator.model_dir if estimator.config.is_chief else None)
    progress = ProgressHook(max_steps, log_every_steps)
    train_spec = api.TrainSpec(
        training_fn,
        max_steps=max_steps,
        hooks=[*hooks, progress, stop],
    )
    eval_spec = api.EvalSpec(
        evaluation_fn,
        steps=None,
        hooks=[StopOnSignalHook(signals)],
        exporters=exporters,
        start_delay_secs=0,
        throttle_secs=0,
    )
    try:
        with signals.waiting():
            outcome = api.train_and_evaluate(estimator, train_spec, eval_spec)
    except tf.compat.v1.train.NanLossDuringTrainingError as error:
        raise errors.ModelError(
            f"The loss is not a number any more, after the checkpoint of step {_step(estimator)}. "
            "Lower Optimization.learning_rate."
        ) from error
    # In a cluster, the task "evaluator" evaluates and exports, and no task returns anything.
    return outcome or ({}, [])


def _evaluate_and_export(
    estimator: Any, evaluation_fn: InputFn, exporters: list[Any]
) -> tuple[dict[str, Any], list[Any]]:
    metrics = estimator.evaluate(evaluation_fn)
    exported = [
        exporter.export(
            estimator,
            os.path.join(estimator.model_dir, "export", exporter.name),
            estimator.latest_checkpoint(),
            metrics,
            is_the_final_export=True,
        )
        for exporter in exporters
    ]
    return metrics, exported


def _modules(exported: Sequence[Any]) -> tuple[str, ...]:
    """Returns the module folders among what the exporters returned."""
    folders = [files.as_path(path) for path in exported if path]
    return tuple(module for folder in folders for module in modules_in(folder))
