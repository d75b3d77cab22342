"""Which trials end before their last step. Each makes a pruner of Optuna; steps are optimizer steps."""

from __future__ import annotations

import dataclasses
from typing import Any, Protocol

from hub_estimator.sweep import optuna_library
from hub_estimator.training import checks


class Pruner(Protocol):
    """Which trials end early."""

    def made(self) -> Any:
        """Returns a pruner of Optuna."""


@dataclasses.dataclass(frozen=True)
class MedianPruner:
    """Ends a trial whose best value so far is worse than the median of the others at that step.

    Attributes:
      startup_trials: how many trials are trained to their end before.
      warmup_steps: up to this step no trial ends.
    """

    startup_trials: int = 5
    warmup_steps: int = 0

    def __post_init__(self) -> None:
        _check("MedianPruner", self.startup_trials, self.warmup_steps)

    def made(self) -> Any:
        """See `Pruner`."""
        return optuna_library.module("pruners").MedianPruner(self.startup_trials, self.warmup_steps)


@dataclasses.dataclass(frozen=True)
class PercentilePruner:
    """Ends a trial whose best value so far is not among the best of the others at that step.

    Attributes:
      percentile: how many of a hundred go on.
      startup_trials: how many trials are trained to their end before.
      warmup_steps: up to this step no trial ends.
    """

    percentile: float
    startup_trials: int = 5
    warmup_steps: int = 0

    def __post_init__(self) -> None:
        checks.number("PercentilePruner.percentile", self.percentile, 0.0, 100.0)
        _check("PercentilePruner", self.startup_trials, self.warmup_steps)

    def made(self) -> Any:
        """See `Pruner`."""
        return optuna_library.module("pruners").PercentilePruner(
            float(self.percentile), self.startup_trials, self.warmup_steps
        )


@dataclasses.dataclass(frozen=True)
class HyperbandPruner:
    """Ends all but the best part of the trials at steps that are further and further apart.

    Source: Li et al., "Hyperband: A Novel Bandit-Based Approach to Hyperparameter Optimization",
    JMLR 2018.

    Attributes:
      min_steps: the step of the first such choice, such as `Experiment.eval_every_steps`.
      max_steps: the last step of a trial, such as `Experiment.max_steps`.
      reduction_factor: one of so many goes on.
    """

    min_steps: int
    max_steps: int
    reduction_factor: int = 3

    def __post_init__(self) -> None:
        checks.whole_number("HyperbandPruner.min_steps", self.min_steps)
        checks.whole_number("HyperbandPruner.max_steps", self.max_steps, least=self.min_steps)
        checks.whole_number("HyperbandPruner.reduction_factor", self.reduction_factor, least=2)

    def made(self) -> Any:
        """See `Pruner`."""
        with optuna_library.quiet():
            return optuna_library.module("pruners").HyperbandPruner(
                self.min_steps, self.max_steps, self.reduction_factor
            )


def _check(owner: str, startup_trials: Any, warmup_steps: Any) -> None:
    checks.whole_number(f"{owner}.startup_trials", startup_trials, least=0)
    checks.whole_number(f"{owner}.warmup_steps", warmup_steps, least=0)
