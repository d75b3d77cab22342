"""Learning rates, step by step."""

from __future__ import annotations

import pytest
import tensorflow as tf

from hub_estimator.training.optimization import schedules


def test_linear_and_cosine_decay():
    step = tf.constant(50)
    linear = schedules.linear_decay(0.2, step, steps=100, end=0.5)
    cosine = schedules.cosine_decay(0.2, step, steps=100)
    with tf.compat.v1.Session() as session:
        assert session.run([linear, cosine]) == pytest.approx([0.15, 0.1])
