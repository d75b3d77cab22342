"""The hook that saves where the input of a training is."""

from __future__ import annotations

import os

import tensorflow as tf

from hub_estimator import estimator
from hub_estimator.compat.async_checkpoint import AsyncCheckpointSaverHook
from hub_estimator.compat.pipeline_checkpoints import CheckpointInputPipelineHook

tf1 = tf.compat.v1


def _model_fn(features, labels, mode):
    seen = tf1.get_variable("seen", [], tf.int64, initializer=tf1.zeros_initializer())
    with tf.control_dependencies([seen.assign_add(features)]):
        train_op = tf1.train.get_global_step().assign_add(1, read_value=False)
    return estimator.EstimatorSpec(mode, loss=tf.constant(0.0), train_op=train_op)


def _train(folder, to_step, hook=CheckpointInputPipelineHook):
    config = estimator.RunConfig(str(folder), save_checkpoints_steps=2)
    model = estimator.Estimator(_model_fn, config=config)
    model.train(lambda: tf.data.Dataset.range(100), hooks=[hook(model)], max_steps=to_step)
    return model.get_variable_value("seen")


def _steps(folder, name):
    state = tf1.train.get_checkpoint_state(str(folder), name)
    return [int(path.rpartition("-")[2]) for path in state.all_model_checkpoint_paths]


def test_training_goes_on_in_its_input(tmp_path):
    assert _train(tmp_path, 4) == sum(range(4))
    assert _steps(tmp_path, "checkpoint_input") == [0, 2, 4]
    assert _train(tmp_path, 7) == sum(range(7))
    assert os.path.exists(tmp_path / "input.ckpt-7.index")
    assert not os.path.exists(tmp_path / "input.ckpt-7.meta")


def test_workers_have_files_of_their_own(tmp_path):
    class Config:
        num_worker_replicas, task_type, task_id = 2, "worker", 1
        save_checkpoints_secs, save_checkpoints_steps = None, 2

    class Model:
        config, model_dir = Config, str(tmp_path)

    tf1.data.make_one_shot_iterator(tf.data.Dataset.range(3)).get_next()
    tf1.train.create_global_step()
    hook = CheckpointInputPipelineHook(Model)
    hook.begin()
    with tf1.train.MonitoredSession(hooks=[hook]):
        pass
    assert os.path.exists(tmp_path / "input_worker_1.ckpt-0.index")
    assert os.path.exists(tmp_path / "checkpoint_input_worker_1")


def test_checkpoints_beside_training_are_made_in_it(tmp_path):
    def hook(model):
        return AsyncCheckpointSaverHook(model.model_dir, save_steps=3)

    _train(tmp_path, 7, hook)
    # The Estimator adds none of its own beside it.
    assert _steps(tmp_path, "checkpoint") == [0, 3, 6, 7]
