"""Spaces: what trials set, what a grid has, what is checked before, and what cannot be."""

from __future__ import annotations

import re

import pytest

from hub_estimator import errors
from hub_estimator.config.statements import Reference
from hub_estimator.sweep.space import Choice, IntUniform, LogUniform, Regimes, Space, Uniform

pytestmark = pytest.mark.one_tensorflow

MODULE = Choice("MODULE", ["/a", "/b"])
TUNE = Choice("FINE_TUNE", [False, True])
RATE = LogUniform("LEARNING_RATE", 0.01, 1, 3, when={"FINE_TUNE": True})


class Ask:
    """Chooses as a trial does, by a list of what to choose; notes what it was asked."""

    def __init__(self, *values):
        self.values, self.asked = list(values), []

    def suggest_categorical(self, name, choices):
        self.asked.append((name, tuple(choices)))
        return self.values.pop(0)

    def suggest_float(self, name, low, high, *, log):
        self.asked.append((name, low, high, log))
        return self.values.pop(0)

    def suggest_int(self, name, low, high, *, step, log):
        self.asked.append((name, low, high, step, log))
        return self.values.pop(0)


def test_a_trial_is_asked_for_what_is_of_use():
    space = Space((MODULE, TUNE, RATE))
    frozen = Ask("'/a'", "False")
    assert space.suggested(frozen) == {"MODULE": "'/a'", "FINE_TUNE": "False"}
    tuned = Ask("'/b'", "True", 0.5)
    values = space.suggested(tuned)
    assert values == {"MODULE": "'/b'", "FINE_TUNE": "True", "LEARNING_RATE": 0.5}
    assert tuned.asked == [
        ("MODULE", ("'/a'", "'/b'")),
        ("FINE_TUNE", ("False", "True")),
        ("LEARNING_RATE", 0.01, 1.0, True),
    ]
    assert space.settings(values) == {
        "MODULE": "'/b'", "FINE_TUNE": "True", "LEARNING_RATE": "0.5"
    }  # fmt: skip
    assert space.names == ("MODULE", "FINE_TUNE", "LEARNING_RATE")


def test_numbers_are_asked_for_in_their_ranges():
    space = Space((Uniform("A", 0, 1), IntUniform("B", 1, 10, 4)))
    asked = Ask(0.25, 5)
    assert space.settings(space.suggested(asked)) == {"A": "0.25", "B": "5"}
    assert asked.asked == [("A", 0.0, 1.0, False), ("B", 1, 9, 4, False)]


def test_a_choice_may_be_anything_that_gin_can_name():
    optimizer = Choice("Optimization.optimizer", [Reference("", "AdamOptimizer", is_called=False)])
    assert optimizer.settings(optimizer.points()[0]) == {"Optimization.optimizer": "@AdamOptimizer"}


def test_a_regime_is_several_settings():
    regimes = Regimes({"frozen": {"FINE_TUNE": False}, "tuned": {"FINE_TUNE": True, "RATE": 0.1}})
    after = LogUniform("DECAY", 0.5, 1, when={"regime": ["tuned"]})
    space = Space((regimes, after))
    assert space.names == ("FINE_TUNE", "RATE", "DECAY")
    assert space.settings(space.suggested(Ask("'frozen'"))) == {"FINE_TUNE": "False"}
    assert space.settings(space.suggested(Ask("'tuned'", 0.75))) == {
        "FINE_TUNE": "True", "RATE": "0.1", "DECAY": "0.75"
    }  # fmt: skip


def test_a_grid_is_the_product_of_what_is_of_use():
    grid = Space((MODULE, TUNE, RATE)).grid()
    frozen = [each for each in grid if each["FINE_TUNE"] == "False"]
    assert len(grid) == 8 and len(frozen) == 2
    rates = [each["LEARNING_RATE"] for each in grid if each["FINE_TUNE"] == "True"][:3]
    assert rates == [0.01, pytest.approx(0.1), 1.0]
    assert [each["MODULE"] for each in grid] == ["'/a'"] * 4 + ["'/b'"] * 4


