"""What is in a model folder, also one that was moved or is in use."""

from __future__ import annotations

import errno
import os
import shutil

import pytest
import tensorflow as tf

from hub_estimator import errors, files
from hub_estimator.training.model_folder.model_folder import ModelFolder
from hub_estimator.training.objective import Objective


@pytest.fixture
def folder(tmp_path) -> ModelFolder:
    return ModelFolder(str(tmp_path / "model"))


def save(folder, *steps):
    """Writes small checkpoints as an Estimator does."""
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        tf.compat.v1.train.create_global_step()
        saver = tf.compat.v1.train.Saver()
        session.run(tf.compat.v1.global_variables_initializer())
        for step in steps:
            saver.save(session, os.path.join(folder.path, "model.ckpt"), global_step=step)


def message_of(function, *arguments):
    with pytest.raises(errors.ModelFolderError) as caught:
        function(*arguments)
    return str(caught.value)


def test_where_things_are(folder):
    path = folder.path
    assert folder.operative_config == f"{path}/operative_config.gin"
    assert folder.profile == f"{path}/profile"
    assert folder.export("best") == f"{path}/export/best"
    assert (folder.report(), folder.report("test")) == (f"{path}/report", f"{path}/report_test")
    assert (folder.evaluation(), folder.evaluation("test")) == (f"{path}/eval", f"{path}/eval_test")
    assert folder.history().path == f"{path}/metrics.jsonl"
    assert folder.history("test").path == f"{path}/metrics_test.jsonl"


def test_a_folder_in_which_nothing_ran(folder):
    assert message_of(folder.check) == f"There is no model folder {folder.path!r}."
    os.mkdir(folder.path)
    assert message_of(folder.check) == (
        f"The folder {folder.path!r} has no operative_config.gin. Give the --model_dir of a run of "
        "hub_estimator.train."
    )
    assert message_of(folder.latest) == (
        f"The model folder {folder.path!r} has no checkpoint. Train first, with "
        "hub_estimator.train."
    )


def test_checkpoints_in_the_order_of_their_steps(folder):
    save(folder, 2, 10)
    assert [each.step for each in folder.checkpoints()] == [2, 10]
    assert folder.latest().path == f"{folder.path}/model.ckpt-10"
    assert folder.at(2).path == f"{folder.path}/model.ckpt-2"
    assert message_of(folder.at, 3) == (
        f"The model folder {folder.path!r} has no checkpoint of step 3. It has those of 2, 10."
    )


def test_the_best_is_one_that_is_still_there(folder):
    save(folder, 2, 3)
    for step, loss in ((1, 0.1), (2, 0.3), (3, 0.2)):
        folder.history().record(f"model.ckpt-{step}", {"global_step": step, "loss": loss})
    assert folder.best(Objective("loss")).step == 3
    assert folder.best(Objective("loss", higher_is_better=True)).step == 2


def test_a_best_one_that_is_gone_is_said(folder, caplog):
    save(folder, 2, 3, 4)
    for step, accuracy in ((1, 0.892), (2, 0.87), (3, 0.883)):
        folder.history().record(f"model.ckpt-{step}", {"global_step": step, "accuracy": accuracy})
    assert folder.best(Objective("accuracy")).step == 3
    assert caplog.messages == [
        (
            "The best evaluation by accuracy is that of step 1, 0.8920, but its checkpoint was removed "
            f"from {folder.path}. Taken is the best of those that are left: step 3, 0.8830."
        )
    ]
    for name in os.listdir(folder.path):
        if name.startswith(("model.ckpt-2", "model.ckpt-3")):
            os.remove(f"{folder.path}/{name}")
    assert message_of(folder.best, Objective("accuracy")) == (
        f"Of the checkpoints in {folder.path!r}, none was evaluated by 'accuracy': those that were "
        "are removed. Evaluate what is left (step 4) with hub_estimator.evaluate --checkpoint=all."
    )


def test_one_as_good_as_the_one_that_is_gone(folder, caplog):
    save(folder, 2)
    for step in (1, 2):
        folder.history().record(f"model.ckpt-{step}", {"global_step": step, "loss": 0.5})
    assert folder.best(Objective("loss")).step == 2 and caplog.messages == []


