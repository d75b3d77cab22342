"""The names of checkpoints, of their files, and the list of those in a folder."""

from __future__ import annotations

import os
import shutil

import pytest
import tensorflow as tf

import hub_estimator as hub
from hub_estimator import errors, files
from hub_estimator.format import checkpoint_paths
from tests import modules
from tests.modules import tf1


@pytest.fixture
def folder(tmp_path):
    """A folder with two checkpoints that a saver wrote and listed with absolute paths."""
    path = tmp_path / "größe"
    tf1.get_variable("w", [3, 2])
    tf1.get_variable("b", [2])
    with tf1.Session() as session:
        modules.initialize(session)
        saver = tf1.train.Saver()
        for step in (1, 2):
            saver.save(session, str(path / "my ckpt"), step)
    return str(path)


def test_the_list_that_a_saver_wrote(folder):
    listed = checkpoint_paths.read_list(folder)
    assert listed.names == ["my ckpt-1", "my ckpt-2"] and listed.latest == "my ckpt-2"
    assert listed.paths == (f"{folder}/my ckpt-1", f"{folder}/my ckpt-2")
    assert listed.is_of(folder) and not listed.is_of(f"{folder}/x")


def test_a_list_that_is_written_here(folder):
    checkpoint_paths.write_list(folder, ["my ckpt-2", "my ckpt-1"])
    state = tf.train.get_checkpoint_state(folder)
    assert state.model_checkpoint_path == f"{folder}/my ckpt-1"
    assert list(state.all_model_checkpoint_paths) == [f"{folder}/my ckpt-2", f"{folder}/my ckpt-1"]
    listed = checkpoint_paths.read_list(folder)
    assert listed.latest == "my ckpt-1" and listed.is_of(folder)


@pytest.mark.parametrize(
    "content", [b"", b"\0" * 100, b"\xff\xfe\x80", b"a: {", b"[" * 10_000, b"{}", b'model: "x"']
)
def test_a_list_that_is_none(tmp_path, content):
    (tmp_path / "checkpoint").write_bytes(content)
    assert checkpoint_paths.read_list(str(tmp_path)) == checkpoint_paths.CheckpointList()
    checkpoint_paths.remove_list(str(tmp_path))
    assert os.listdir(tmp_path) == []


def test_a_list_that_is_a_folder_or_not_there(tmp_path):
    assert checkpoint_paths.read_list(str(tmp_path)).latest is None
    (tmp_path / "checkpoint").mkdir()
    assert checkpoint_paths.read_list(str(tmp_path)).latest is None
    checkpoint_paths.remove_list(str(tmp_path))
    assert os.listdir(tmp_path) == ["checkpoint"]


def test_a_list_without_the_one_that_is_latest(tmp_path):
    (tmp_path / "checkpoint").write_text('model_checkpoint_path: "a-3"\n')
    listed = checkpoint_paths.read_list(str(tmp_path))
    assert listed.names == ["a-3"] and listed.latest == "a-3"


@pytest.mark.parametrize("ending", ["", ".index", ".meta", ".data-00000-of-00001"])
def test_every_file_of_a_checkpoint_names_it(folder, ending):
    prefix = f"{folder}/my ckpt-1"
    assert checkpoint_paths.as_prefix(f"{prefix}{ending}") == prefix


def test_a_folder_is_its_latest_checkpoint_also_once_it_has_moved(folder, tmp_path):
    assert checkpoint_paths.as_prefix(folder) == f"{folder}/my ckpt-2"
    moved = str(tmp_path / "moved")
    shutil.move(folder, moved)
    assert checkpoint_paths.as_prefix(moved) == f"{moved}/my ckpt-2"
    assert checkpoint_paths.as_prefix(folder) == folder


@pytest.mark.parametrize("named", ["index", "meta", "data-00000-of-00001", "folder"])
def test_a_module_is_exported_from_what_names_a_checkpoint(folder, tmp_path, named):
    path = folder if named == "folder" else f"{folder}/my ckpt-2.{named}"
    modules.define(hub, "dense", "").export(tmp_path / "module", checkpoint_path=path)
    values = tf.train.load_checkpoint(str(tmp_path / "module" / "variables" / "variables"))
    expected = tf.train.load_checkpoint(f"{folder}/my ckpt-2").get_tensor("w")
    assert values.get_tensor("w").tolist() == expected.tolist()


def test_what_there_is_where_no_checkpoint_is(folder, tmp_path):
    with pytest.raises(errors.CheckpointPathError) as caught:
        modules.define(hub, "dense", "").export(
            tmp_path / "module", checkpoint_path=f"{folder}/my ckpt-3"
        )
    assert str(caught.value) == (
        f"There is no checkpoint at '{folder}/my ckpt-3'. Give its prefix, for example what "
        f"tf.train.latest_checkpoint(model_dir) returns. In '{folder}' there are: my ckpt-1, "
        "my ckpt-2."
    )
    assert not files.exists(str(tmp_path / "module"))
