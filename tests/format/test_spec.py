"""`ModuleSpec.export`: a module with the values of a checkpoint."""

from __future__ import annotations

import os
import pathlib

import numpy as np
import pytest
import tensorflow as tf

import hub_estimator as hub
from hub_estimator import errors
from tests import modules
from tests.modules import X23, tf1


@pytest.fixture
def spec():
    return modules.define(hub, "dense", "")


@pytest.fixture
def checkpoint(spec, tmp_path):
    """A training checkpoint, with much that the module does not have."""
    module = hub.Module(spec, name="encoder", trainable=True)
    tf1.get_variable("head/w", [2])
    loss = tf.reduce_sum(module(X23))
    step = tf1.train.get_or_create_global_step()
    train = tf1.train.AdamOptimizer(0.1).minimize(loss, global_step=step)
    with tf1.Session() as session:
        modules.initialize(session)
        session.run(train)
        return tf1.train.Saver().save(session, str(tmp_path / "model.ckpt"), 1)


def _encoder(name):
    return f"encoder/{name}"


@pytest.mark.parametrize("convert", [str, os.fsencode, pathlib.Path])
def test_training_checkpoints(spec, checkpoint, tmp_path, convert):
    path = tmp_path / "module"
    spec.export(convert(str(path)), checkpoint_path=convert(checkpoint), name_transform_fn=_encoder)
    expected = tf.train.load_checkpoint(checkpoint)
    reader = tf.train.load_checkpoint(str(path / "variables" / "variables"))
    assert sorted(reader.get_variable_to_shape_map()) == ["b", "w"]
    for name in ("b", "w"):
        np.testing.assert_array_equal(
            reader.get_tensor(name), expected.get_tensor(f"encoder/{name}")
        )
    module = hub.Module(path)
    assert sorted(module.variable_map) == ["b", "w"]


def test_a_module_read_from_disk_with_other_values(spec, checkpoint, tmp_path):
    first = modules.export(hub, spec, str(tmp_path / "first"))
    loaded = hub.load_module_spec(first)
    loaded.export(tmp_path / "second", checkpoint_path=checkpoint, name_transform_fn=_encoder)
    calls = modules.CASES["dense"].calls
    assert modules.outputs(hub, first, calls) != modules.outputs(hub, tmp_path / "second", calls)


def test_a_module_without_variables(checkpoint, tmp_path):
    spec = modules.define(hub, "key_value_table", "")
    spec.export(tmp_path / "module", checkpoint_path=checkpoint)
    assert sorted(os.listdir(tmp_path / "module")) == ["saved_model.pb", "tfhub_module.pb"]


def test_no_checkpoint_given(spec, checkpoint, tmp_path):
    for args in (
        lambda: spec.export(tmp_path / "module"),
        lambda: spec.export(tmp_path / "module", checkpoint),
    ):
        with pytest.raises(errors.CheckpointPathError) as raised:
            args()
        assert isinstance(raised.value, ValueError)
        assert str(raised.value) == (
            "ModuleSpec.export needs the checkpoint to take the variables' values from: "
            "spec.export(path, checkpoint_path=...)."
        )


def test_a_missing_checkpoint(spec, tmp_path):
    with pytest.raises(errors.Error) as raised:
        spec.export(tmp_path / "module", checkpoint_path=str(tmp_path / "nothing"))
    assert isinstance(raised.value, tf.errors.NotFoundError)
    assert str(raised.value) == (
        f"There is no checkpoint at '{tmp_path}/nothing'. Give its prefix, for example what "
        "tf.train.latest_checkpoint(model_dir) returns."
    )
    assert os.listdir(tmp_path) == []


def test_a_missing_variable(spec, checkpoint, tmp_path):
    before = os.listdir(tmp_path)
    with pytest.raises(errors.CheckpointMismatchError) as raised:
        spec.export(
            tmp_path / "module", checkpoint_path=checkpoint, name_transform_fn=lambda n: f"x/{n}"
        )
    message = str(raised.value)
    assert message.startswith(f"The checkpoint {checkpoint} has no variable 'x/")
    assert "which the module's variable" in message
    assert "'encoder/w'" in message
    assert message.endswith("Where the names differ, pass name_transform_fn.")
    assert os.listdir(tmp_path) == before


def test_another_shape_or_type(spec, tmp_path):
    for w, text in ((np.zeros([5]), "float64 (5,)"), (np.int32([[1]]), "int32 (1, 1)")):
        with tf.Graph().as_default():
            tf1.Variable(w, name="w")
            tf1.Variable(np.float32([1, 2]), name="b")
            with tf1.Session() as session:
                modules.initialize(session)
                prefix = tf1.train.Saver().save(session, str(tmp_path / "model"))
        with pytest.raises(errors.CheckpointMismatchError) as raised:
            spec.export(tmp_path / "module", checkpoint_path=prefix)
        assert isinstance(raised.value, ValueError)
        assert str(raised.value) == (
            f"The variable 'w' is {text} in the checkpoint {prefix}, but float32 (3, 2) in the "
            "module."
        )
        assert not (tmp_path / "module").exists()


def test_over_a_module(spec, checkpoint, tmp_path):
    spec.export(tmp_path / "module", checkpoint_path=checkpoint, name_transform_fn=_encoder)
    with pytest.raises(tf.errors.AlreadyExistsError):
        spec.export(tmp_path / "module", checkpoint_path=checkpoint, name_transform_fn=_encoder)
