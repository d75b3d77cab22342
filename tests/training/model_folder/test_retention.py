"""Which checkpoints stay, and what a process leaves that dies while it removes the others."""

from __future__ import annotations

import os

import pytest
import tensorflow as tf

from hub_estimator import files
from hub_estimator.training.model_folder import retention
from hub_estimator.training.model_folder.checkpoints import Checkpoint
from hub_estimator.training.objective import Objective

LOSS = Objective("loss")


@pytest.mark.parametrize(
    ("steps", "keep", "best", "evaluated", "gone"),
    [
        ([], 1, None, -1, []),
        ([1], 1, None, -1, []),
        ([1, 2, 3], 1, None, 3, [1, 2]),
        ([1, 2, 3], 1, 1, 3, [2]),
        ([1, 2, 3], 2, 1, 3, []),
        ([1, 2, 3, 4], 2, 4, 4, [1, 2]),  # the best is among the newest
        ([1, 2, 3, 4], 2, 7, 4, [1, 2]),
        ([1, 3, 2], 1, None, 3, [1, 3]),  # somebody chose an older one to go on from
        # Another process evaluates, and training is ahead of it.
        ([1, 2, 3, 4, 5, 6], 2, 2, 3, [1, 3]),
        ([1, 2, 3, 4, 5, 6], 2, 2, 5, [1, 3, 4]),
        ([1, 2, 3, 4, 5, 6], 2, 1, 1, [2]),  # far ahead: not all can stay
        ([1, 2, 3, 4, 5, 6], 2, None, -1, [1, 2]),  # the first is still to come
    ],
)
def test_the_newest_and_the_best_stay(steps, keep, best, evaluated, gone):
    listed = [Checkpoint(step, f"/m/model.ckpt-{step}") for step in steps]
    found = retention.superfluous(listed, keep, best, evaluated)
    assert [checkpoint.step for checkpoint in found] == gone


@pytest.fixture
def saved(folder):
    """A folder with the checkpoints of steps 1 to 5, all listed; that of step 2 is the best."""
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        tf.compat.v1.get_variable("w", [2])
        session.run(tf.compat.v1.global_variables_initializer())
        saver = tf.compat.v1.train.Saver(save_relative_paths=True)
        for step in range(1, 6):
            saver.save(session, os.path.join(folder.path, "model.ckpt"), step)
            metrics = {"global_step": step, "loss": 0.1 if step == 2 else 1.0, "auc": None}
            folder.history().record(f"model.ckpt-{step}", metrics)
    return folder


def steps(folder):
    return [checkpoint.step for checkpoint in folder.checkpoints()]


def listed(folder):
    state = tf.train.get_checkpoint_state(folder.path)
    return [os.path.basename(path) for path in state.all_model_checkpoint_paths]


def files_of(folder):
    return {name.split(".")[1] for name in os.listdir(folder.path) if "ckpt" in name}


def test_removal(saved):
    saved.remove_old_checkpoints(2, LOSS)
    assert steps(saved) == [2, 4, 5]
    assert files_of(saved) == {"ckpt-2", "ckpt-4", "ckpt-5"}
    assert listed(saved) == ["model.ckpt-2", "model.ckpt-4", "model.ckpt-5"]
    assert tf.train.latest_checkpoint(saved.path) == f"{saved.path}/model.ckpt-5"
    assert saved.best(LOSS).step == 2 and saved.mend_checkpoint_list() == 5
    before = os.stat(f"{saved.path}/checkpoint")
    saved.remove_old_checkpoints(2, LOSS)
    assert os.stat(f"{saved.path}/checkpoint") == before


@pytest.mark.parametrize(
    ("objective", "left"),
    [
        (Objective("loss", higher_is_better=True), [1, 5]),  # the earliest of equal ones
        (Objective("accuracy"), [5]),  # an objective that no evaluation has yet
        (Objective("auc"), [5]),  # which is nowhere a number
    ],
)
def test_another_objective_than_before(saved, objective, left):
    saved.remove_old_checkpoints(1, objective)
    assert steps(saved) == left


def test_what_training_does_not_list_stays(saved):
    names = "".join(f'all_model_checkpoint_paths: "model.ckpt-{n}"\n' for n in (3, 4, 5))
    with open(f"{saved.path}/checkpoint", "w") as file:
        file.write(f'model_checkpoint_path: "model.ckpt-5"\n{names}')
    saved.remove_old_checkpoints(1, LOSS)
    assert steps(saved) == [1, 2, 5] and listed(saved) == ["model.ckpt-5"]


def test_the_one_that_training_goes_on_from_stays(saved):
    names = "".join(f'all_model_checkpoint_paths: "model.ckpt-{n}"\n' for n in range(1, 6))
    with open(f"{saved.path}/checkpoint", "w") as file:
        file.write(f'model_checkpoint_path: "model.ckpt-3"\n{names}')
    saved.history().forget_after(3)
    saved.remove_old_checkpoints(1, LOSS)
    assert 3 in steps(saved)
    assert tf.train.latest_checkpoint(saved.path) == f"{saved.path}/model.ckpt-3"


class Killed(BaseException):
    """What no code catches, as a process that is killed catches nothing."""


@pytest.mark.parametrize("calls", range(10))
def test_a_process_that_dies_meanwhile_leaves_what_the_next_one_removes(saved, calls, monkeypatch):
    done = []

    def dying(function):
        def call(*arguments):
            if len(done) == calls:
                raise Killed
            done.append(arguments)
            return function(*arguments)

        return call

    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr(files, "remove", dying(files.remove))
        patched.setattr(files, "write_text", dying(files.write_text))
        saved.remove_old_checkpoints(1, LOSS)  # three files each of steps 1, 3 and 4, and the list
    assert saved.best(LOSS).step == 2
    assert saved.mend_checkpoint_list() == 5
    saved.remove_old_checkpoints(1, LOSS)
    assert steps(saved) == [2, 5] and files_of(saved) == {"ckpt-2", "ckpt-5"}
    assert tf.train.latest_checkpoint(saved.path) == f"{saved.path}/model.ckpt-5"


def test_a_file_that_cannot_be_removed_is_no_fault_of_the_training(saved, monkeypatch, caplog):
    remove = files.remove

    def refusing(path):
        if path.endswith("-1.index"):
            raise PermissionError(13, "Permission denied", path)
        remove(path)

    monkeypatch.setattr(files, "remove", refusing)
    saved.remove_old_checkpoints(1, LOSS)
    assert steps(saved) == [1, 2, 5] and listed(saved) == ["model.ckpt-2", "model.ckpt-5"]
    assert tf.train.load_variable(f"{saved.path}/model.ckpt-1", "w").shape == (2,)
    assert caplog.messages == [
        (
            f"model.ckpt-1.index in {saved.path} cannot be removed: [Errno 13] Permission denied: "
            f"'{saved.path}/model.ckpt-1.index'."
        )
    ]


def test_a_reader_keeps_what_is_removed_meanwhile(saved):
    with saved.pinned(saved.at(4)) as pinned:
        saved.remove_old_checkpoints(1, LOSS)
        assert tf.train.load_variable(pinned.path, "w").shape == (2,)
    assert steps(saved) == [2, 5]
