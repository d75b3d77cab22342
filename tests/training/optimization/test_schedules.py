"""Learning rates, step by step."""

from __future__ import annotations

import pytest
import tensorflow as tf

from hub_estimator import errors
from hub_estimator.training.optimization import schedules


def rates(schedule, at, **settings):
    """The learning rates at some steps; the first one is 0.2."""
    with tf.compat.v1.Session() as session:
        return session.run([schedule(0.2, tf.constant(step, tf.int64), **settings) for step in at])


def test_linear_decay():
    assert rates(schedules.linear_decay, [0, 50, 100, 150], steps=100) == pytest.approx(
        [0.2, 0.1, 0, 0]
    )
    assert rates(schedules.linear_decay, [50, 150], steps=100, end=0.5) == pytest.approx(
        [0.15, 0.1]
    )


def test_cosine_decay():
    assert rates(schedules.cosine_decay, [0, 50, 100, 150], steps=100) == pytest.approx(
        [0.2, 0.1, 0, 0], abs=1e-7
    )
    assert rates(schedules.cosine_decay, [150], steps=100, end=0.5) == pytest.approx([0.1])


def test_exponential_decay():
    settings = {"steps": 10, "factor": 0.25}
    assert rates(schedules.exponential_decay, [0, 5, 10, 20], **settings) == pytest.approx(
        [0.2, 0.1, 0.05, 0.0125]
    )
    stairs = rates(schedules.exponential_decay, [0, 9, 10, 19], **settings, staircase=True)
    assert stairs == pytest.approx([0.2, 0.2, 0.05, 0.05])


def test_piecewise_decay():
    settings = {"boundaries": [10, 20], "factors": [0.5, 0.1]}
    assert rates(schedules.piecewise_decay, [0, 9, 10, 19, 20, 99], **settings) == pytest.approx(
        [0.2, 0.2, 0.1, 0.1, 0.02, 0.02]
    )


def test_warm_up():
    assert rates(schedules.warm_up, range(6), steps=4) == pytest.approx(
        [0.05, 0.1, 0.15, 0.2, 0.2, 0.2]
    )
    assert schedules.warm_up(0.2, tf.constant(0, tf.int64), 0) == 0.2


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("linear_decay", {"steps": 0}, "linear_decay.steps is 0; it must be at least 1."),
        ("cosine_decay", {"steps": 1.5}, "cosine_decay.steps is 1.5; it must be a whole number."),
        (
            "linear_decay",
            {"steps": 5, "end": "x"},
            "linear_decay.end is 'x'; it must be a number.",
        ),
        (
            "exponential_decay",
            {"steps": 5, "factor": -1},
            "exponential_decay.factor is -1; it must be at least 0.",
        ),
        (
            "piecewise_decay",
            {"boundaries": 10, "factors": [0.1]},
            "piecewise_decay.boundaries is 10; give it a list, as in [1000, 2000].",
        ),
        (
            "piecewise_decay",
            {"boundaries": [10], "factors": 0.1},
            "piecewise_decay.factors is 0.1; give it a list, as in [0.1, 0.01].",
        ),
        (
            "piecewise_decay",
            {"boundaries": [10, 10], "factors": [0.1, 0.2]},
            (
                "piecewise_decay.boundaries is [10, 10] and factors [0.1, 0.2]; give rising steps, "
                "and a factor for each."
            ),
        ),
        (
            "piecewise_decay",
            {"boundaries": [10], "factors": [0.1, 0.2]},
            (
                "piecewise_decay.boundaries is [10] and factors [0.1, 0.2]; give rising steps, and "
                "a factor for each."
            ),
        ),
    ],
)
def test_settings(name, settings, message):
    with pytest.raises(errors.ModelError) as caught:
        getattr(schedules, name)(0.1, tf.constant(0), **settings)
    assert str(caught.value) == message
