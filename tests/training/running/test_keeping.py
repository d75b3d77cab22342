"""Which checkpoints are there after a run: the newest ones, and the best one beside them."""

from __future__ import annotations

import functools
import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest
import tensorflow as tf

from hub_estimator import compat, errors, training
from hub_estimator.compat import head_class
from hub_estimator.training.model.canned_model import CannedModel, estimator_class
from hub_estimator.training.model_folder.model_folder import ModelFolder
from hub_estimator.training.objective import Objective
from hub_estimator.training.running.keeping import Keeping, KeepingHook
from tests import text_data
from tests.training import runs

ROOT = str(pathlib.Path(__file__).parents[3])
# The loss falls, so by one the last checkpoint is the best, and by the other the first.
LAST, FIRST = Objective("loss"), Objective("loss", higher_is_better=True)


@pytest.fixture
def run(make_regression, examples, folder):
    """Trains in a folder of the test; keyword arguments replace those of the loop."""

    def train(**changes):
        arguments = {
            "model_dir": folder.path,
            "model": make_regression(),
            "train_input": examples,
            "eval_input": examples,
            "max_steps": 6,
            "eval_every_steps": 2,
            "keep_checkpoints": 2,
            **changes,
        }
        return runs.train(**arguments)

    return train


def steps(folder):
    return [checkpoint.step for checkpoint in folder.checkpoints()]


def listed(folder):
    state = tf.train.get_checkpoint_state(folder.path)
    return [os.path.basename(path) for path in state.all_model_checkpoint_paths]


@pytest.mark.parametrize(
    ("objective", "left"), [(LAST, [4, 6]), (FIRST, [2, 4, 6]), (None, [4, 6])]
)
def test_the_newest_and_the_best(run, folder, objective, left):
    run(objective=objective)
    assert steps(folder) == left
    assert listed(folder) == [f"model.ckpt-{step}" for step in left]
    assert {name.split(".")[1] for name in os.listdir(folder.path) if "ckpt-" in name} == {
        f"ckpt-{step}" for step in left
    }
    goal = objective or Objective()
    assert folder.best(goal).step == training.CheckpointChoice("best").one(folder, goal).step
    assert folder.best(goal).step == (2 if objective is FIRST else 6)


def test_one_alone_is_kept_beside_the_best(run, folder):
    seen = []

    class Watch(tf.compat.v1.train.SessionRunHook):
        def before_run(self, run_context):
            seen.append(steps(folder))

    run(objective=FIRST, keep_checkpoints=1, hooks=[Watch])
    assert steps(folder) == [2, 6]
    assert max(map(len, seen)) == 2 and [2, 4] in seen


def test_a_run_that_goes_on_keeps_the_best_and_goes_on_from_the_newest(run, folder, caplog):
    run(objective=FIRST, max_steps=4)
    caplog.set_level("INFO", "hub_estimator")
    assert run(objective=FIRST, max_steps=8).step == 8
    assert f"Training goes on from the checkpoint of step 4 in {folder.path}." in caplog.messages
    assert steps(folder) == [2, 6, 8]


def test_another_objective_lets_the_former_best_go(run, folder):
    run(objective=FIRST)
    run(objective=LAST)  # finished: nothing is trained
    assert steps(folder) == [4, 6]


def test_fewer_than_before_are_removed_at_once(run, folder):
    run(objective=FIRST, keep_checkpoints=5, max_steps=8)
    assert steps(folder) == [0, 2, 4, 6, 8]
    run(objective=FIRST, keep_checkpoints=1, max_steps=8)
    assert steps(folder) == [2, 8]


def test_what_a_signal_had_saved_is_evaluated_and_counts(run, folder):
    class Terminated(tf.compat.v1.train.SessionRunHook):
        def after_run(self, run_context, run_values):
            os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(errors.InterruptedRunError):
        run(objective=FIRST, keep_checkpoints=1, hooks=[Terminated])
    assert steps(folder) == [0, 1]
    run(objective=FIRST, keep_checkpoints=1)
    assert steps(folder) == [1, 6]


class OwnSaver:
    """A model of somebody else, whose saver keeps one checkpoint."""

    def __init__(self, model, relative):
        self._model, self._relative = model, relative

    def __getattr__(self, name):
        return getattr(self._model, name)

    def model_fn(self, features, labels, mode, params=None, config=None):
        spec = self._model.model_fn(features, labels, mode, params=params, config=config)
        if mode != "train":
            return spec
        saver = tf.compat.v1.train.Saver(max_to_keep=1, save_relative_paths=self._relative)
        return spec._replace(scaffold=tf.compat.v1.train.Scaffold(saver=saver))


