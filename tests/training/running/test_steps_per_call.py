"""Fewer calls of hooks: the same checkpoints, summaries and steps as with all of them."""

from __future__ import annotations

import glob

import pytest
import tensorflow as tf

from hub_estimator import estimator
from hub_estimator.training.running import steps_per_call
from hub_estimator.training.running.steps_per_call import StepsPerCallHook


def model_fn(features, labels, mode):
    """A sum of all that was seen, which depends on each step."""
    total = tf.compat.v1.get_variable("total", [], tf.float32, tf.compat.v1.zeros_initializer())
    step = tf.compat.v1.train.get_global_step()
    loss = tf.reduce_sum(features)
    tf.compat.v1.summary.scalar("features", loss)
    added = tf.compat.v1.assign_add(total, loss)
    # After what hooks read of the step in the same call: a real model takes longer than that.
    read = tf.compat.v1.get_collection("global_step_read_op_cache")
    with tf.control_dependencies([added, *read]):
        train = tf.compat.v1.assign_add(step, 1).op
    return estimator.EstimatorSpec(mode, loss=loss, train_op=train)


def input_fn(first):
    return lambda: tf.data.Dataset.range(first, 10**6).map(lambda n: tf.cast(n, tf.float32))


class Calls(tf.compat.v1.train.SessionRunHook):
    """The steps after which hooks were called."""

    def __init__(self):
        self.steps = []

    def after_run(self, run_context, run_values):
        self.steps.append(int(run_context.session.run(tf.compat.v1.train.get_global_step())))


def train(folder, hooks, max_steps, first=0, save=6, log=4):
    """Trains; returns the sum, the steps of checkpoints and those of summaries."""
    config = estimator.RunConfig(
        save_checkpoints_steps=save, save_summary_steps=log, log_step_count_steps=log
    )
    made = estimator.Estimator(model_fn, str(folder), config)
    made.train(input_fn(first), hooks=hooks, max_steps=max_steps)
    checkpoints = tf.train.get_checkpoint_state(str(folder)).all_model_checkpoint_paths
    summaries = [
        (event.step, value.tag)
        for path in sorted(glob.glob(f"{folder}/events.*"))
        for event in tf.compat.v1.train.summary_iterator(path)
        for value in event.summary.value
    ]
    return (
        made.get_variable_value("total"),
        [path.rpartition("-")[2] for path in checkpoints],
        summaries,
    )


@pytest.mark.parametrize("save, log", [(6, 4), (5, 100), (7, 3), (50, 1)])
def test_hooks_do_the_same_after_the_same_steps(tmp_path, save, log):
    found = []
    for name in ("each", "fewer"):
        calls = Calls()
        for first, last in ((0, 20), (20, 33)):  # it goes on from a step that is no multiple
            fewer = StepsPerCallHook(last, save, log) if name == "fewer" else None
            hooks = [each for each in (fewer, calls) if each]
            made = train(tmp_path / name, hooks, last, first, save, log)
        found.append((*made, calls.steps))
    (*each, all_steps), (*fewer, seen) = found
    assert each == fewer
    assert each[0] == sum(range(33))
    assert all_steps == list(range(1, 34))
    assert set(seen) < set(all_steps) or log == 1


def test_the_steps_that_hooks_see(tmp_path):
    calls = Calls()
    train(tmp_path, [StepsPerCallHook(13, 6, 4), calls], 13)
    assert calls.steps == [1, 4, 5, 6, 7, 8, 9, 12, 13]


def test_hooks_are_called_after_a_while_at_the_latest(tmp_path, monkeypatch):
    monkeypatch.setattr(steps_per_call, "_MOST_SECS", -1.0)
    calls = Calls()
    train(tmp_path, [StepsPerCallHook(9, 100), calls], 9)
    assert calls.steps == list(range(1, 10))


def test_a_loss_that_is_not_a_number_is_seen_in_any_step(tmp_path):
    def no_number(features, labels, mode):
        return model_fn(tf.where(tf.equal(features, 5), float("nan"), features), labels, mode)

    made = estimator.Estimator(no_number, str(tmp_path))
    with pytest.raises(tf.compat.v1.train.NanLossDuringTrainingError):
        made.train(input_fn(0), hooks=[StepsPerCallHook(9, 100)], max_steps=9)
    assert made.latest_checkpoint().endswith("-0")
