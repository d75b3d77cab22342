"""Dropout: masks by seed, name and step."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from hub_estimator.training.model.dropout import drop


def masks(steps, name="a", seed=1, rate=0.5):
    """The masks of some steps, each read in a session of its own."""
    with tf.Graph().as_default():
        tf.compat.v1.set_random_seed(seed)
        step = tf.compat.v1.train.create_global_step()
        dropped = drop(tf.ones([50, 20]), rate, training=True, name=name)
        found = []
        for number in steps:
            with tf.compat.v1.Session() as session:
                session.run(step.initializer)
                found.append(session.run([tf.compat.v1.assign(step, number), dropped])[1])
                found[-1] = session.run(dropped)
        return found


def test_a_step_has_the_same_mask_after_an_interruption():
    (first, second), (again,) = masks([3, 4]), masks([4])
    assert np.array_equal(second, again)
    assert not np.array_equal(first, second)


def test_masks_differ_by_name_and_seed():
    (mask,), (other,), (third,) = masks([3]), masks([3], name="b"), masks([3], seed=2)
    assert not np.array_equal(mask, other) and not np.array_equal(mask, third)


def test_the_fraction_and_the_scale():
    (mask,) = masks([0], rate=0.2)
    assert set(np.unique(mask)) == {np.float32(0), np.float32(1.25)}
    assert 0.7 < (mask > 0).mean() < 0.9


def test_a_graph_without_seed():
    tf.compat.v1.train.create_global_step()
    dropped = drop(tf.ones([50, 20]), 0.5, training=True, name="a")
    with tf.compat.v1.Session() as session:
        assert not np.array_equal(session.run(dropped), session.run(dropped))


def test_nothing_is_dropped_elsewhere():
    values = tf.ones([2, 2])
    assert drop(values, 0.5, training=False, name="a") is values
    assert drop(values, 0.0, training=True, name="a") is values
