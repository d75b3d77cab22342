"""One run of an Estimator: trains what is left to train, evaluates and exports each checkpoint."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from hub_estimator import compat, errors, files
from hub_estimator.training.exporters.base import FolderExporter
from hub_estimator.training.inputs.base import InputFn
from hub_estimator.training.inputs.failures import clear_errors
from hub_estimator.training.model_folder.model_folder import ModelFolder
from hub_estimator.training.objective import Objective
from hub_estimator.training.running.best_at_end import best_at_end
from hub_estimator.training.running.exporter_calls import AfterEvaluation
from hub_estimator.training.running.interruption import Signals, StopOnSignalHook
from hub_estimator.training.running.keeping import Keeping, KeepingHook
from hub_estimator.training.running.kept_evaluation import keeping_evaluation
from hub_estimator.training.running.progress_hook import ProgressHook
from hub_estimator.training.running.stopping import Stopping

# Says why a loss is not a number, given the last checkpoint; None where that is not known.
NanReason = Callable[[str], str | None]

_logger = logging.getLogger("hub_estimator")


@dataclasses.dataclass(frozen=True)
class Run:
    """One call of `train_and_evaluate`, all of it checked and ready.

    Attributes:
      folder: the model folder.
      estimator: the Estimator.
      max_steps: the step at which training ends.
      log_every_steps: steps between two lines of the log.
      exporters: export each evaluated checkpoint.
      stopping: ends training early.
      signals: what stops the run.
      keeping: removes old checkpoints.
      ends_on_best_by: by what the checkpoint is the best that the final exports are of; None is the
        last one.
    """

    folder: ModelFolder
    estimator: Any
    max_steps: int
    log_every_steps: int
    exporters: Sequence[Any]
    stopping: Stopping
    signals: Signals
    keeping: Keeping
    ends_on_best_by: Objective | None

    def step(self) -> int:
        """Returns the global step of the latest checkpoint, 0 without one."""
        checkpoint = self.estimator.latest_checkpoint()
        return int(tf.train.load_variable(checkpoint, "global_step")) if checkpoint else 0

    def exports(self, exported: Sequence[Any]) -> dict[str, str]:
        """Returns the newest export of each exporter, also of an earlier checkpoint, by its name.

        Args:
          exported: what the exporters returned in this run; of those of somebody else it is all
            that is known.
        """
        returned = {
            exporter.name: path
            for exporter, path in zip(self._after_evaluation(), exported, strict=False)
        }
        found = {
            exporter.name: exporter.newest(self.folder.export(exporter.name))
            if isinstance(exporter, FolderExporter)
            else returned.get(exporter.name)
            for exporter in self.exporters
        }
        return {name: files.as_path(path) for name, path in found.items() if path}

    def steps_left(self) -> int:
        """Returns how many steps are left to train."""
        return 0 if self.stopping.requested else max(0, self.max_steps - self.step())

    @clear_errors()
    def __call__(
        self,
        training_fn: InputFn,
        evaluation_fn: InputFn,
        hooks: Sequence[Any],
        nan_reason: NanReason,
    ) -> tuple[dict[str, Any], list[Any]]:
        """Trains what is left to train; returns the last metrics and what was exported last.

        Args:
          training_fn: gives the examples to train on.
          evaluation_fn: gives those to evaluate on.
          hooks: hooks for training.
          nan_reason: says of a loss that is not a number why it is not, given the last checkpoint;
            None is that it diverged.
        """
        start, path = self.step(), self.folder.path
        if start >= self.max_steps or self.stopping.requested:
            self.say_finished()
            if self._is_task_without_evaluation():
                return {}, []
            return self._evaluate_and_export(evaluation_fn, is_final=True)
        if start:
            _logger.info("Training goes on from the checkpoint of step %d in %s.", start, path)
            if self.lacks(start):
                caught_up = self._evaluate_and_export(evaluation_fn, is_final=False)
                if self.stopping.requested:
                    return caught_up
        try:
            return self._train(training_fn, evaluation_fn, hooks)
        except tf.compat.v1.train.NanLossDuringTrainingError as error:
            reason = nan_reason(self.estimator.latest_checkpoint())
            raise errors.LossNotFiniteError(
                "The loss is not a number any more, after the checkpoint of step "
                f"{self.step()}. {reason or 'Lower Optimization.learning_rate.'}"
            ) from error

    def say_finished(self) -> None:
        """Says in the log that nothing is left to train, and why."""
        step = self.step()
        _logger.info("Training in %s is already finished, at step %d.", self.folder.path, step)
        early_end = self.stopping.early_end(step, self.max_steps)
        if early_end is not None and not early_end.is_at_last_step:
            _logger.info(
                "It ended early, %s. It goes on with a greater EarlyStopping.patience, or without "
                "Experiment.early_stopping; with more steps alone it does not.", early_end,
            )  # fmt: skip

    def _is_task_without_evaluation(self) -> bool:
        config = self.estimator.config
        return bool(config.cluster_spec) and config.task_type != "evaluator"

    def lacks(self, start: int) -> bool:
        """Whether something that follows the checkpoint of `start` was not done, as a run died.

        The Estimator API does nothing for the checkpoint that training goes on from.
        """
        if self.estimator.config.cluster_spec:  # its task "evaluator" looks for what is missing
            return False
        known = {
            evaluation["step"]: evaluation for evaluation in self.folder.history().evaluations()
        }
        checkpoint = self.estimator.latest_checkpoint()
        return start not in known or any(
            exporter.lacks(self.folder.export(exporter.name), checkpoint, known[start])
            for exporter in self.exporters
            if isinstance(exporter, FolderExporter)
        )

    def _train(
        self, training_fn: InputFn, evaluation_fn: InputFn, hooks: Sequence[Any]
    ) -> tuple[dict[str, Any], list[Any]]:
        api = compat.estimator_module()
        config = self.estimator.config
        is_chief, listens = config.is_chief, compat.takes_saving_listeners(config)
        own_folder = self.folder.path if is_chief else None
        stop = StopOnSignalHook(self.signals, own_folder)
        progress = ProgressHook(self.max_steps, self.log_every_steps, own_folder)
        keeping = [KeepingHook(self.keeping)] if is_chief and not listens else []
        train_spec = api.TrainSpec(
            training_fn,
            max_steps=self.max_steps,
            hooks=[*hooks, *self.stopping.hooks(), *keeping, progress, stop],
            saving_listeners=[self.keeping] if is_chief and listens else None,
        )
        eval_spec = api.EvalSpec(
            evaluation_fn,
            steps=None,
            hooks=[StopOnSignalHook(self.signals)],
            exporters=self._after_evaluation(),
            start_delay_secs=0,
            throttle_secs=0,
        )
        with self.signals.waiting(), keeping_evaluation(self.estimator, evaluation_fn):
            outcome = api.train_and_evaluate(self.estimator, train_spec, eval_spec)
        if keeping:
            self.keeping.remove_old()
        # In a cluster no task returns anything; its task "evaluator" evaluates and exports.
        return outcome or (self._last_metrics(), [])

    def _last_metrics(self) -> dict[str, Any]:
        """Returns what the evaluator of a cluster found last; nothing in the other tasks."""
        if self.estimator.config.task_type != "evaluator":
            return {}
        return dict(self.folder.history().evaluations()[-1])

    def _evaluate_and_export(
        self, evaluation_fn: InputFn, is_final: bool
    ) -> tuple[dict[str, Any], list[Any]]:
        metrics = self.estimator.evaluate(evaluation_fn)
        exported = [
            exporter.export(
                self.estimator,
                self.folder.export(exporter.name),
                self.estimator.latest_checkpoint(),
                metrics,
                is_the_final_export=is_final,
            )
            for exporter in self._after_evaluation()
        ]
        return metrics, exported

    def _after_evaluation(self) -> list[Any]:
        exporters = self.exporters
        if self.ends_on_best_by is not None:
            by = self.ends_on_best_by
            exporters = [best_at_end(exporter, self.folder, by) for exporter in exporters]
        found = self.stopping.exporters(exporters)
        if self.estimator.config.is_chief:
            found.append(self.keeping.after_evaluation())
        # First of all: should an exporter fail, the evaluation is kept.
        return [AfterEvaluation(".metrics", self.folder.history().record), *found]
