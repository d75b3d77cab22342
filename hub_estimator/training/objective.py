"""What is better: which number of an evaluation decides, and which way it is to go."""

from __future__ import annotations

import dataclasses
import math
import numbers
from collections.abc import Iterable, Mapping
from typing import Any

from hub_estimator import errors
from hub_estimator.training import checks

# What TensorFlow's heads call their metrics, the names that gin files know functions by, and what
# trials of sweeps have beside those.
_HIGH = frozenset(
    [
        "accuracy",
        "auc",
        "auc_precision_recall",
        "macro_f1",
        "mean_per_class_accuracy",
        "precision",
        "recall",
        "recall_at_k",
        "rows_per_second",
        "sensitivity_at_specificity",
        "specificity_at_sensitivity",
    ]
)
_LOW = frozenset(
    [
        "average_loss",
        "loss",
        "mean_absolute_error",
        "mean_squared_error",
        "module_megabytes",
        "regularization_loss",
        "root_mean_squared_error",
    ]
)
# What evaluations have beside their metrics.
NOT_METRICS = frozenset({"checkpoint", "global_step", "step"})


@dataclasses.dataclass(frozen=True)
class Objective:
    """What evaluated checkpoints are compared by: the best one, early stopping, exporters.

    Attributes:
      metric: the name of the metric, as `metrics.jsonl` has it.
      higher_is_better: whether greater values are better. None is by the metric's name, which for
        those of TensorFlow's heads and losses says it.

    Raises:
      errors.InvalidSettingError: `metric` is no text, or `higher_is_better` is None, and the name
        says nothing.
    """

    metric: str = "loss"
    higher_is_better: bool | None = None

    def __post_init__(self) -> None:
        checks.text("Objective.metric", self.metric)
        if self.higher_is_better is not None and not isinstance(self.higher_is_better, bool):
            raise errors.InvalidSettingError(
                f"Objective.higher_is_better is {self.higher_is_better!r}; it must be True, False or "
                "None."
            )
        if self.higher_is_better is None and self._base_name not in _HIGH | _LOW:
            raise errors.InvalidSettingError(
                f"Objective.metric is {self.metric!r}, whose name does not say whether greater values "
                "are better. Set Objective.higher_is_better to True or False."
            )

    @property
    def maximizes(self) -> bool:
        """Whether greater values are better."""
        if self.higher_is_better is None:
            return self._base_name in _HIGH
        return self.higher_is_better

    @property
    def _base_name(self) -> str:
        """The name of the metric without that of a head or class of several: `auc/topic` is an AUC."""
        return self.metric.split("/", 1)[0]

    def value(self, metrics: Mapping[str, Any]) -> float | None:
        """Returns the metric of an evaluation; None where it has none, or none that is finite.

        Args:
          metrics: numbers by name.
        """
        found = metrics.get(self.metric)
        try:
            number = float(found) if isinstance(found, numbers.Real) else math.nan
        except OverflowError:  # a whole number that somebody wrote there
            number = math.nan
        return number if math.isfinite(number) else None

    def is_better(self, value: float, other: float, by: float = 0.0) -> bool:
        """Whether one value is better than another one, by more than so much."""
        return (value - other if self.maximizes else other - value) > by

    def check(self, owner: str, names: Iterable[str]) -> None:
        """Checks that evaluations give the metric.

        Args:
          owner: who looks for it, for the message.
          names: those of what evaluations give.

        Raises:
          errors.MetricNotFoundError: it is not among them.
        """
        if self.metric not in names:
            there = sorted(set(names) - NOT_METRICS)
            raise errors.MetricNotFoundError(
                f"{owner} looks for the metric {self.metric!r}, which evaluations do not give. They "
                f"give: {', '.join(there) or 'none'}."
            )
