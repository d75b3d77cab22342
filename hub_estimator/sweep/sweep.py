"""A sweep as a value: what is searched, by what, how, and how long."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, Literal, get_args

from hub_estimator import errors, texts
from hub_estimator.sweep.final_check import FinalCheck
from hub_estimator.sweep.pruners import Pruner
from hub_estimator.sweep.results.publication import Publication
from hub_estimator.sweep.samplers import TPE, Sampler
from hub_estimator.sweep.space import Dimension, Space
from hub_estimator.sweep.trials import AT_THE_END
from hub_estimator.training import checks
from hub_estimator.training.objective import Objective

Gpus = Literal["shared", "in_turn"]

_TRIALS = 20


@dataclasses.dataclass(frozen=True)
class Sweep:
    """A sweep: trials of one experiment, each with some settings of its own.

    Attributes:
      space: what trials set: `[@module/Choice(), @rate/LogUniform()]`.
      objective: what is better; a list of several looks for those of which none is better in all;
        None is that of the experiment.
      sampler: how trials are chosen; None is `@TPE()`.
      pruner: which trials end early; None ends none.
      trials: how many; None is all of a grid, and else 20.
      seed: of what is random in the choice of trials.
      name: what the sweep is called in its storage, where several may be; None is as its folder.
      gpus: how the trials of a machine use its GPUs. `"shared"`: each takes one, and several the
        same where there are more workers than GPUs. `"in_turn"`: then they wait for one another, and
        for other sweeps of the same user.
      keep_best: of how many trials, the best ones, checkpoints and exports stay; those of others are
        removed as soon as they are finished. None keeps all.
      final_check: trains the best settings again, and evaluates them on other data; None does not.
      publication: where the module of the best trial is published; None is nowhere.
      heartbeat_secs: how often a worker says that it lives. One that says nothing three times as long
        is taken for dead, and its trial is run again, from its last checkpoint.

    Raises:
      errors.InvalidSettingError: a setting has a value that it cannot have.
      errors.PartsMismatchError: the sampler or the pruner cannot be used here.
      errors.MissingExtraError: what the sampler needs is not installed.
    """

    space: Sequence[Dimension]
    objective: Objective | Sequence[Objective] | None = None
    sampler: Sampler | None = None
    pruner: Pruner | None = None
    trials: int | None = None
    seed: int = 1
    name: str | None = None
    gpus: Gpus = "shared"
    keep_best: int | None = None
    final_check: FinalCheck | None = None
    publication: Publication | None = None
    heartbeat_secs: int = 30

    def __post_init__(self) -> None:
        checks.listed("Sweep.space", self.space, "[@module/Choice(), @rate/LogUniform()]")
        if not self.space:
            raise errors.InvalidSettingError(
                "Sweep.space is empty; give what trials set, as in [@module/Choice()]."
            )
        for dimension in self.space:
            checks.part("Sweep.space", dimension, "[@module/Choice()]", "suggested", "when")
        if self.trials is not None:
            checks.whole_number("Sweep.trials", self.trials)
        checks.whole_number("Sweep.seed", self.seed, least=0)
        checks.whole_number("Sweep.heartbeat_secs", self.heartbeat_secs)
        if self.keep_best is not None:
            checks.whole_number("Sweep.keep_best", self.keep_best)
        if self.name is not None:
            checks.text("Sweep.name", self.name)
        if self.gpus not in get_args(Gpus):
            raise errors.InvalidSettingError(
                f"Sweep.gpus is {texts.shown(self.gpus)}; it must be 'shared' or 'in_turn'."
            )
        self._check_parts()

    def _check_parts(self) -> None:
        for objective in self.objectives:
            checks.part("Sweep.objective", objective, "@Objective()", "is_better", "metric")
        checks.part("Sweep.sampler", self.chosen_by, "@TPE()", "made", "is_grid")
        first = self.objectives[0].metric
        if first in AT_THE_END:
            raise errors.PartsMismatchError(
                f"Sweep.objective has {first} first, which is known only when a trial has ended. Put a "
                "metric of its evaluations first, as in [@quality/Objective(), @cost/Objective()]."
            )
        self.chosen_by.check(self.dimensions, len(self.objectives))
        if self.final_check is not None:
            checks.part("Sweep.final_check", self.final_check, "@FinalCheck()", "bindings", "seeds")
        if self.publication is not None:
            checks.part("Sweep.publication", self.publication, "@Publication()", "publish")
        if self.pruner is None:
            return
        checks.part("Sweep.pruner", self.pruner, "@MedianPruner()", "made")
        if len(self.objectives) > 1:
            raise errors.PartsMismatchError(
                "Sweep.pruner goes by one objective, and Sweep.objective has several. Leave one of "
                "them out."
            )

    @property
    def dimensions(self) -> Space:
        """What trials set."""
        return Space(tuple(self.space))

    @property
    def objectives(self) -> tuple[Objective, ...]:
        """What is better."""
        given: Any = self.objective
        if given is None:
            return (Objective(),)
        return tuple(given) if isinstance(given, (list, tuple)) else (given,)

    def is_about(self, metric: str) -> bool:
        """Whether an objective is a metric."""
        return any(objective.metric == metric for objective in self.objectives)

    @property
    def chosen_by(self) -> Sampler:
        """How trials are chosen."""
        return TPE() if self.sampler is None else self.sampler

    @property
    def number_of_trials(self) -> int:
        """How many trials there are to be."""
        if not self.chosen_by.is_grid:
            return _TRIALS if self.trials is None else self.trials
        points = len(self.dimensions.grid())
        return points if self.trials is None else min(points, self.trials)
