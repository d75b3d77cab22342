"""What gates say of metrics."""

from __future__ import annotations

import pytest

from hub_estimator import errors
from hub_estimator.jobs.gates import AtLeast, AtMost, Evaluation, NoWorseThanPublished

METRICS = {"accuracy": 0.8, "loss": 0.4, "auc": None}


@pytest.mark.parametrize(
    ("gate", "objection"),
    [
        (AtLeast("accuracy", 0.8), None),
        (AtLeast("accuracy", 0.81), "accuracy is 0.8, less than 0.81"),
        (AtLeast("accuracy", -1), None),
        (AtLeast("auc", 0.1), "there is no number for auc: it has accuracy, auc, loss"),
        (AtMost("loss", 0.4), None),
        (AtMost("loss", 0.39), "loss is 0.4, more than 0.39"),
        (AtMost("x", 1), "there is no number for x: it has accuracy, auc, loss"),
    ],
)
def test_values(gate, objection):
    assert gate.objection(METRICS, None) == objection


def test_what_was_not_evaluated():
    said = "there is no number for accuracy: it was not evaluated"
    assert AtLeast("accuracy", 0).objection({}, None) == said
    assert NoWorseThanPublished("accuracy").objection({}, METRICS) == said


@pytest.mark.parametrize(
    ("gate", "published", "objection"),
    [
        (NoWorseThanPublished("accuracy"), None, None),
        (NoWorseThanPublished("accuracy"), {"loss": 1.0}, None),
        (NoWorseThanPublished("accuracy"), {"accuracy": 0.8}, None),
        (NoWorseThanPublished("accuracy"), {"accuracy": 0.7}, None),
        (
            NoWorseThanPublished("accuracy"),
            {"accuracy": 0.9},
            "accuracy is 0.8, worse than the 0.9 of what is published",
        ),
        (NoWorseThanPublished("accuracy", by=0.15), {"accuracy": 0.9}, None),
        (
            NoWorseThanPublished(),
            {"loss": 0.3},
            "loss is 0.4, worse than the 0.3 of what is published",
        ),
        (NoWorseThanPublished("loss", higher_is_better=True), {"loss": 0.3}, None),
    ],
)
def test_what_is_published(gate, published, objection):
    assert gate.objection(METRICS, published) == objection


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: AtLeast("", 1), "AtLeast.metric is ''; it must be a text in quotes."),
        (lambda: AtLeast("auc", "1"), "AtLeast.value is '1'; it must be a number."),
        (lambda: AtMost("auc", None), "AtMost.value is None; it must be a number."),
        (
            lambda: NoWorseThanPublished(by=-1),
            "NoWorseThanPublished.by is -1; it must be at least 0.",
        ),
        (
            lambda: AtLeast("auc", 1, Evaluation),
            (
                "AtLeast.evaluation is @Evaluation, which nothing has called: write @Evaluation(), "
                "with ()."
            ),
        ),
        (
            lambda: Evaluation("x", "EVAL_DATA = 'y'"),
            (
                "Evaluation.bindings is \"EVAL_DATA = 'y'\"; give it a list, as in "
                "[\"EVAL_DATA = 'held_out.csv'\"]."
            ),
        ),
    ],
)
def test_settings_that_cannot_be(make, message):
    with pytest.raises(errors.InvalidSettingError) as caught:
        make()
    assert str(caught.value) == message


def test_the_name_of_an_evaluation_is_that_of_a_file():
    with pytest.raises(errors.InvalidPathNameError, match="^Evaluation.name is '../x', which"):
        Evaluation("../x")
