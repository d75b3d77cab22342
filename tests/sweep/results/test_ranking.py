"""Which trials are better."""

from __future__ import annotations

import pytest

from hub_estimator.sweep.results import ranking
from hub_estimator.training.objective import Objective
from tests.sweep.results.trial_values import of_two, study, trial

pytestmark = pytest.mark.one_tensorflow


def numbers(trials):
    return [each.number for each in trials]


def test_complete_trials_are_first_and_of_equal_ones_the_earlier():
    found = study(
        trial(0, state="waiting"),
        trial(1, 0.5),
        trial(2, 0.9, state="pruned"),
        trial(3, 0.7),
        trial(4, state="failed"),
        trial(5, 0.7),
        trial(6, state="running"),
        trial(7, 0.95, state="pruned"),
    )
    assert numbers(ranking.ranked(found)) == [3, 5, 1, 7, 2, 6, 0, 4]
    assert numbers(ranking.best(found)) == [3]


def test_where_lower_is_better_the_lowest_is_first():
    found = study(trial(0, 0.5), trial(1, 0.4), objectives=(Objective("loss"),))
    assert numbers(ranking.ranked(found)) == [1, 0]


def test_by_several_objectives_the_pareto_front_is_first():
    found = of_two(
        trial(0, 0.9, 50.0), trial(1, 0.8, 10.0), trial(2, 0.8, 20.0), trial(3, 0.7, 20.0)
    )
    assert [numbers(front) for front in ranking.fronts(found)] == [[0, 1], [2], [3]]
    assert numbers(ranking.best(found)) == [0, 1]


def test_equal_trials_are_of_one_front():
    found = of_two(trial(0, 0.9, 50.0), trial(1, 0.9, 50.0))
    assert numbers(ranking.best(found)) == [0, 1]


def test_without_a_complete_trial_none_is_the_best():
    assert ranking.best(study(trial(0, 0.9, state="pruned"), trial(1, state="failed"))) == []
    assert ranking.best(study()) == []
