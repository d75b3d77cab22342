"""One training step: what is updated, by how much, and from when on."""

from __future__ import annotations

import pytest
import tensorflow as tf

from hub_estimator import errors
from hub_estimator.training.optimization.optimization import Optimization


def test_nothing_trainable():
    optimization = Optimization(tf.compat.v1.train.AdamOptimizer, 0.1)
    with pytest.raises(errors.ModelError) as caught:
        optimization.train_op(tf.constant(1.0))
    assert str(caught.value) == (
        "Nothing in the model is trainable. Give the model layers, or set Encoder.trainable = True."
    )
