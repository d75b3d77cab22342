"""Early stopping at work: training ends where a metric of the evaluations improves no more.

`tf.estimator.experimental.stop_if_no_increase_hook` does the like, but adds a variable to every
checkpoint, which then says "stop" for ever, and looks at the clock for when to look at the metric.
Here the decision is a function of the evaluations so far, made once after each of them.
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf

from hub_estimator import compat, errors
from hub_estimator.training.early_stopping import EarlyStopping
from hub_estimator.training.model_folder.history import kept
from hub_estimator.training.running.exporter_calls import AfterEvaluation, Call, ChangedExporter

_logger = logging.getLogger("hub_estimator")


def check_process(early_stopping: EarlyStopping | None, config: Any) -> None:
    """Checks that a process can do its part of a run.

    Args:
      early_stopping: when to end training; None never does.
      config: the `RunConfig`.

    Raises:
      errors.ClusterConfigError: the run is one task of a cluster, which TensorFlow cannot tell from
        the others.
      errors.PartsMismatchError: it is one task of a cluster, where another process evaluates.
    """
    if config.cluster_spec and config.train_distribute and compat.ships_estimator():
        raise errors.ClusterConfigError(
            "TF_CONFIG describes a cluster and there is a strategy, with which TensorFlow "
            f"{tf.__version__} takes each task for the chief. Remove Experiment.distribute and give "
            "the cluster a 'ps', or use TensorFlow 2.16 or newer."
        )
    if early_stopping is not None and config.cluster_spec:
        raise errors.PartsMismatchError(
            "Early stopping needs training and evaluation in one process, and this run is one "
            "task of the cluster in TF_CONFIG. Remove Experiment.early_stopping."
        )


@dataclasses.dataclass(frozen=True)
class EarlyEnd:
    """How early stopping ended a training, or would have, had that not been the last step.

    Attributes:
      step: the step at which it ended.
      max_steps: the step at which it would have ended.
      metric: what has not improved.
      evaluations: for how many evaluations in a row.
      best_step: the step of the evaluation before these; None where none had a number.
      patience: for how many it had to be.
    """

    step: int
    max_steps: int
    metric: str
    evaluations: int
    best_step: int | None
    patience: int

    @property
    def is_at_last_step(self) -> bool:
        """Whether training would have ended there anyway."""
        return self.step >= self.max_steps

    def __str__(self) -> str:
        since = "" if self.best_step is None else f", since that of step {self.best_step}"
        evaluations = "1 evaluation" if self.evaluations == 1 else f"{self.evaluations} evaluations"
        return (
            f"at step {self.step} of {self.max_steps}: {self.metric} has not improved for "
            f"{evaluations}{since} (EarlyStopping.patience is {self.patience}"
            f"{'; more steps need a greater one' if self.is_at_last_step else ''})"
        )


class Stopping:
    """The early stopping of one run.

    Attributes:
      requested: whether training is to end, or ended in an earlier run.

    Args:
      early_stopping: when to end training; None never does.
      history: the evaluations of earlier runs in the same folder.
    """

    def __init__(
        self, early_stopping: EarlyStopping | None, history: Sequence[Mapping[str, Any]]
    ) -> None:
        self._early_stopping = early_stopping
        self._history = early_stopping.counted(history) if early_stopping is not None else []
        self.requested = self._decide()

    def hooks(self) -> list[Any]:
        """Returns the training hooks that end training."""
        return [] if self._early_stopping is None else [StopHook(self)]

    def exporters(self, exporters: Sequence[Any]) -> list[Any]:
        """Returns exporters that decide after each evaluation, and then do what the given ones do.

        The Estimator API calls exporters after each evaluation, with its metrics. The export after
        the evaluation that ends training is the final one.
        """
        if self._early_stopping is None:
            return list(exporters)
        decision = AfterEvaluation(".early_stopping", lambda _, metrics: self.evaluated(metrics))
        return [decision, *(ChangedExporter(each, self._final_when_stopped) for each in exporters)]

    def evaluated(self, metrics: Mapping[str, Any]) -> None:
        """Decides after an evaluation.

        Args:
          metrics: its metrics, with the `global_step`.
        """
        step = int(metrics[tf.compat.v1.GraphKeys.GLOBAL_STEP])
        # As the model folder keeps them, so that a restart and a process beside decide the same.
        self._history.append({**kept(metrics), "step": step})
        before, self.requested = self.requested, self._decide()
        if self.requested and not before:
            assert self._early_stopping is not None
            _logger.info(
                "Training ends early, at step %d: %s has not improved for %d evaluations.",
                step, self._early_stopping.goal.metric, self._early_stopping.patience,
            )  # fmt: skip

    def early_end(self, step: int, max_steps: int) -> EarlyEnd | None:
        """Returns how early stopping ended training, also in an earlier run; None if it did not.

        Args:
          step: the step of the last checkpoint.
          max_steps: the step at which training ends by itself.
        """
        if self._early_stopping is None or not self.requested:
            return None
        found = self._early_stopping.standstill(self._history)
        metric, patience = self._early_stopping.goal.metric, self._early_stopping.patience
        return EarlyEnd(step, max_steps, metric, found.evaluations, found.best_step, patience)

    def _final_when_stopped(self, call: Call) -> Call:
        checkpoint, metrics, is_final = call
        return checkpoint, metrics, is_final or self.requested

    def _decide(self) -> bool:
        return self._early_stopping is not None and self._early_stopping.should_stop(self._history)


class StopHook(tf.compat.v1.train.SessionRunHook):
    """Ends training, with a checkpoint, at the end of the step whose evaluation decided so.

    Args:
      stopping: says whether to end.
    """

    def __init__(self, stopping: Stopping) -> None:
        self._stopping = stopping

    def after_run(self, run_context: Any, run_values: Any) -> None:
        """Ends training where it is to end."""
        del run_values
        if self._stopping.requested:
            run_context.request_stop()
