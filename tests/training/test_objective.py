"""What is better."""

from __future__ import annotations

import math

import numpy as np
import pytest

from hub_estimator import errors
from hub_estimator.training.objective import Objective

UNKNOWN = (
    "Objective.metric is 'mean_error', whose name does not say whether greater values are better. Set "
    "Objective.higher_is_better to True or False."
)


@pytest.mark.parametrize(
    ("objective", "maximizes"),
    [
        (Objective(), False),
        (Objective("accuracy"), True),
        (Objective("auc/topic"), True),
        (Objective("average_loss/topic"), False),
        (Objective("root_mean_squared_error"), False),
        (Objective("accuracy", False), False),
        (Objective("mine", True), True),
    ],
)
def test_which_way(objective, maximizes):
    assert objective.maximizes == maximizes
    assert objective.is_better(2.0, 1.0) == maximizes
    assert objective.is_better(1.0, 2.0) != maximizes
    assert not objective.is_better(1.0, 1.0)


def test_by_how_much():
    assert Objective("auc").is_better(0.6, 0.5, by=0.05)
    assert not Objective("auc").is_better(0.6, 0.5, by=0.2)


@pytest.mark.parametrize("value", [None, "high", math.nan, math.inf, 10**400, [1.0]])
def test_what_is_no_number(value):
    assert Objective("auc").value({"auc": value}) is None
    assert Objective("auc").value({}) is None


def test_numbers():
    assert Objective("auc").value({"auc": np.float32(0.5)}) == 0.5


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (("",), "Objective.metric is ''; it must be a text in quotes."),
        (("auc", 1.5), "Objective.higher_is_better is 1.5; it must be True, False or None."),
        (("mean_error",), UNKNOWN),
    ],
)
def test_settings(settings, message):
    with pytest.raises(errors.InvalidSettingError) as caught:
        Objective(*settings)
    assert str(caught.value) == message


def test_a_metric_that_evaluations_do_not_give():
    Objective("auc").check("A job", ["auc"])
    for names, there in ((["loss", "global_step", "accuracy"], "accuracy, loss"), ([], "none")):
        with pytest.raises(errors.MetricNotFoundError) as caught:
            Objective("auc").check("A job", names)
        assert str(caught.value) == (
            f"A job looks for the metric 'auc', which evaluations do not give. They give: {there}."
        )
        assert isinstance(caught.value, KeyError) and isinstance(caught.value, ValueError)