def test_points_of_numbers():
    assert Uniform("A", 0, 1, 3).points() == [0, 0.5, 1]
    assert Uniform("A", 2, 4, 1).points() == [2.0] and LogUniform("A", 3, 3, 2).points() == [3.0]
    assert list(IntUniform("A", 1, 10, 4).points()) == [1, 5, 9]
    assert LogUniform("A", 0.001, 0.1, 2).points() == [0.001, 0.1]


def test_each_value_is_checked_at_least_once_where_it_is_of_use():
    samples = Space((MODULE, TUNE, RATE)).samples()
    for label, values in (("MODULE", ["'/a'", "'/b'"]), ("LEARNING_RATE", [0.01, 1.0])):
        found = [sample[label] for sample in samples if label in sample]
        assert set(found) == set(values)
    assert all(("LEARNING_RATE" in each) == (each["FINE_TUNE"] == "True") for each in samples)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: Choice("MODULE", []),
            "Choice.values of 'MODULE' is []; give at least one value, and none twice.",
        ),
        (
            lambda: Choice("MODULE", ["/a", "/a"]),
            "Choice.values of 'MODULE' is ['/a', '/a']; give at least one value, and none twice.",
        ),
        (
            lambda: Choice("MODULE", "/a"),
            "Choice.values is '/a'; give it a list, as in ['/modules/a', '/modules/b'].",
        ),
        (lambda: Choice(3, [1]), "Choice.setting is 3; it must be a text in quotes."),
        (lambda: Choice("A", [1], name=3), "Choice.name is 3; it must be a text in quotes."),
        (
            lambda: Choice("A", [1], when="B"),
            "Choice.when is 'B'; give values by names, as in {'FINE_TUNE': True}.",
        ),
        (lambda: Uniform("A", "0", 1), "Uniform.low is '0'; it must be a number."),
        (lambda: Uniform("A", 2, 1), "Uniform.low of 'A' is 2, more than Uniform.high, 1."),
        (lambda: Uniform("A", 0, 1, 0), "Uniform.points_in_grid is 0; it must be at least 1."),
        (lambda: LogUniform("A", 0, 1), "LogUniform.low is 0; it must be greater than 0."),
        (lambda: IntUniform("A", 0.5, 1), "IntUniform.low is 0.5; it must be a whole number."),
        (
            lambda: IntUniform("A", 3, 1),
            "IntUniform.low of 'A' is 3, more than IntUniform.high, 1.",
        ),
        (lambda: IntUniform("A", 1, 3, 0), "IntUniform.step is 0; it must be at least 1."),
        (
            lambda: Regimes({"frozen": [1]}),
            (
                "Regimes.settings_by_regime is {'frozen': [1]}; give the settings of each by its name, as "
                "in {'frozen': {'FINE_TUNE': False}, 'tuned': {'FINE_TUNE': True}}."
            ),
        ),
        (
            lambda: Space((MODULE, MODULE)),
            "Sweep.space has two of the name 'MODULE'. Give one of them a `name` of its own.",
        ),
        (
            lambda: Space((RATE, TUNE)),
            (
                "The `when` of 'LEARNING_RATE' names 'FINE_TUNE', which is not before it in Sweep.space. "
                "Before it: none."
            ),
        ),
        (
            lambda: Space((TUNE, Choice("A", [1], when={"FINE_TUNE": "yes"}))),
            "The `when` of 'A' asks for FINE_TUNE = 'yes', which cannot be. It can be: False, True.",
        ),
        (
            lambda: Space((Uniform("A", 0, 1),)).grid(),
            "A grid needs values, and 'A' is a range. Set its points_in_grid, or write a Choice.",
        ),
        (
            lambda: Space(tuple(IntUniform(f"A{n}", 1, 100) for n in range(4))).grid(),
            "The grid has more than 100,000 trials. Take fewer values, or another Sweep.sampler.",
        ),
        (
            lambda: Space((TUNE, Choice("FINE_TUNE", [1], name="other"))).settings(
                {"FINE_TUNE": "True", "other": "1"}
            ),
            (
                "Sweep.space sets 'FINE_TUNE' twice in the same trial, the second time by 'other'. Give "
                "one of them a `when`."
            ),
        ),
    ],
)
def test_what_cannot_be(make, message):
    with pytest.raises(errors.InvalidSettingError, match=f"^{re.escape(message)}$"):
        make()
