"""The pictures of a report: each can be drawn, whatever the data."""

from __future__ import annotations

import numpy as np
import pytest

from hub_estimator.training.charts import plots
from hub_estimator.training.labels.any_classes import AnyClasses
from hub_estimator.training.labels.numbers import Numbers
from hub_estimator.training.labels.one_class import OneClass
from hub_estimator.training.labels.predicted_and_true import Outcomes

PNG = b"\x89PNG\r\n\x1a\n"


def one_class(size, num_classes, names=None, missing=()):
    random = np.random.default_rng(1)
    there = [number for number in range(num_classes) if number not in missing]
    truth = random.choice(there, size)
    predicted = random.dirichlet(np.ones(num_classes), size).astype(np.float32)
    return Outcomes(OneClass(num_classes, names), truth, predicted, {})


def several_classes(not_finite=False):
    random = np.random.default_rng(1)
    truth = random.integers(2, size=(30, 3))
    predicted = random.random((30, 3)) * (np.nan if not_finite else 1)
    return Outcomes(AnyClasses(3), truth, predicted, {})


def numbers(size, not_finite=()):
    random = np.random.default_rng(1)
    predicted = random.random((size, 1))
    predicted[: len(not_finite), 0] = not_finite
    return Outcomes(Numbers(), random.random((size, 1)), predicted, {})


@pytest.mark.parametrize(
    ("make", "names"),
    [
        (lambda: one_class(40, 2, ("no", "yes, $x^2$ \n and a long name that goes on")), "binary"),
        (lambda: one_class(40, 2, ("no", "yes, $\\x$")), "no formula"),
        (lambda: one_class(100, 30), "many"),
        (lambda: one_class(40, 4, missing=(1,)), "one missing"),
        (lambda: one_class(3, 2, missing=(1,)), "all of one class"),
        (lambda: one_class(1, 3), "one example"),
        (several_classes, "several"),
        (
            lambda: one_class(40, 2, ("no", "\x1b[2J\x00\ud800 한국어 \u202e" + "long " * 10_000)),
            "odd names",
        ),
        (lambda: one_class(200, 10_000), "very many"),
        (lambda: several_classes(not_finite=True), "no numbers"),
        (lambda: numbers(3000), "numbers"),
        (lambda: numbers(1), "one number"),
        (lambda: numbers(9, not_finite=(np.nan, np.inf)), "some not finite"),
        (lambda: numbers(1, not_finite=(np.nan,)), "none finite"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@pytest.mark.filterwarnings("error")
def test_every_picture_can_be_drawn(make, names):
    pytest.importorskip("matplotlib")
    found = make()
    made = found.labels.report(found, "step 1", max_classes=5, max_worst=3)
    drawn = {name: draw() for name, draw in made.pictures.items()}
    assert all(png.startswith(PNG) for png in drawn.values())
    expected = {
        OneClass: {"confusion_matrix", "precision_recall", "roc", "calibration"},
        AnyClasses: {"precision_recall", "roc", "calibration"},
        Numbers: {"predicted_over_true", "errors"},
    }
    assert set(drawn) == expected[type(found.labels)]


def test_many_classes_are_folded_into_one(monkeypatch):
    drawn = []
    monkeypatch.setattr(plots, "confusion_matrix", lambda *arguments: drawn.append(arguments))
    truth = np.array([0, 1, 1, 2, 2, 2, 3])
    predicted = np.eye(4)[[0, 1, 0, 2, 2, 3, 0]]
    found = Outcomes(OneClass(4, ("a", "b", "c", "d")), truth, predicted, {})
    found.labels.report(found, "step 1", max_classes=2, max_worst=3).pictures["confusion_matrix"]()
    ((matrix, names, title),) = drawn
    assert names == ["b", "c", "(others)"] and title == "Confusion matrix\nstep 1"
    assert matrix.tolist() == [[1, 0, 1], [0, 2, 1], [0, 0, 2]]
