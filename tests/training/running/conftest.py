"""A model folder, and checkpoints in it."""

from __future__ import annotations

import os

import pytest
import tensorflow as tf

from hub_estimator.training.running.model_folder import ModelFolder


@pytest.fixture
def folder(tmp_path) -> ModelFolder:
    return ModelFolder(str(tmp_path / "model"))


@pytest.fixture
def save(folder):
    """Saves small checkpoints as an Estimator does; keeps the newest two."""
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        tf.compat.v1.train.create_global_step()
        saver = tf.compat.v1.train.Saver(max_to_keep=2)
        session.run(tf.compat.v1.global_variables_initializer())

        def save(step):
            with session.graph.as_default():  # in a thread too
                saver.save(session, os.path.join(folder.path, "model.ckpt"), global_step=step)

        yield save
