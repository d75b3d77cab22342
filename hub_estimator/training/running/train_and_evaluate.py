"""Train, evaluate and export: one run of an experiment in a model folder."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow as tf

from hub_estimator import compat, files
from hub_estimator.training import checks
from hub_estimator.training.example_spec import class_names_of
from hub_estimator.training.experiment import Experiment
from hub_estimator.training.exporters.base import FolderExporter
from hub_estimator.training.exporters.folders import modules_in
from hub_estimator.training.feature_cache import ComputedInput, FeatureCache, Sources
from hub_estimator.training.model.contract import TrainableModel, capabilities_of
from hub_estimator.training.model_folder import run_texts, summaries
from hub_estimator.training.model_folder.history import metrics_of
from hub_estimator.training.model_folder.model_folder import ModelFolder
from hub_estimator.training.running import nan_search, preflight, reporting
from hub_estimator.training.running.interruption import Signals
from hub_estimator.training.running.keeping import Keeping
from hub_estimator.training.running.progress_hook import counting_examples
from hub_estimator.training.running.result import Result
from hub_estimator.training.running.run import Run
from hub_estimator.training.running.saving import saving_safely
from hub_estimator.training.running.steps_per_call import StepsPerCallHook
from hub_estimator.training.running.stopping import Stopping, check_process
from hub_estimator.training.running.trained_model import TrainedModel
from hub_estimator.training.serving import ServingInput

_logger = logging.getLogger("hub_estimator")


def train_and_evaluate(experiment: Experiment, model_dir: files.PathLike) -> Result:
    """Trains a model, evaluates and exports it at each checkpoint; goes on where it stopped before.

    All that can be wrong is looked for before anything is written.

    Args:
      experiment: what is trained, on what, and how long.
      model_dir: the folder for checkpoints, TensorBoard logs and exports.

    Returns:
      The `Result`.

    Raises:
      errors.Error: something is wrong; the class and the message say what.
    """
    folder = ModelFolder(files.as_path(model_dir))
    prepared = prepare(experiment, folder)
    signals = Signals()
    with signals.listening(), _alone(folder, prepared.config):
        return _run(experiment, folder, prepared, signals)


@dataclasses.dataclass(frozen=True)
class Prepared:
    """What a run is made of, all of it checked; nothing is written yet.

    Attributes:
      config: the `RunConfig`.
      checked: what the checks found out.
      cache: where it is kept what training does not change of modules; None keeps nothing.
      exporters: the exporters.
      hooks: the hooks for training.
    """

    config: Any
    checked: preflight.Checked
    cache: FeatureCache | None
    exporters: Sequence[Any]
    hooks: Sequence[Any]


def prepare(experiment: Experiment, folder: ModelFolder) -> Prepared:
    """Checks all that can be wrong with a run, and makes what it needs; writes nothing.

    Raises:
      errors.Error: something is wrong; see `train_and_evaluate`.
    """
    config = _run_config(experiment)
    check_process(experiment.early_stopping, config)
    if config.is_chief:
        folder.check_free()
    checked = preflight.check(experiment, folder)
    if not (config.cluster_spec or config.train_distribute):  # these have sessions of their own
        config = config.replace(session_config=checked.session_config)
    cache = _cache(experiment.feature_cache)
    if cache is not None:
        files.check_output("FeatureCache.folder", cache.store.folder, checked.reads)
    serving = ServingInput(checked.spec)
    exporters = [exporter(serving_input_fn=serving) for exporter in experiment.exporters]
    for exporter in exporters:
        if isinstance(exporter, FolderExporter):
            exporter.choose_by(experiment.goal)
    preflight.check_exporters(folder, exporters, checked.metric_names)
    hooks = [hook() for hook in experiment.hooks] + _profilers(experiment, folder, config)
    hooks = hooks or _fewer_calls(experiment, checked.model, config)
    if experiment.source is not None:
        experiment.source.check_all_read(experiment)
    return Prepared(config, checked, cache, exporters, hooks)


def _run(
    experiment: Experiment, folder: ModelFolder, prepared: Prepared, signals: Signals
) -> Result:
    config, spec, model = prepared.config, prepared.checked.spec, prepared.checked.model
    step = _mend(folder) if config.is_chief else None
    stopping = Stopping(experiment.stops_early, folder.evaluations_so_far(step))
    estimator = compat.estimator_module().Estimator(
        saving_safely(counting_examples(model.model_fn)), folder.path, config, params={}
    )
    goal = experiment.goal
    run = Run(
        folder, estimator, experiment.max_steps, experiment.log_every_steps, prepared.exporters,
        stopping, signals, Keeping(folder, experiment.keep_checkpoints, goal),
        goal if experiment.load_best_model_at_end else None,
    )  # fmt: skip
    if config.is_chief:
        is_changed = _tell_changes(experiment, folder) if step else False
        if run.steps_left() or not folder.has_settings:
            _prepare_folder(experiment, folder, prepared.checked)
        elif is_changed and not config.cluster_spec and not run.lacks(run.step()):
            return _finished_before(experiment, run)
    sources = Sources(prepared.cache, model, spec, estimator.latest_checkpoint())
    with contextlib.closing(sources):
        metrics, exported = _run_on(sources, experiment, run, prepared)
    result = _result(experiment, run, metrics, exported)
    if experiment.report is not None and result.metrics:
        trained = TrainedModel(folder, model, spec, estimator, experiment.eval_input)
        reporting.write(experiment.report, trained, result.checkpoint, result.metrics)
    return result


def _run_on(
    sources: Sources, experiment: Experiment, run: Run, prepared: Prepared
) -> tuple[dict[str, Any], list[Any]]:
    """Trains, evaluates and exports on what inputs give, computed beforehand where that is worth it."""
    config, spec, steps = prepared.config, prepared.checked.spec, run.steps_left()
    training = ComputedInput(experiment.train_input, spec)
    evaluation = ComputedInput(experiment.eval_input, spec)
    # In a cluster a task either trains or evaluates, or does neither.
    if config.task_type not in ("evaluator", "ps"):
        training = sources.training(training.input, _own_steps(steps, config))
    if not config.cluster_spec:
        evaluations = -(-steps // experiment.eval_every_steps)
        evaluation = sources.evaluation(evaluation.input, evaluations)
    given_fn = experiment.train_input.training_fn(spec, experiment.seed, run.step)
    return run(
        training.training_fn(experiment.seed, run.step),
        evaluation.evaluation_fn(),
        prepared.hooks,
        functools.partial(nan_search.reason, prepared.checked.model, given_fn),
    )


def _result(
    experiment: Experiment, run: Run, metrics: Mapping[str, Any], exported: Sequence[Any]
) -> Result:
    """Returns what a run made, of the checkpoint that it ends on."""
    folder, last_step = run.folder, run.step()
    best = folder.best_evaluation(experiment.goal) if metrics else None
    exports = run.exports(exported) if metrics else {}
    made = Result(
        model_dir=folder.path,
        step=last_step,
        metrics=metrics,
        checkpoint=run.estimator.latest_checkpoint(),
        modules=_modules(exported),
        exports=exports,
        objective=experiment.goal.metric,
        best=best,
        last_step=last_step,
        early_end=run.stopping.early_end(last_step, run.max_steps),
    )
    if best is None or best["step"] == last_step or not experiment.load_best_model_at_end:
        return made
    step, metrics = best["step"], metrics_of(best)
    return dataclasses.replace(made, step=step, metrics=metrics, checkpoint=folder.at(step).path)


def _finished_before(experiment: Experiment, run: Run) -> Result:
    """Returns what a run with other settings made, which has ended and stays as it is."""
    run.say_finished()
    _logger.warning(
        "So nothing is trained, evaluated or written: what is in %s is of the settings before. To "
        "train with these, choose another model folder; to go on with them, give more steps; to "
        "evaluate only, take hub_estimator.evaluate.", run.folder.path,
    )  # fmt: skip
    step = run.step()
    [kept] = [each for each in run.folder.history().evaluations() if each["step"] == step]
    return _result(experiment, run, metrics_of(kept), [])


def _tell_changes(experiment: Experiment, folder: ModelFolder) -> bool:
    """Says which settings are others than those of the training so far; returns whether any are."""
    before = folder.operative_config
    if experiment.source is None or not files.exists(before):
        return False
    changed = run_texts.changed_settings(before, experiment.text(folder.path))
    if changed:
        _logger.warning(
            "Settings of the training in %s are others now: %s.", folder.path, "; ".join(changed)
        )
    return bool(changed)


def _modules(exported: Sequence[Any]) -> tuple[str, ...]:
    """Returns the module folders among what the exporters returned."""
    folders = [files.as_path(path) for path in exported if path]
    return tuple(module for folder in folders for module in modules_in(folder))


def _run_config(experiment: Experiment) -> Any:
    strategy = None if experiment.distribute is None else _strategy(experiment.distribute)
    return compat.estimator_module().RunConfig(
        tf_random_seed=experiment.seed,
        save_checkpoints_steps=experiment.eval_every_steps,
        keep_checkpoint_max=experiment.keep_checkpoints,
        save_summary_steps=experiment.log_every_steps,
        log_step_count_steps=experiment.log_every_steps,
        train_distribute=strategy,
    )


def _strategy(make: Callable[[], Any]) -> Any:
    """Returns the strategy of this process; of an evaluator one for itself alone."""
    if tf.distribute.cluster_resolver.TFConfigClusterResolver().task_type == "evaluator":
        # It is no part of what a strategy connects, and one for workers would look for its place there.
        # With none it would have to be a cluster that has a chief.
        return None if compat.ships_estimator() else tf.distribute.OneDeviceStrategy("/cpu:0")
    strategy = make()
    if strategy is not None:
        what = "What Experiment.distribute makes"
        checks.part(what, strategy, "MirroredStrategy()", "num_replicas_in_sync")
    return strategy


def _cache(given: FeatureCache | bool) -> FeatureCache | None:
    return FeatureCache() if given is True else given or None


def _own_steps(steps: int, config: Any) -> int:
    """Returns about how many of the steps take batches of this process."""
    if config.num_ps_replicas:  # its workers share the steps
        return steps // config.num_worker_replicas
    return steps


def _fewer_calls(experiment: Experiment, model: TrainableModel, config: Any) -> list[Any]:
    """Returns the hook that spares calls of our own hooks; those of others may need each step."""
    needs_each_step = capabilities_of(model).needs_each_step
    if needs_each_step or config.cluster_spec or config.train_distribute:
        return []
    intervals = config.save_checkpoints_steps, config.save_summary_steps
    return [StepsPerCallHook(experiment.max_steps, *intervals)]


def _profilers(experiment: Experiment, folder: ModelFolder, config: Any) -> list[Any]:
    every_steps = experiment.profile_every_steps
    if every_steps is None or not config.is_chief:
        return []
    with tf.Graph().as_default():  # outside of one it refuses to be made
        return [tf.compat.v1.train.ProfilerHook(save_steps=every_steps, output_dir=folder.profile)]


def _alone(folder: ModelFolder, config: Any) -> contextlib.AbstractContextManager[None]:
    """Keeps other trainings out of the folder; of the tasks of one cluster the chief does it."""
    return folder.trained_alone() if config.is_chief else contextlib.nullcontext()


def _mend(folder: ModelFolder) -> int:
    """Removes what killed runs left; returns the step at which training goes on."""
    files.remove_abandoned(folder.path)
    step = folder.mend_checkpoint_list()
    folder.history().forget_after(step)
    return step


def _prepare_folder(
    experiment: Experiment, folder: ModelFolder, checked: preflight.Checked
) -> None:
    """Writes what a run keeps beside its checkpoints: all of it is of the training that follows."""
    folder.save_class_names(class_names_of(checked.spec.labels))
    folder.save_training_classes(checked.classes)
    folder.save_modules(checked.modules)
    folder.remove_old_checkpoints(experiment.keep_checkpoints, experiment.goal)
    text = experiment.text(folder.path)
    folder.save_settings(text, is_gin=experiment.source is not None)
    # Four spaces before each line: TensorBoard shows text as Markdown.
    shown = "\n".join(f"    {line}" for line in text.splitlines())
    summaries.write(folder.path, 0, {"settings": shown}, suffix=".config")