def test_a_folder_that_was_moved(folder, tmp_path):
    save(folder, 2, 3)
    moved = ModelFolder(str(tmp_path / "moved"))
    shutil.move(folder.path, moved.path)
    assert moved.latest().path == f"{moved.path}/model.ckpt-3"
    assert tf.train.latest_checkpoint(moved.path) is None
    moved.mend_checkpoint_list()
    assert tf.train.latest_checkpoint(moved.path) == f"{moved.path}/model.ckpt-3"
    state = tf.train.get_checkpoint_state(moved.path)
    assert len(state.all_model_checkpoint_paths) == 2


def test_checkpoints_that_are_still_being_written(folder):
    assert folder.finished_checkpoints() == []
    save(folder, 2, 3)
    shutil.copy(f"{folder.path}/model.ckpt-3.index", f"{folder.path}/model.ckpt-4.index")
    assert [each.step for each in folder.finished_checkpoints()] == [2, 3]


def test_a_list_of_checkpoints_that_is_right_stays(folder):
    save(folder, 2)
    before = os.stat(f"{folder.path}/checkpoint")
    folder.mend_checkpoint_list()
    assert os.stat(f"{folder.path}/checkpoint") == before
    ModelFolder(f"{folder.path}/nothing").mend_checkpoint_list()
    assert not os.path.exists(f"{folder.path}/nothing")


def test_a_pinned_checkpoint_outlives_its_removal(folder):
    save(folder, 2)
    with folder.pinned(folder.latest()) as pinned:
        for name in os.listdir(folder.path):
            if name.startswith("model.ckpt-2."):
                os.remove(f"{folder.path}/{name}")
        assert pinned.step == 2
        assert tf.train.load_variable(pinned.path, "global_step") == 0
    assert os.listdir(folder.path) == ["checkpoint"]


def test_a_full_disk_is_not_a_checkpoint_that_is_gone(folder, monkeypatch):
    def full(source, target):
        raise OSError(errno.ENOSPC, "No space left on device")

    save(folder, 2)
    monkeypatch.setattr(files, "link_or_copy", full)
    with pytest.raises(OSError, match="No space left"), folder.pinned(folder.latest()):
        pass
    assert not [name for name in os.listdir(folder.path) if name.startswith(".")]


def test_a_checkpoint_that_is_gone_already(folder):
    save(folder, 2)
    checkpoint = folder.latest()
    shutil.rmtree(folder.path)
    os.mkdir(folder.path)
    with pytest.raises(errors.CheckpointGoneError) as caught, folder.pinned(checkpoint):
        pass
    assert str(caught.value) == (
        f"The checkpoint '{folder.path}/model.ckpt-2' was removed meanwhile. Choose a later one, "
        "or raise Experiment.keep_checkpoints."
    )
    assert os.listdir(folder.path) == []


@pytest.mark.parametrize(
    "names", [("no", "yes, \n or so"), {"topic": ("a", "b"), "tone": ("c", "d")}]
)
def test_class_names(folder, names):
    assert folder.class_names() is None
    folder.save_class_names(names)
    assert folder.class_names() == names
    folder.check_class_names(names)
    folder.check_class_names(None)


def test_no_class_names_are_no_file(folder):
    folder.save_class_names(None)
    assert not os.path.exists(folder.path)


@pytest.mark.parametrize(
    ("before", "now", "shown"),
    [
        (("a", "b"), ("b", "a"), "a, b; the data now has b, a"),
        (
            tuple("abcdefghijkl"),
            ("a",),
            "a, b, c, d, e, f, g, h, i, j, ... (12); the data now has a",
        ),
        ({"x": ("a", "b")}, {"x": ("b",), "y": ("c",)}, "x: a, b; the data now has x: b; y: c"),
    ],
)
def test_other_class_names(folder, before, now, shown):
    folder.save_class_names(before)
    assert message_of(folder.check_class_names, now) == (
        f"The model in {folder.path!r} was trained on the classes {shown}. Give it the same "
        "classes in the same order, or choose another model folder."
    )


@pytest.mark.parametrize(
    "content, reason",
    [("3", "'int' object is not iterable"), ("[" * 100_000, "it is nested too deeply")],
)
def test_damaged_class_names(folder, content, reason):
    os.mkdir(folder.path)
    path = f"{folder.path}/class_names.json"
    with open(path, "w") as file:
        file.write(content)
    assert message_of(folder.class_names) == (
        f"{path!r} does not hold the names of classes: {reason}. Correct or remove it."
    )
