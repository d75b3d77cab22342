"""When training ends early: where a metric of the evaluations improves no more."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from hub_estimator.training import checks
from hub_estimator.training.objective import Objective

_STEP = "step"


@dataclasses.dataclass(frozen=True)
class Standstill:
    """How long a metric has not improved.

    Attributes:
      evaluations: the number of evaluations in a row, up to the last one, without an improvement.
      best_step: the step of the evaluation before them, the last improvement; None where there is
        none.
    """

    evaluations: int
    best_step: int | None


@dataclasses.dataclass(frozen=True)
class EarlyStopping:
    """When to end training.

    Attributes:
      objective: which metric is to improve; None is the experiment's objective.
      patience: the number of evaluations in a row without an improvement after which training ends.
      min_delta: what a value must be better than the best one by.

    Raises:
      errors.InvalidSettingError: a setting is impossible.
    """

    objective: Objective | None = None
    patience: int = 3
    min_delta: float = 0.0

    def __post_init__(self) -> None:
        if self.objective is not None:
            checks.part("EarlyStopping.objective", self.objective, "@Objective()", "is_better")
        checks.whole_number("EarlyStopping.patience", self.patience)
        checks.number("EarlyStopping.min_delta", self.min_delta, least=0)

    @property
    def goal(self) -> Objective:
        """By what it goes."""
        return self.objective or Objective()

    def by_default(self, objective: Objective) -> EarlyStopping:
        """Returns the same with this objective, where it has none of its own."""
        return (
            self if self.objective is not None else dataclasses.replace(self, objective=objective)
        )

    def should_stop(self, history: Sequence[Mapping[str, Any]]) -> bool:
        """Returns whether training ends after these evaluations; see `standstill`."""
        return self.standstill(history).evaluations >= self.patience

    def standstill(self, history: Sequence[Mapping[str, Any]]) -> Standstill:
        """Returns how long the metric has not improved.

        Args:
          history: for each evaluation its `step` and its metrics, in any order; of several at one
            step the last one counts. A value that is no number is no improvement.

        Raises:
          errors.MetricNotFoundError: an evaluation does not give the metric.
        """
        by_step = {}
        for evaluation in history:
            self.check(evaluation)
            by_step[evaluation[_STEP]] = self.goal.value(evaluation)
        best, best_step, since = None, None, 0
        for step, value in sorted(by_step.items(), key=lambda item: item[0]):
            if value is not None and (
                best is None or self.goal.is_better(value, best, self.min_delta)
            ):
                best, best_step, since = value, step, 0
            else:
                since += 1
        return Standstill(since, best_step)

    def counted(self, history: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        """Returns which of the evaluations that a model folder keeps count.

        Those from before the model had the metric say nothing. Training does not evaluate the
        checkpoint of step 0, but an evaluation beside it does, and must not change what it decides.

        Args:
          history: the evaluations; see `should_stop`.
        """
        metric = self.goal.metric
        return [
            evaluation for evaluation in history if metric in evaluation and evaluation[_STEP] > 0
        ]

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
          errors.MetricNotFoundError: it is not among them.
        """
        self.goal.check("EarlyStopping", names)
