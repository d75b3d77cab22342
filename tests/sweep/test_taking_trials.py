"""That no two workers take the same trial, also where the database is a file."""

from __future__ import annotations

import dataclasses
import threading

import pytest

from hub_estimator.sweep import storage, study
from hub_estimator.sweep.supervisor import Supervisor
from tests.sweep.light_runs import LightRunner, plan, starts

pytestmark = pytest.mark.one_tensorflow


def test_workers_that_start_at_the_same_moment_take_different_trials(tmp_path):
    values = [number / 100 for number in range(1, 9)]
    made = plan(tmp_path, *values, workers=4, runner=LightRunner(0.0, 10))
    found = Supervisor(made, threading.Event()).run()
    assert [trial.state for trial in found.trials] == ["complete"] * 8
    assert len(study.opened(made).records()) == 8
    assert starts(tmp_path) == {number: [0] for number in range(8)}


def test_no_more_wait_than_workers_take_until_somebody_looks_again(tmp_path):
    made = plan(tmp_path, *(number / 100 for number in range(50)), runner=LightRunner(0.0, 10))
    opened = study.opened(made)
    for _ in range(2):
        opened.fill()
        assert [record.user_attrs["slot"] for record in opened.records()] == list(range(32))
    of_many = study.OpenStudy(dataclasses.replace(made, workers=20), opened.study)
    of_many.fill()
    assert [record.user_attrs["slot"] for record in opened.records()] == list(range(50))


def test_those_that_did_not_wait_at_first_are_run_too(tmp_path):
    values = [number / 100 for number in range(1, 35)]
    made = plan(tmp_path, *values, workers=2, runner=LightRunner(0.0, 10))
    found = Supervisor(made, threading.Event()).run()
    assert [trial.values for trial in found.trials] == [
        (pytest.approx(value + 0.01),) for value in values
    ]
    assert starts(tmp_path) == {number: [0] for number in range(34)}


@pytest.mark.parametrize(
    ("url", "lock"),
    [
        ("sqlite:////tmp/sweep.db", "/tmp/sweep.db.lock"),
        ("sqlite:///sweep.db", "sweep.db.lock"),
        ("postgresql://user@host/database", None),
    ],
)
def test_a_file_has_a_lock_beside_it(url, lock):
    assert storage.taking_lock(url) == lock
