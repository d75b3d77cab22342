"""Gradual unfreezing: before its step a module is what prediction sees, in every respect."""

from __future__ import annotations

import functools

import numpy as np
import pytest
import tensorflow as tf

import hub_estimator as hub
from hub_estimator import estimator
from hub_estimator.training.model.encoders import Encoder

START = 3


def module_fn(is_training: bool = False) -> None:
    """Numbers `[B, 2]`, weighted; the train variant counts its batches in a moving sum."""
    numbers = tf.compat.v1.placeholder(tf.float32, [None, 2])
    weights = tf.compat.v1.get_variable("weights", [2, 2], initializer=tf.ones_initializer())
    batches = tf.compat.v1.get_variable(
        "batches", [], trainable=False, initializer=tf.zeros_initializer()
    )
    outputs = tf.matmul(numbers, weights)
    if is_training:
        update = batches.assign_add(0.0 * tf.reduce_sum(outputs) + 1.0).op
        tf.compat.v1.add_to_collection(tf.compat.v1.GraphKeys.UPDATE_OPS, update)
        outputs = 2 * outputs
    hub.add_signature(inputs={"numbers": numbers}, outputs=outputs)


def input_fn():
    features = {"numbers": np.array([[1.0, 2.0], [3.0, -1.0]], np.float32)}
    return tf.data.Dataset.from_tensors((features, np.array([0, 1]))).repeat()


@pytest.fixture(params=["control flow 2", "control flow 1"])
def control_flow(request):
    if request.param == "control flow 1":
        tf.compat.v1.disable_control_flow_v2()
    yield
    tf.compat.v1.enable_control_flow_v2()


def test_a_module_is_trained_from_its_step_on(make_model, tmp_path, control_flow):
    spec = hub.create_module_spec(module_fn, [(set(), {}), ({"train"}, {"is_training": True})])
    encoder = Encoder(spec, feature="numbers", trainable=True, train_from_step=START)
    model = make_model(encoders=[encoder], layers=None)
    config = estimator.RunConfig(tf_random_seed=1)
    trained = estimator.Estimator(model.model_fn, str(tmp_path), config, params={})

    def after(steps):
        trained.train(input_fn, max_steps=steps)
        return [trained.get_variable_value(f"module/{name}") for name in ("weights", "batches")]

    weights, batches = after(START)
    assert np.array_equal(weights, np.ones([2, 2])) and batches == 0
    assert not np.array_equal(trained.get_variable_value("logits/bias"), [0])
    weights, batches = after(START + 2)
    assert not np.array_equal(weights, np.ones([2, 2])) and batches == 2


def test_a_module_without_train_variant_updates_nothing_before_its_step(make_model, tmp_path):
    spec = hub.create_module_spec(functools.partial(module_fn, is_training=True))
    encoder = Encoder(spec, feature="numbers", trainable=True, train_from_step=START)
    model = make_model(encoders=[encoder], layers=None)
    trained = estimator.Estimator(model.model_fn, str(tmp_path), params={})
    trained.train(input_fn, max_steps=START + 2)
    assert trained.get_variable_value("module/batches") == 2


def test_outputs_are_those_of_each_variant():
    spec = hub.create_module_spec(module_fn, [(set(), {}), ({"train"}, {"is_training": True})])
    step = tf.compat.v1.train.create_global_step()
    encoder = Encoder(spec, feature="numbers", trainable=True, train_from_step=START)
    (output,) = encoder({"numbers": tf.ones([1, 2])}, "train").outputs
    with tf.compat.v1.Session() as session:
        session.run(tf.compat.v1.global_variables_initializer())
        assert session.run(output).tolist() == [[2, 2]]
        session.run(tf.compat.v1.assign(step, START))
        assert session.run(output).tolist() == [[4, 4]]
