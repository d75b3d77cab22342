"""Which trials are better."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

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
    known = [trial for trial in study.trials if trial.state == "complete" and trial.values]
    if len(study.objectives) == 1:
        return _in_order(known, study.objectives[0])[:1]
    return _layers(known, study.objectives)[0] if known else []


def _in_order(trials: Sequence[Trial], objective: Objective) -> list[Trial]:
    """Returns trials by the value of the first objective, the best first."""

    def badness(trial: Trial) -> tuple[bool, float, int]:
        if trial.values is None:
            return True, 0.0, trial.number
        value = trial.values[0]
        return False, -value if objective.maximizes else value, trial.number

    return sorted(trials, key=badness)


def _layers(trials: Sequence[Trial], objectives: Sequence[Objective]) -> list[list[Trial]]:
    """Returns the Pareto front, then what is the front without it, and so on."""
    signs = np.array([-1.0 if objective.maximizes else 1.0 for objective in objectives])
    costs = signs * np.array([trial.values for trial in trials])
    # Whether that of the row dominates that of the column: is worse in nothing, and better in something.
    dominates = np.ones([len(trials), len(trials)], bool)
    for column in costs.T:
        dominates &= column[:, None] <= column[None, :]
    dominates &= ~dominates.T
    left, found = np.ones(len(trials), bool), []
    while left.any():
        front = left & ~dominates[left].any(axis=0)
        found.append([trials[int(place)] for place in np.flatnonzero(front)])
        left &= ~front
    return found
