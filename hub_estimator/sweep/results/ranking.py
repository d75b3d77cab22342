"""Which trials are better."""

from __future__ import annotations

from collections.abc import Sequence

from hub_estimator.sweep.trials import State, Study, Trial
from hub_estimator.training.objective import Objective

_AFTER_COMPLETE: tuple[State, ...] = ("pruned", "running", "waiting", "failed")


def ranked(study: Study) -> list[Trial]:
    """Returns all trials of a study, the best first.

    By one objective complete trials are ranked by its value; by several those first that no other one
    is better than, then those that only these are better than, and so on. Pruned trials follow, by the
    value that they had; then those that run, wait, and failed. Of equal ones the earlier is first.
    """
    found = [trial for front in fronts(study) for trial in front]
    for state in _AFTER_COMPLETE:
        trials = [trial for trial in study.trials if trial.state == state]
        found += _in_order(trials, study.objectives[0]) if state == "pruned" else trials
    return found


def fronts(study: Study) -> list[list[Trial]]:
    """Returns the complete trials in groups, the best group first: by several objectives the Pareto
    front, then what is the front without it, and so on; by one a trial each.
    """
    complete = [trial for trial in study.trials if trial.state == "complete"]
    known = [trial for trial in complete if trial.values is not None]
    without = [[trial] for trial in complete if trial.values is None]
    if len(study.objectives) == 1:
        return [[trial] for trial in _in_order(known, study.objectives[0])] + without
    return _layers(known, study.objectives) + without


def best(study: Study) -> list[Trial]:
    """Returns the best trial, or with several objectives all of the Pareto front; empty without."""
    groups = fronts(study)
    return groups[0] if groups and groups[0][0].values is not None else []


def _in_order(trials: Sequence[Trial], objective: Objective) -> list[Trial]:
    """Returns trials by the value of the first objective, the best first."""

    def badness(trial: Trial) -> tuple[bool, float, int]:
        if trial.values is None:
            return True, 0.0, trial.number
        value = trial.values[0]
        return False, -value if objective.maximizes else value, trial.number

    return sorted(trials, key=badness)


def _layers(trials: Sequence[Trial], objectives: Sequence[Objective]) -> list[list[Trial]]:
    left, found = list(trials), []
    while left:
        front = [
            trial
            for trial in left
            if not any(_dominates(other, trial, objectives) for other in left)
        ]
        found.append(front)
        numbers = {trial.number for trial in front}
        left = [trial for trial in left if trial.number not in numbers]
    return found


def _dominates(trial: Trial, other: Trial, objectives: Sequence[Objective]) -> bool:
    """Whether a trial is better than another one by some objective, and worse by none."""
    pairs = list(zip(objectives, trial.values or (), other.values or (), strict=True))
    return any(objective.is_better(mine, its) for objective, mine, its in pairs) and not any(
        objective.is_better(its, mine) for objective, mine, its in pairs
    )
