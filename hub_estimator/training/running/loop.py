"""Train, evaluate and export: one run of a model in a model folder."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import tensorflow as tf

from hub_estimator import compat, errors, files
from hub_estimator.training import checks
from hub_estimator.training.example_spec import class_names_of
from hub_estimator.training.exporters.folders import modules_in
from hub_estimator.training.feature_cache import FeatureCache, Sources
from hub_estimator.training.inputs.base import Input
from hub_estimator.training.model.model_fn import Model
from hub_estimator.training.running import nan_search, preflight, summaries
from hub_estimator.training.running.early_stopping import (
    EarlyStopping,
    Stopping,
    check_process,
)
from hub_estimator.training.running.folder_model import FolderModel
from hub_estimator.training.running.interruption import Signals
from hub_estimator.training.running.model_folder import ModelFolder
from hub_estimator.training.running.progress import counting_examples
from hub_estimator.training.running.reports.report import Report
from hub_estimator.training.running.result import Result
from hub_estimator.training.running.run import Run
from hub_estimator.training.running.saving import saving_safely
from hub_estimator.training.running.steps_per_call import StepsPerCallHook
from hub_estimator.training.serving import ServingInput

# Makes an exporter of the Estimator API: `exporter(serving_input_fn=...)`.
ExporterFactory = Callable[..., Any]


class Settings(Protocol):
    """Where the run's settings are from; `config.Session` is one."""

    def check_all_read(self) -> None:
        """Raises an error where a setting has no effect."""

    def operative_text(self, model_dir: str) -> str:
        """Returns the settings that had an effect, as a model folder keeps them."""


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
    report: Report | None = None,
    feature_cache: FeatureCache | bool = True,
    seed: int = 1,
    keep_checkpoints: int = 5,
    log_every_steps: int = 100,
    profile_every_steps: int | None = None,
    distribute: tf.distribute.Strategy | None = None,
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
      report: writes pictures and tables of the last evaluation; None writes none.
      feature_cache: where to keep what frozen modules give for each example, so that they run once
        for each and not in every epoch. True is `FeatureCache()`, False runs them in each step.
      seed: of the order of examples, initial values and dropout.
      keep_checkpoints: how many checkpoints to keep, the newest ones.
      log_every_steps: steps between two lines of the log and two points in TensorBoard.
      profile_every_steps: steps between two profiles of one step each, which Chrome's
        chrome://tracing shows, in `<model_dir>/profile/`; None makes none.
      distribute: how to train on several devices, such as `tf.distribute.MirroredStrategy()`; None
        is on one. A step takes a batch on each of them.
      settings: checked and saved before training starts.

    Returns:
      The `Result`.

    Raises:
      errors.Error: something is wrong; the class and the message say what.
    """
    folder = ModelFolder(files.as_path(model_dir))
    _check_settings(
        exporters,
        max_steps=max_steps,
        eval_every_steps=eval_every_steps,
        keep_checkpoints=keep_checkpoints,
        log_every_steps=log_every_steps,
    )
    checks.whole_number("train_and_evaluate.seed", seed, least=0)
    if profile_every_steps is not None:
        checks.whole_number("train_and_evaluate.profile_every_steps", profile_every_steps)
    _check_parts(model, train_input=train_input, eval_input=eval_input)
    if early_stopping is not None:
        name = "train_and_evaluate.early_stopping"
        checks.made(name, early_stopping, "@EarlyStopping()", "should_stop")
    if report is not None:
        checks.made("train_and_evaluate.report", report, "@Report()", "write")
    if distribute is not None:
        name, example = "train_and_evaluate.distribute", "@MirroredStrategy()"
        checks.made(name, distribute, example, "num_replicas_in_sync")
    config = _run_config(seed, eval_every_steps, keep_checkpoints, log_every_steps, distribute)
    check_process(early_stopping, config)
    if config.is_chief:
        folder.check_free()
    checked = preflight.check(folder, model, train_input, eval_input)
    spec = checked.spec
    if early_stopping is not None:
        early_stopping.check(checked.metric_names)
    if not (config.cluster_spec or distribute):  # those have sessions of their own kinds
        config = config.replace(session_config=checked.session_config)
    cache = _cache(feature_cache, config)
    if cache is not None:
        files.check_output("FeatureCache.folder", cache.store.folder, checked.reads)
    made_exporters = _made_exporters(exporters, checked)
    preflight.check_exporters(folder, made_exporters)
    made_hooks = [*(hook() for hook in hooks), *_profilers(folder, config, profile_every_steps)]
    made_hooks = made_hooks or _fewer_calls(model, max_steps, config)
    if settings is not None:
        settings.check_all_read()
    signals = Signals()
    with signals.listening(), _alone(folder, config):
        step = _prepare_folder(folder, checked, settings) if config.is_chief else None
        stopping = Stopping(early_stopping, folder.evaluations_so_far(step), config)
        estimator = compat.estimator_module().Estimator(
            saving_safely(counting_examples(model.model_fn)), folder.path, config, params={}
        )
        run = Run(folder, estimator, max_steps, log_every_steps, made_exporters, stopping, signals)
        sources = Sources(cache, model, spec, estimator.latest_checkpoint())
        training = sources.training(train_input, run.steps_left())
        evaluation = sources.evaluation(eval_input, -(-run.steps_left() // eval_every_steps))
        training_fn = training.input.training_fn(training.spec, seed, run.step)
        evaluation_fn = evaluation.input.evaluation_fn(evaluation.spec)
        given_fn = train_input.training_fn(spec, seed, run.step)
        nan_reason = functools.partial(nan_search.reason, model, given_fn)
        metrics, exported = run(training_fn, evaluation_fn, made_hooks, nan_reason)
        if report is not None and metrics:
            made = FolderModel(folder, model, spec, estimator)
            report.write(
                made, eval_input.evaluation_fn(spec), estimator.latest_checkpoint(), metrics
            )
        return Result(
            folder.path, run.step(), metrics, estimator.latest_checkpoint(), _modules(exported)
        )


def _cache(given: FeatureCache | bool, config: Any) -> FeatureCache | None:
    if not isinstance(given, (FeatureCache, bool)):
        raise errors.ModelError(
            f"train_and_evaluate.feature_cache is {given!r}; it must be True, False or "
            "@FeatureCache()."
        )
    if config.cluster_spec:  # the tasks of a cluster train, evaluate, or neither
        return None
    return FeatureCache() if given is True else given or None


def _made_exporters(factories: Sequence[ExporterFactory], checked: preflight.Checked) -> list[Any]:
    exporters = [exporter(serving_input_fn=ServingInput(checked.spec)) for exporter in factories]
    for each in exporters:
        if getattr(each, "metric", None) is not None:
            each.check_metrics(checked.metric_names)
    return exporters


def _fewer_calls(model: Any, max_steps: int, config: Any) -> list[Any]:
    """Returns the hook that spares calls of our own hooks; those of others may need each step."""
    if type(model) is not Model or config.cluster_spec or config.train_distribute:
        return []
    intervals = config.save_checkpoints_steps, config.save_summary_steps
    return [StepsPerCallHook(max_steps, *intervals)]


def _check_settings(exporters: Any, **numbers: Any) -> None:
    for name, value in numbers.items():
        checks.whole_number(f"train_and_evaluate.{name}", value)
    checks.listed("train_and_evaluate.exporters", exporters, "[@LatestModuleExporter]")


def _check_parts(model: Any, **inputs: Any) -> None:
    checks.made("train_and_evaluate.model", model, "@Model()", "model_fn", "example_spec")
    for name, source in inputs.items():
        checks.made(f"train_and_evaluate.{name}", source, "@TextFile()", "training_fn")


def _run_config(seed: int, save_steps: int, keep: int, log_steps: int, distribute: Any) -> Any:
    return compat.estimator_module().RunConfig(
        tf_random_seed=seed,
        save_checkpoints_steps=save_steps,
        keep_checkpoint_max=keep,
        save_summary_steps=log_steps,
        log_step_count_steps=log_steps,
        train_distribute=distribute,
    )


def _profilers(folder: ModelFolder, config: Any, every_steps: int | None) -> list[Any]:
    if every_steps is None or not config.is_chief:
        return []
    return [tf.compat.v1.train.ProfilerHook(save_steps=every_steps, output_dir=folder.profile)]


def _alone(folder: ModelFolder, config: Any) -> contextlib.AbstractContextManager[None]:
    """Keeps other trainings out of the folder; of the tasks of one cluster the chief does it."""
    return folder.trained_alone() if config.is_chief else contextlib.nullcontext()


def _prepare_folder(
    folder: ModelFolder, checked: preflight.Checked, settings: Settings | None
) -> int:
    """Writes what a run keeps beside its checkpoints; returns the step at which it goes on."""
    files.remove_abandoned(folder.path)
    step = folder.mend_checkpoint_list()
    folder.save_class_names(class_names_of(checked.spec.labels))
    folder.save_modules(checked.modules)
    folder.history().forget_after(step)
    if settings is not None:
        text = settings.operative_text(folder.path)
        files.write_text(folder.operative_config, text)
        # Four spaces before each line: TensorBoard shows text as Markdown.
        shown = "\n".join(f"    {line}" for line in text.splitlines())
        summaries.write(folder.path, 0, {"operative_config": shown}, suffix=".config")
    return step


def _modules(exported: Sequence[Any]) -> tuple[str, ...]:
    """Returns the module folders among what the exporters returned."""
    folders = [files.as_path(path) for path in exported if path]
    return tuple(module for folder in folders for module in modules_in(folder))
