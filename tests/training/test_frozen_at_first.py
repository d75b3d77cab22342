"""Gradual unfreezing: before its step a module is what prediction sees, in every respect."""

from __future__ import annotations

import tensorflow as tf

import hub_estimator as hub
from hub_estimator.training.encoders import Encoder

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