@pytest.mark.parametrize("relative", [True, False])
def test_a_saver_of_somebody_elses_model(run, make_regression, folder, relative):
    run(model=OwnSaver(make_regression(), relative), objective=FIRST)
    assert steps(folder) == [2, 4, 6] and len(listed(folder)) == 3
    assert run(model=OwnSaver(make_regression(), relative), objective=FIRST, max_steps=8).step == 8
    assert steps(folder) == [2, 6, 8]


def test_a_model_whose_checkpoints_leave_frozen_variables_out(run, make_regression, folder):
    run(model=make_regression(save_frozen=False), objective=FIRST)
    assert steps(folder) == [2, 4, 6]


def test_a_canned_model(run, text_module, folder):
    import hub_estimator as hub

    estimator = functools.partial(estimator_class("DNNEstimator"), hidden_units=[4])
    columns = [hub.text_embedding_column("text", text_module)]
    run(model=CannedModel(estimator, head_class("RegressionHead")(), columns), objective=FIRST)
    assert len(steps(folder)) == 3 and steps(folder)[1:] == [4, 6]


def test_a_strategy(run, folder):
    strategy = functools.partial(tf.distribute.MirroredStrategy, ["/cpu:0"])
    run(distribute=strategy, objective=FIRST)
    assert steps(folder) == [2, 4, 6]


def test_a_saver_that_removes_none_lists_all(tmp_path):
    tf.compat.v1.get_variable("w", [2])
    with tf.compat.v1.Session() as session:
        saver = tf.compat.v1.train.Saver(max_to_keep=1)
        session.run(tf.compat.v1.global_variables_initializer())
        compat.keep_all(saver)
        for step in range(8):
            saver.save(session, str(tmp_path / "model.ckpt"), step)
    state = tf.train.get_checkpoint_state(str(tmp_path))
    assert len(state.all_model_checkpoint_paths) == 8


def test_a_hook_keeps_them_where_a_session_takes_no_listeners(folder):
    seen = []

    class Watch(tf.compat.v1.train.SessionRunHook):
        def before_run(self, run_context):
            seen.append(steps(folder))

    step = tf.compat.v1.train.get_or_create_global_step()
    count = tf.compat.v1.assign_add(step, 1)
    saver = tf.compat.v1.train.Saver(max_to_keep=1, defer_build=True, save_relative_paths=True)
    tf.compat.v1.add_to_collection(tf.compat.v1.GraphKeys.SAVERS, saver)
    keeping = Keeping(folder, 2, LAST)
    with tf.compat.v1.train.MonitoredTrainingSession(
        checkpoint_dir=folder.path, hooks=[KeepingHook(keeping), Watch()], save_checkpoint_steps=1,
        save_summaries_secs=None, log_step_count_steps=None,
    ) as session:  # fmt: skip
        for _ in range(7):
            session.run(count)
    # None is evaluated: two more wait for that.
    assert seen == [[0], [0, 1], [0, 1, 2], [0, 1, 2, 3], [1, 2, 3, 4], [2, 3, 4, 5], [3, 4, 5, 6]]
    assert steps(folder) == [3, 4, 5, 6, 7]
    keeping.remove_old()
    assert steps(folder) == [4, 5, 6, 7] and len(listed(folder)) == 4


@pytest.mark.slow
def test_a_run_that_is_killed_again_and_again(tmp_path):
    text_data.write_module(tmp_path / "module")
    text_data.write_data(tmp_path / "data.csv")
    settings = ["MODULE='module'", "TRAIN_DATA='data.csv'", "EVAL_DATA='data.csv'"]
    settings += ["Experiment.keep_checkpoints=1", "Experiment.eval_every_steps=3"]
    settings += [*text_data.LEAN, "Objective.higher_is_better=True"]
    command = [sys.executable, "-m", "hub_estimator.train", "--gin_file=smoke.gin"]
    command += ["--model_dir=model", *(f"--gin_bindings={setting}" for setting in settings)]
    environment = {**os.environ, "PYTHONPATH": ROOT}
    folder = ModelFolder(str(tmp_path / "model"))

    def train(max_steps, *flags):
        return subprocess.Popen(
            [*command, f"--gin_bindings=MAX_STEPS={max_steps}", *flags],
            cwd=tmp_path, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    for further in (3, 5, 8):
        goal = folder.latest_step() + further
        with train(10**6) as process:
            end = time.monotonic() + 120
            while folder.latest_step() < goal:
                assert time.monotonic() < end and process.poll() is None
                time.sleep(0.001)
            process.kill()
    last = folder.latest_step() + 3
    with train(last) as process:
        assert process.wait() == 0
    best = folder.best_evaluation(FIRST)
    assert best["loss"] == max(found["loss"] for found in folder.history().evaluations())
    assert steps(folder) == sorted({best["step"], last})
    assert {name.split(".")[1] for name in os.listdir(folder.path) if "ckpt-" in name} == {
        f"ckpt-{step}" for step in steps(folder)
    }
