"""A module with the values that a training gave it: found in the training's checkpoint."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

import hub_estimator as hub
from tests import modules
from tests.conversion import objects
from tests.modules import X23, tf1


@pytest.fixture
def module(tmp_path):
    return modules.export(hub, modules.define(hub, "dense", ""), str(tmp_path / "module"))


def trained(module, folder, scopes):
    """Writes a checkpoint of a training with the module, once under each scope; all weights are 7."""
    with tf.Graph().as_default(), tf1.Session() as session:
        step = tf1.train.create_global_step()
        made = [hub.Module(module, trainable=True, name=scope) for scope in scopes]
        loss = tf.add_n([tf.reduce_sum(one(tf.constant(X23))) for one in made])
        tf1.train.AdamOptimizer().minimize(loss, step)
        modules.initialize(session)
        session.run([variable.assign(7.0 + 0 * variable) for variable in made[0].variables])
        return tf1.train.Saver().save(session, str(folder / "model.ckpt"), step)


EXPECTED = {"default": (X23 @ np.full([3, 2], 7.0) + 7).tolist()}


@pytest.mark.parametrize("scope", [None, "encoder/text", "encoder/text/"])
def test_the_values_of_a_training(module, tmp_path, scope):
    (tmp_path / "model").mkdir()
    prefix = trained(module, tmp_path / "model", ["encoder/text"])
    for number, checkpoint in enumerate((prefix, tmp_path / "model")):
        made = hub.convert(
            module, tmp_path / str(number), to="tf1", checkpoint_path=checkpoint, scope=scope
        )
        assert objects.outputs(made.path, {"default": X23}) == EXPECTED


def test_variables_with_their_own_names(module, tmp_path):
    checkpoint = str(tmp_path / "module" / "variables" / "variables")
    made = hub.convert(module, tmp_path / "same", to="tf1", checkpoint_path=checkpoint)
    assert objects.outputs(made.path, {"default": X23}) == objects.outputs(module, {"default": X23})


def test_several_scopes(module, tmp_path):
    prefix = trained(module, tmp_path, ["one", "two"])
    with pytest.raises(hub.errors.CheckpointScopeError) as caught:
        hub.convert(module, tmp_path / "made", to="tf1", checkpoint_path=prefix)
    assert str(caught.value) == (
        f"The checkpoint {prefix} has all variables of the module in several scopes: 'one', 'two'. Say "
        "which one: scope=... (--scope)."
    )
    made = hub.convert(module, tmp_path / "made", to="tf1", checkpoint_path=prefix, scope="one")
    assert objects.outputs(made.path, {"default": X23}) == EXPECTED


def test_a_checkpoint_of_something_else(module, tmp_path):
    prefix = trained(module, tmp_path, ["text"])
    with pytest.raises(hub.errors.CheckpointMismatchError) as caught:
        hub.convert(module, tmp_path / "made", to="tf1", checkpoint_path=prefix, scope="image")
    assert "has no variable 'image/" in str(caught.value)
    with pytest.raises(hub.errors.CheckpointPathError):
        hub.convert(module, tmp_path / "made", to="tf1", checkpoint_path=tmp_path / "none")
    assert not (tmp_path / "made").exists()
