"""Early stopping: training ends where a metric of the evaluations improves no more.

`tf.estimator.experimental.stop_if_no_increase_hook` does the like, but adds a variable to every
checkpoint, which then says "stop" for ever, and looks at the clock for when to look at the metric.
Here the decision is a function of the evaluations so far, made once after each of them.
"""

from __future__ import annotations

import dataclasses
import logging
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import tensorflow as tf

from hub_estimator import compat, errors
from hub_estimator.training import checks
from hub_estimator.training.running.history import kept

_STEP = "step"
# What else is known of an evaluation.
_NOT_METRICS = {_STEP, "checkpoint", tf.compat.v1.GraphKeys.GLOBAL_STEP}

_logger = logging.getLogger("hub_estimator")


@dataclasses.dataclass(frozen=True)
class EarlyStopping:
    """When to end training.

    Attributes:
      metric: the name of the metric, as evaluations give it.
      higher_is_better: whether greater values are better, as for accuracy; False for losses.
      patience: the number of evaluations in a row without an improvement after which training ends.
      min_delta: what a value must be better than the best one by.

    Raises:
      errors.ModelError: a setting is impossible.
    """

    metric: str
    higher_is_better: bool
    patience: int = 3
    min_delta: float = 0.0

    def __post_init__(self) -> None:
        checks.text("EarlyStopping.metric", self.metric)
        checks.whole_number("EarlyStopping.patience", self.patience)
        checks.number("EarlyStopping.min_delta", self.min_delta, least=0)

    def should_stop(self, history: Sequence[Mapping[str, Any]]) -> bool:
        """Returns whether training ends after these evaluations.

        Args:
          history: for each evaluation its `step` and its metrics, in any order; of several at one
            step the last one counts. A value that is no number is no improvement.

        Raises:
          errors.ModelError: an evaluation does not give the metric.
        """
        by_step = {each[_STEP]: self._score(each) for each in history}
        best, since = -math.inf, 0
        for _, score in sorted(by_step.items()):
            if score - best > self.min_delta:
                best, since = score, 0
            else:
                since += 1
        return since >= self.patience

    def counted(self, history: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        """Returns which of the evaluations that a model folder keeps count.

        Those from before the model had the metric say nothing. Training does not evaluate the
        checkpoint of step 0, but an evaluation beside it does, and must not change what it decides.

        Args:
          history: the evaluations; see `should_stop`.
        """
        return [each for each in history if self.metric in each and each[_STEP] > 0]

    def has_ended(self, history: Sequence[Mapping[str, Any]]) -> bool:
        """Returns whether a training ended by what its model folder keeps of its evaluations.

        Args:
          history: the evaluations; see `should_stop`.
        """
        return self.should_stop(self.counted(history))

    def check(self, names: Iterable[str]) -> None:
        """Checks that evaluations give the metric.

        Args:
          names: those of what they give.

        Raises:
          errors.ModelError: it is not among them.
        """
        if self.metric not in names:
            there = sorted(set(names) - _NOT_METRICS)
            raise errors.ModelError(
                f"EarlyStopping.metric is {self.metric!r}, which evaluations do not give. They "
                f"give: {', '.join(there)}."
            )

    def _score(self, evaluation: Mapping[str, Any]) -> float:
        self.check(evaluation)
        value = evaluation[self.metric]
        if value is None:  # as JSON has what is no number
            return math.nan
        return float(value) if self.higher_is_better else -float(value)


def check_process(early_stopping: EarlyStopping | None, config: Any) -> None:
    """Checks that the process that trains is the one that evaluates.

    Args:
      early_stopping: when to end training; None never does.
      config: the `RunConfig`.

    Raises:
      errors.ModelError: the run is one task of a cluster, where another process evaluates.
    """
    if early_stopping is not None and config.cluster_spec:
        raise errors.ModelError(
            "Early stopping needs training and evaluation in one process, and this run is one "
            "task of the cluster in TF_CONFIG. Remove train_and_evaluate.early_stopping."
        )


class Stopping:
    """The early stopping of one run.

    Attributes:
      requested: whether training is to end, or ended in an earlier run.

    Args:
      early_stopping: when to end training; None never does.
      history: the evaluations of earlier runs in the same folder.
      config: the `RunConfig`.

    Raises:
      errors.ModelError: see `check_process`.
    """

    def __init__(
        self,
        early_stopping: EarlyStopping | None,
        history: Sequence[Mapping[str, Any]],
        config: Any,
    ) -> None:
        check_process(early_stopping, config)
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
        return [_Decision(self), *(_FinalWhenStopped(each, self) for each in exporters)]

    def evaluated(self, metrics: Mapping[str, Any]) -> None:
        """Decides after an evaluation.

        Args:
          metrics: its metrics, with the `global_step`.
        """
        step = int(metrics[tf.compat.v1.GraphKeys.GLOBAL_STEP])
        # As the model folder keeps them, so that a restart and a process beside decide the same.
        self._history.append({**kept(metrics), _STEP: step})
        before, self.requested = self.requested, self._decide()
        if self.requested and not before:
            assert self._early_stopping is not None
            _logger.info(
                "Training ends early, at step %d: %s has not improved for %d evaluations.",
                step, self._early_stopping.metric, self._early_stopping.patience,
            )  # fmt: skip

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


class _Decision(compat.estimator_module().Exporter):  # type: ignore[misc]
    """Exports nothing: gives the metrics of each evaluation to the run's `Stopping`."""

    name = ".early_stopping"  # one that no other can have

    def __init__(self, stopping: Stopping) -> None:
        self._stopping = stopping

    def export(
        self,
        estimator: Any,
        export_path: str,
        checkpoint_path: str,
        eval_result: Mapping[str, Any],
        is_the_final_export: bool,
    ) -> None:
        del estimator, export_path, checkpoint_path, is_the_final_export
        self._stopping.evaluated(eval_result)


class _FinalWhenStopped(compat.estimator_module().Exporter):  # type: ignore[misc]
    """An exporter whose last export is the one after the evaluation that ends training."""

    def __init__(self, exporter: Any, stopping: Stopping) -> None:
        self._exporter, self._stopping = exporter, stopping

    @property
    def name(self) -> str:
        return self._exporter.name

    def export(
        self,
        estimator: Any,
        export_path: str,
        checkpoint_path: str,
        eval_result: Mapping[str, Any],
        is_the_final_export: bool,
    ) -> Any:
        final = is_the_final_export or self._stopping.requested
        return self._exporter.export(estimator, export_path, checkpoint_path, eval_result, final)
