"""Initial values of layers: by the graph's seed and the layer's scope alone."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from hub_estimator.training.model.layers import dense


def kernels(seed=None, names=("a", "b"), other_operations=0, scope="model"):
    """The kernels of some layers in a new graph."""
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        if seed is not None:
            tf.compat.v1.set_random_seed(seed)
        for _ in range(other_operations):
            tf.constant(0)
        with tf.compat.v1.variable_scope(scope):
            for name in names:
                dense(tf.ones([1, 3]), 2, name)
        session.run(tf.compat.v1.global_variables_initializer())
        return session.run(tf.compat.v1.trainable_variables()[::2])


def test_they_do_not_depend_on_what_else_is_in_the_graph():
    (first, second), (again,) = kernels(1), kernels(1, ["b"], other_operations=3)
    assert np.array_equal(second, again) and not np.array_equal(first, second)


def test_they_depend_on_the_seed_and_the_scope():
    found = [kernels(1), kernels(2), kernels(1, scope="other")]
    assert len({values.tobytes() for each in found for values in each}) == 6


def test_without_a_seed_they_are_others_each_time():
    (first, _), (second, _) = kernels(), kernels()
    assert not np.array_equal(first, second)
