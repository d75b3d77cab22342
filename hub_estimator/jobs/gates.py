"""What a checkpoint must fulfil to be published: metrics that are good enough, or no worse than before.

They go by the evaluations that training recorded, or by one that is made for the purpose, on data that
training did not choose.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from hub_estimator import files
from hub_estimator.training import checks
from hub_estimator.training.objective import Objective

Metrics = Mapping[str, float | None]


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """An evaluation that is made of each checkpoint before it is published.

    The model folder keeps its metrics in `metrics_<name>.jsonl`.

    Attributes:
      name: under which name.
      bindings: what differs from the training's settings, such as `["EVAL_DATA = 'held_out.csv'"]`.

    Raises:
      errors.InvalidSettingError: a setting has a value that it cannot have.
      errors.InvalidPathNameError: the name cannot be that of a file.
    """

    name: str
    bindings: Sequence[str] = ()

    def __post_init__(self) -> None:
        files.check_name("Evaluation.name", self.name)
        checks.listed("Evaluation.bindings", self.bindings, "[\"EVAL_DATA = 'held_out.csv'\"]")


class Gate(Protocol):
    """What a checkpoint must fulfil to be published.

    Attributes:
      evaluation: by which evaluation; None is the recorded one.
    """

    @property
    def evaluation(self) -> Evaluation | None:
        """By which evaluation; None is the recorded one."""

    def objection(self, metrics: Metrics, published: Metrics | None) -> str | None:
        """Returns what speaks against a checkpoint, without a full stop; None where nothing does.

        Args:
          metrics: those of the checkpoint.
          published: those of the one that was published last, by the same evaluation; None where
            none was.
        """


@dataclasses.dataclass(frozen=True)
class AtLeast:
    """Takes checkpoints with a metric of at least a value.

    Attributes:
      metric: the name of the metric.
      value: the value.
      evaluation: see `Gate`.

    Raises:
      errors.InvalidSettingError: a setting has a value that it cannot have.
    """

    metric: str
    value: float
    evaluation: Evaluation | None = None

    def __post_init__(self) -> None:
        _check("AtLeast", self.metric, self.evaluation)
        checks.number("AtLeast.value", self.value, -math.inf)

    def objection(self, metrics: Metrics, published: Metrics | None) -> str | None:
        """See `Gate`."""
        found = metrics.get(self.metric)
        if found is None:
            return _missing(self.metric, metrics)
        below = f"{self.metric} is {found:.6g}, less than {self.value:g}"
        return below if found < self.value else None


@dataclasses.dataclass(frozen=True)
class AtMost:
    """Takes checkpoints with a metric of at most a value, such as a loss.

    Attributes:
      metric: the name of the metric.
      value: the value.
      evaluation: see `Gate`.

    Raises:
      errors.InvalidSettingError: a setting has a value that it cannot have.
    """

    metric: str
    value: float
    evaluation: Evaluation | None = None

    def __post_init__(self) -> None:
        _check("AtMost", self.metric, self.evaluation)
        checks.number("AtMost.value", self.value, -math.inf)

    def objection(self, metrics: Metrics, published: Metrics | None) -> str | None:
        """See `Gate`."""
        found = metrics.get(self.metric)
        if found is None:
            return _missing(self.metric, metrics)
        above = f"{self.metric} is {found:.6g}, more than {self.value:g}"
        return above if found > self.value else None


@dataclasses.dataclass(frozen=True)
class NoWorseThanPublished:
    """Takes checkpoints that are no worse than the one that the job published last.

    The first is taken, and so is any after one that has no such metric.

    Attributes:
      metric: the name of the metric.
      higher_is_better: see `Objective`.
      by: how much worse is still taken.
      evaluation: see `Gate`.

    Raises:
      errors.InvalidSettingError: a setting has a value that it cannot have.
    """

    metric: str = "loss"
    higher_is_better: bool | None = None
    by: float = 0.0
    evaluation: Evaluation | None = None

    def __post_init__(self) -> None:
        _check("NoWorseThanPublished", self.metric, self.evaluation)
        checks.number("NoWorseThanPublished.by", self.by)
        _ = self._objective

    @property
    def _objective(self) -> Objective:
        return Objective(self.metric, self.higher_is_better)

    def objection(self, metrics: Metrics, published: Metrics | None) -> str | None:
        """See `Gate`."""
        before = (published or {}).get(self.metric)
        if before is None:
            return None
        found = metrics.get(self.metric)
        if found is None:
            return _missing(self.metric, metrics)
        if not self._objective.is_better(before, found, self.by):
            return None
        return f"{self.metric} is {found:.6g}, worse than the {before:.6g} of what is published"


def _missing(metric: str, metrics: Metrics) -> str:
    has = f"it has {', '.join(sorted(metrics))}" if metrics else "it was not evaluated"
    return f"there is no number for {metric}: {has}"


def _check(owner: str, metric: Any, evaluation: Any) -> None:
    checks.text(f"{owner}.metric", metric)
    if evaluation is not None:
        checks.part(f"{owner}.evaluation", evaluation, "@Evaluation()", "bindings")
