"""Which checkpoint is chosen, beside a training that saves, evaluates and removes others."""

from __future__ import annotations

import os
import time

import pytest

from hub_estimator import errors
from hub_estimator.jobs.candidates import Best, Candidate, Latest
from tests.jobs import job_parts


@pytest.fixture
def model_dir(tmp_path):
    (tmp_path / "model").mkdir()
    return str(tmp_path / "model")


def test_the_latest(model_dir):
    assert Latest().candidate(model_dir) is None
    job_parts.save(model_dir, 9)
    sha256 = job_parts.save(model_dir, 10)
    assert Latest().candidate(model_dir) == Candidate(10, sha256, {})
    job_parts.record(model_dir, 10, accuracy=0.5, loss=None)
    found = Latest().candidate(model_dir)
    assert found == Candidate(10, sha256, {"accuracy": 0.5, "loss": None})


def test_its_evaluation_makes_it_another_candidate(model_dir):
    job_parts.save(model_dir, 10)
    before = Latest().candidate(model_dir).key
    job_parts.record(model_dir, 10, accuracy=0.5)
    after = Latest().candidate(model_dir).key
    assert before != after
    job_parts.save(model_dir, 10, "other values")
    assert Latest().candidate(model_dir).key not in (before, after)


def test_one_that_may_still_be_written_is_not_taken(model_dir):
    job_parts.save(model_dir, 1)
    job_parts.save(model_dir, 2, listed=False)
    assert Latest().candidate(model_dir).step == 1
    long_ago = time.time() - 61
    os.utime(f"{model_dir}/model.ckpt-2.index", (long_ago, long_ago))
    assert Latest().candidate(model_dir).step == 2


def test_the_best_of_those_that_are_there(model_dir):
    best = Best("accuracy")
    assert best.candidate(model_dir) is None
    for step, accuracy in ((1, 0.9), (2, 0.7), (3, 0.7), (4, None)):
        job_parts.save(model_dir, step)
        job_parts.record(model_dir, step, accuracy=accuracy)
    assert best.candidate(model_dir).step == 1
    job_parts.remove(model_dir, 1)
    assert best.candidate(model_dir).step == 2
    assert Best("accuracy", higher_is_better=False).candidate(model_dir).step == 2
    for step in (2, 3):
        job_parts.remove(model_dir, step)
    assert best.candidate(model_dir) is None


def test_the_best_of_the_last_days(model_dir):
    for step, accuracy in ((1, 0.9), (2, 0.7)):
        job_parts.save(model_dir, step)
        job_parts.record(model_dir, step, accuracy=accuracy)
    two_days_ago = time.time() - 2 * 86400
    os.utime(f"{model_dir}/model.ckpt-1.index", (two_days_ago, two_days_ago))
    assert Best("accuracy", days=1).candidate(model_dir).step == 2
    assert Best("accuracy", days=3).candidate(model_dir).step == 1


def test_a_metric_that_no_evaluation_has(model_dir):
    job_parts.save(model_dir, 1)
    job_parts.record(model_dir, 1, loss=0.5)
    with pytest.raises(errors.MetricNotFoundError) as caught:
        Best("accuracy").candidate(model_dir)
    assert str(caught.value) == (
        "No evaluation in the model folder has the metric 'accuracy'. They have: loss."
    )


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"metric": ""}, "Best.metric is ''; it must be a text in quotes."),
        ({"days": 0}, "Best.days is 0; it must be greater than 0."),
        (
            {"metric": "wer"},
            (
                "Objective.metric is 'wer', whose name does not say whether greater values are better. "
                "Set Objective.higher_is_better to True or False."
            ),
        ),
    ],
)
def test_settings_that_cannot_be(settings, message):
    with pytest.raises(errors.InvalidSettingError) as caught:
        Best(**settings)
    assert str(caught.value) == message
