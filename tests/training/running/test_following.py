"""Which checkpoints are seen of a training that goes on meanwhile, and when it has ended."""

from __future__ import annotations

import threading

import pytest

from hub_estimator import files
from hub_estimator.training.early_stopping import EarlyStopping
from hub_estimator.training.objective import Objective
from hub_estimator.training.running.following import Following

SOON = Following(timeout_secs=0.0, poll_secs=0.01)
LONG = Following(timeout_secs=60.0, poll_secs=0.01)


def steps(found):
    return [each.step for each in found]


def test_following_ends_with_training(folder, save):
    save(1)
    save(3)
    assert steps(Following(1e9).checkpoints(folder, done=[1], last_step=3)) == [3]
    assert steps(Following(1e9).checkpoints(folder, done=[1, 3], last_step=3)) == []


def test_following_ends_when_nothing_comes(folder, save, caplog):
    caplog.set_level("INFO", "hub_estimator")
    save(1)
    assert steps(SOON.checkpoints(folder, done=[], last_step=3)) == [1]
    assert caplog.messages == [f"No new checkpoint in {folder.path} for 0 seconds."]


def test_following_sees_each_once_as_it_appears(folder, save):
    save(1)
    seen = []
    for checkpoint in Following(1e9, 0.01).checkpoints(folder, done=[], last_step=4):
        seen.append(checkpoint.step)
        if checkpoint.step < 4:
            save(checkpoint.step + 1)  # removes those before the newest two
    assert seen == [1, 2, 3, 4]


def test_following_waits_for_the_folder_too(folder, save):
    timer = threading.Timer(0.05, save, [3])
    timer.start()
    assert steps(Following(60.0, 0.01).checkpoints(folder, done=[], last_step=3)) == [3]
    timer.join()


@pytest.fixture
def record(folder):
    def add(step, auc):
        folder.history().record(f"model.ckpt-{step}", {"global_step": step, "auc": auc})

    return add


def test_following_ends_with_a_training_that_ends_early(folder, save, record, caplog):
    caplog.set_level("INFO", "hub_estimator")
    stopping = EarlyStopping(Objective("auc", True), patience=1)
    save(1)
    record(1, 0.5)
    seen = []
    for checkpoint in LONG.checkpoints(folder, [], last_step=9, early_stopping=stopping):
        seen.append(checkpoint.step)
        if checkpoint.step == 1:
            save(2)
            record(2, 0.5)
    assert seen == [1, 2]
    assert caplog.messages == [f"Training in {folder.path} ended early."]
    assert steps(LONG.checkpoints(folder, [1, 2], 9, stopping)) == []


def test_evaluations_that_training_does_not_make_end_nothing(folder, save, record):
    stopping = EarlyStopping(Objective("auc", True), patience=1)
    record(0, 0.9)  # made beside training, which evaluates no model before its first step
    folder.history().record("model.ckpt-1", {"global_step": 1, "loss": 1.0})  # without the metric
    record(2, 0.5)
    record(9, 0.5)  # forgotten when training goes on
    save(2)
    assert not stopping.has_ended(folder.evaluations_so_far())
    assert steps(SOON.checkpoints(folder, [], last_step=9, early_stopping=stopping)) == [2]


def test_waiting_for_the_first_checkpoint(folder, save, caplog):
    caplog.set_level("INFO", "hub_estimator")
    timer = threading.Timer(0.05, save, [3])
    timer.start()
    LONG.wait_for_checkpoint(folder)
    assert steps(folder.finished_checkpoints()) == [3]
    expected = f"Waiting for the first checkpoint in {folder.path}, up to 60 seconds."
    assert caplog.messages == [expected]
    LONG.wait_for_checkpoint(folder)
    assert caplog.messages == [expected]
    timer.join()


def test_waiting_for_a_training_to_begin(folder, caplog):
    caplog.set_level("INFO", "hub_estimator")
    Following(0.02, 0.01).wait_for_settings(folder)
    assert caplog.messages == [
        f"Waiting for a training to begin in {folder.path}, up to 0 seconds."
    ]
    files.make_folder(folder.path)
    files.write_text(folder.operative_config, "")
    LONG.wait_for_settings(folder)
    assert len(caplog.messages) == 1
