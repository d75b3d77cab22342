"""From which checkpoint training goes on, and what becomes of the rest."""

from __future__ import annotations

import os
import shutil

import pytest
import tensorflow as tf

from hub_estimator import errors
from hub_estimator.training.model_folder import checkpoints
from hub_estimator.training.model_folder.checkpoint_names import step_of
from hub_estimator.training.model_folder.model_folder import ModelFolder


@pytest.fixture
def saved(folder):
    """A folder with the checkpoints of steps 1, 2 and 3, all listed."""
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        tf.compat.v1.get_variable("w", [2])
        session.run(tf.compat.v1.global_variables_initializer())
        saver = tf.compat.v1.train.Saver(save_relative_paths=True)
        for step in (1, 2, 3):
            saver.save(session, os.path.join(folder.path, "model.ckpt"), step)
    return folder


def empty(folder, step, ending="index"):
    with open(f"{folder.path}/model.ckpt-{step}.{ending}", "w"):
        pass


def write_list(folder, text):
    with open(f"{folder.path}/checkpoint", "w") as file:
        file.write(text)


def latest(folder):
    path = tf.train.latest_checkpoint(folder.path)
    return path and os.path.basename(path)


@pytest.mark.parametrize(
    ("path", "step"),
    [
        ("model.ckpt-12", 12),
        ("/a/model.ckpt-12.index", 12),
        ("model.ckpt-0.data-00000-of-00001", 0),
        ("model.ckpt-12.meta", 12),
        ("model.ckpt-", None),
        ("model.ckpt-1x", None),
        ("model.ckpt-12.tmp", None),
        ("12", None),
        ("best", None),
    ],
)
def test_steps_of_names(path, step):
    assert step_of(path) == step


def test_a_folder_in_which_all_is_well_stays_as_it_is(saved):
    before = {name: os.stat(f"{saved.path}/{name}") for name in os.listdir(saved.path)}
    assert saved.mend_checkpoint_list() == 3
    after = {name: os.stat(f"{saved.path}/{name}") for name in os.listdir(saved.path)}
    assert {name: each.st_mtime_ns for name, each in before.items()} == {
        name: each.st_mtime_ns for name, each in after.items()
    }


def test_a_damaged_one_is_passed_over_and_stays(saved, caplog):
    empty(saved, 3)
    empty(saved, 2, "data-00000-of-00001")
    assert saved.mend_checkpoint_list() == 1
    start = (
        "The checkpoint of step %d in " + saved.path + " is damaged: model.ckpt-%d.%s is empty. "
    )
    assert caplog.messages == [
        start % (3, 3, "index") + "Training goes on from that of step 1.",
        start % (2, 2, "data-00000-of-00001") + "Training goes on from that of step 1.",
    ]
    assert latest(saved) == "model.ckpt-1"
    state = tf.train.get_checkpoint_state(saved.path)  # what is listed is removed in time
    assert len(state.all_model_checkpoint_paths) == 1
    assert [each.step for each in saved.checkpoints()] == [1, 2, 3]


def test_none_is_whole(saved):
    for step in (1, 2, 3):
        empty(saved, step)
    before = sorted(os.listdir(saved.path))
    with pytest.raises(errors.DamagedCheckpointError) as caught:
        saved.mend_checkpoint_list()
    assert str(caught.value) == (
        f"No checkpoint in {saved.path!r} is whole: model.ckpt-3.index is empty; "
        "model.ckpt-2.index is empty; model.ckpt-1.index is empty. Put a whole one there, or choose "
        "another model folder; to train anew in this one, remove its checkpoints."
    )
    assert sorted(os.listdir(saved.path)) == before


@pytest.mark.parametrize("content", ["", "\0\0\0", "model_checkpoint_path: 3", 'x: "model.ckpt-1"'])
def test_a_list_that_is_damaged(saved, content):
    write_list(saved, content)
    assert saved.mend_checkpoint_list() == 3
    assert latest(saved) == "model.ckpt-3"
    assert len(tf.train.get_checkpoint_state(saved.path).all_model_checkpoint_paths) == 3


def test_a_list_that_names_others(saved):
    write_list(saved, 'model_checkpoint_path: "/elsewhere/other-7"\n')
    assert saved.mend_checkpoint_list() == 3
    assert latest(saved) == "model.ckpt-3"


def test_a_list_that_names_one_whose_index_is_lost(saved, caplog):
    os.remove(f"{saved.path}/model.ckpt-3.index")
    assert saved.mend_checkpoint_list() == 2
    assert "is damaged: model.ckpt-3.index is missing." in caplog.text
    assert latest(saved) == "model.ckpt-2"


def test_a_list_of_a_folder_without_checkpoints(folder):
    os.mkdir(folder.path)
    write_list(folder, "")
    assert folder.mend_checkpoint_list() == 0
    assert os.listdir(folder.path) == []  # TensorFlow takes no empty list


def test_one_that_was_saved_and_not_yet_listed(saved):
    write_list(saved, 'model_checkpoint_path: "model.ckpt-2"\n')
    assert saved.mend_checkpoint_list() == 3
    assert latest(saved) == "model.ckpt-3"


def test_an_older_one_that_somebody_chose(saved):
    names = "".join(f'all_model_checkpoint_paths: "model.ckpt-{n}"\n' for n in (1, 2, 3))
    write_list(saved, f'model_checkpoint_path: "model.ckpt-2"\n{names}')
    assert saved.mend_checkpoint_list() == 2
    assert latest(saved) == "model.ckpt-2"


def test_a_copy_of_a_folder_leaves_the_checkpoints_of_the_other(saved, tmp_path):
    names = "".join(f'all_model_checkpoint_paths: "{saved.path}/model.ckpt-{n}"\n' for n in (2, 3))
    write_list(saved, f'model_checkpoint_path: "{saved.path}/model.ckpt-3"\n{names}')
    copy = ModelFolder(str(tmp_path / "copy"))
    shutil.copytree(saved.path, copy.path)
    assert copy.mend_checkpoint_list() == 3
    state = tf.train.get_checkpoint_state(copy.path)
    assert list(state.all_model_checkpoint_paths) == [
        f"{copy.path}/model.ckpt-2", f"{copy.path}/model.ckpt-3",
    ]  # fmt: skip


def test_what_killed_processes_left_goes(saved):
    before = set(os.listdir(saved.path))
    os.mkdir(f"{saved.path}/model.ckpt-4_temp")
    left = [
        "model.ckpt-4_temp/part-00000-of-00001.index",
        "model.ckpt-4.index.tempstate123456",
        "checkpoint.tmp0123abcd",
        "graph.pbtxt.tmp0123abcd",
        "model.ckpt-0.data-00000-of-00001",  # whose index was removed first
        "model.ckpt-0.meta",
    ]
    others = ["model.ckpt-4.data-00000-of-00001", "model.ckpt-4_temp.txt", "notes.tmp", "a.meta"]
    for name in left + others:
        with open(f"{saved.path}/{name}", "w"):
            pass
    assert saved.mend_checkpoint_list() == 3
    assert set(os.listdir(saved.path)) == before | set(others)


def test_where_there_is_nothing(folder):
    assert checkpoints.resumption(folder.path) == checkpoints.Resumption(None, {})
    assert folder.mend_checkpoint_list() == 0
    assert not os.path.exists(folder.path)
