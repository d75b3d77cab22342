"""Two exports to one place, and what is in a folder already."""

from __future__ import annotations

import pytest
import tensorflow as tf

import hub_estimator as hub

tf1 = tf.compat.v1


def _spec():
    def module_fn():
        hub.add_signature(outputs=tf1.get_variable("w", [], initializer=tf1.ones_initializer()))

    return hub.create_module_spec(module_fn)


def test_an_export_that_ends_later_leaves_the_first(tmp_path):
    path = tmp_path / "module"
    spec = _spec()

    def write_slowly(prefix):
        (path / "variables").mkdir(parents=True)
        (path / "tfhub_module.pb").write_text("of another process")
        (tmp_path / "written").touch()

    with pytest.raises(tf.errors.AlreadyExistsError) as caught:
        spec.write(path, write_slowly)
    assert str(caught.value) == (
        f"There is a module at {path} already, and it is never overwritten. Export to another "
        "folder, or remove that one first."
    )
    assert (path / "tfhub_module.pb").read_text() == "of another process"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["module", "written"]


def test_foreign_files_under_a_name_of_the_module(tmp_path):
    path = tmp_path / "module"
    (path / "variables").mkdir(parents=True)
    (path / "variables" / "mine.txt").touch()
    with tf1.Session() as session:
        module = hub.Module(_spec())
        session.run(tf1.global_variables_initializer())
        with pytest.raises(hub.errors.ExportError) as caught:
            module.export(path, session)
    assert str(caught.value) == (
        f"A module cannot be written to {path}: There is already 'variables' in {path}. "
        "Give another folder."
    )
    assert [file.name for file in path.rglob("*")] == ["variables", "mine.txt"]


def test_one_asset_under_two_spellings_is_stored_once(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "words.txt").write_text("a\n")

    def module_fn():
        for path in ("words.txt", "./words.txt"):
            tf1.add_to_collection(tf1.GraphKeys.ASSET_FILEPATHS, tf.constant(path))
        hub.add_signature(outputs=tf.constant(1))

    spec = hub.create_module_spec(module_fn)
    monkeypatch.chdir("/")
    with tf1.Session() as session:
        hub.Module(spec).export(tmp_path / "module", session)
    assert [file.name for file in (tmp_path / "module/assets").iterdir()] == ["words.txt"]


def test_a_checkpoint_that_is_not_there(tmp_path):
    for path in (tmp_path, tmp_path / "model.ckpt-1"):
        with pytest.raises(hub.errors.CheckpointPathError) as caught:
            _spec().export(tmp_path / "module", checkpoint_path=path)
        assert isinstance(caught.value, tf.errors.NotFoundError)
        assert str(caught.value) == (
            f"There is no checkpoint at {str(path)!r}. Give its prefix, for example what "
            "tf.train.latest_checkpoint(model_dir) returns."
        )
