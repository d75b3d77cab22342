"""Which settings matter, and how their values are taken."""

from __future__ import annotations

import pytest

from hub_estimator.sweep.results import importances
from tests.sweep.results.trial_values import of_two, study, text_study, trial

pytestmark = pytest.mark.one_tensorflow


@pytest.mark.parametrize(
    ("text", "number"),
    [("3", 3.0), ("1e-3", 0.001), ("True", None), ("'3'", None), ("@Adam", None), ("nan", None)],
)
def test_a_number_is_what_gin_takes_for_one(text, number):
    assert importances.number(text) == number


def test_what_matters_comes_first():
    trials = [
        trial(number, 0.5 + 0.3 * (number % 2) + 0.001 * number,
              settings={"A": str(number % 2 == 1), "B": f"{number % 5 + 1}"})
        for number in range(20)
    ]  # fmt: skip
    shares = importances.importances(study(*trials, settings=("B", "A")))
    assert list(shares) == ["accuracy"] and list(shares["accuracy"]) == ["A", "B"]
    assert sum(shares["accuracy"].values()) == pytest.approx(1.0)


def test_settings_with_a_condition_are_there_too():
    assert set(importances.importances(text_study())["accuracy"]) == {
        "MODULE",
        "FINE_TUNE",
        "LEARNING_RATE",
    }


def test_each_objective_has_its_own():
    trials = [trial(number, 0.1 * number, 5.0, settings={"A": str(number)}) for number in range(6)]
    assert list(importances.importances(of_two(*trials))) == []  # no setting of the space
    found = of_two(*trials, trial(6, 0.7, 6.0, settings={"MODULE": "'m'"}))
    assert list(importances.importances(found)) == ["accuracy", "size"]


@pytest.mark.parametrize(
    "trials",
    [
        [trial(n, 0.1 * n, settings={"MODULE": f"'{n}'"}) for n in range(3)],
        [trial(n, 0.5, settings={"MODULE": f"'{n}'"}) for n in range(9)],
        [trial(n, 0.1 * n, settings={"MODULE": "'a'"}) for n in range(9)],
    ],
    ids=["too few", "equal values", "one setting"],
)
def test_where_nothing_can_be_said_there_are_none(trials):
    assert importances.importances(study(*trials)) == {}
