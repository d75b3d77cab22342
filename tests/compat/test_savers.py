"""When checkpoints are flushed to the disk."""

from __future__ import annotations

import os

import pytest
import tensorflow as tf

from hub_estimator import compat, files

tf1 = tf.compat.v1


@pytest.fixture
def flushed(monkeypatch):
    """What is flushed, and what the folder has at that moment: its entries and its list."""
    seen = []

    def note(path):
        folder = path if os.path.isdir(path) else os.path.dirname(path)
        state = tf.train.get_checkpoint_state(folder)
        latest = os.path.basename(state.model_checkpoint_path) if state else None
        seen.append((os.path.basename(path), latest, sorted(os.listdir(folder))))

    monkeypatch.setattr(files, "flush_file", note)
    monkeypatch.setattr(files, "flush_folder", note)
    return seen


def test_a_checkpoint_is_flushed_before_the_list_names_it_and_older_ones_go(tmp_path, flushed):
    tf1.get_variable("w", [2])
    folder = tmp_path / "model"
    folder.mkdir()
    with tf1.Session() as session:
        saver = compat.FlushedSaver(max_to_keep=1, sharded=True)
        session.run(tf1.global_variables_initializer())
        saver.save(session, str(folder / "model.ckpt"), 1)
        flushed.clear()
        saver.save(session, str(folder / "model.ckpt"), 2)
    names = [name for name, _, _ in flushed]
    assert names == ["model.ckpt-2.data-00000-of-00001", "model.ckpt-2.index", "model"]
    for _, latest, there in flushed:
        assert latest == "model.ckpt-1" and "model.ckpt-1.index" in there
    there = os.listdir(folder)
    assert "model.ckpt-1.index" not in there and "model.ckpt-2.index" in there
    assert tf.train.latest_checkpoint(str(folder)) == str(folder / "model.ckpt-2")


def test_a_checkpoint_in_the_working_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tf1.get_variable("w", [2])
    with tf1.Session() as session:
        saver = compat.FlushedSaver()
        session.run(tf1.global_variables_initializer())
        saver.save(session, "model.ckpt", 1)
    assert tf.train.latest_checkpoint(".") == "./model.ckpt-1"
