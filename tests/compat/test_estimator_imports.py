"""Estimators on legacy Keras beside a program on Keras 3, in one process, in either order."""

from __future__ import annotations

import pytest
import tensorflow as tf

from hub_estimator import compat
from tests.compat.programs import run

PARTS = """
import os
import numpy as np
import tensorflow as tf

x = np.arange(96, dtype="float32").reshape([32, 3]) / 96
y = (x[:, :1] > 0.5).astype("int64")

def examples():
    return tf.data.Dataset.from_tensor_slices(({"x": x}, y)).batch(8).repeat(2)

def on_keras_3():
    import keras

    assert keras.__version__.startswith("3.") and tf.keras.layers.Dense is keras.layers.Dense
    model = keras.Sequential([keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(x, y, verbose=0)
    assert len(model.trainable_variables) == 2

def on_estimators():
    import hub_estimator as hub

    columns = [tf.feature_column.numeric_column("x", shape=[3])]
    for api in (hub.compat.estimator_module("v1"), hub.compat.estimator_module("v2")):
        canned = api.DNNClassifier([4], columns)
        canned.train(examples)
        assert canned.evaluate(examples)["global_step"] == 8

    def model_fn(features, labels, mode):
        hidden = hub.compat.legacy_layers().dense(features["x"], 4)
        logits = hub.compat.legacy_layers().dense(hidden, 1)
        optimizer = tf.compat.v1.train.AdagradOptimizer(0.1)
        return hub.estimator.BinaryClassHead().create_estimator_spec(
            features, mode, logits, labels, update_ops=[], regularization_losses=None,
            train_op_fn=lambda loss: optimizer.minimize(loss, tf.compat.v1.train.get_global_step()),
        )

    own = hub.estimator.Estimator(model_fn)
    own.train(examples)
    assert own.evaluate(examples)["global_step"] == 8
    assert own.get_variable_names().count("dense_1/kernel") == 1

    import tf_keras

    model = tf_keras.Sequential([tf_keras.layers.Dense(1, input_shape=[3], name="x")])
    model.compile("sgd", "mse")
    estimator = tf_keras.estimator.model_to_estimator(model)
    estimator.train(lambda: examples().map(lambda features, label: (features["x"], label)))
"""
ORDERS = {
    "Keras 3 first": "on_keras_3(); on_estimators(); on_keras_3()",
    "Estimators first": "on_estimators(); on_keras_3()",
    "after a failed import": (
        "on_keras_3()\n"
        "try: import tensorflow_estimator; assert False\n"
        "except ImportError: pass\n"
        "on_estimators()"
    ),
}


@pytest.mark.skipif(compat.ships_estimator(), reason="TensorFlow 2.15 has no Keras 3")
@pytest.mark.parametrize("order", ORDERS)
def test_both_in_one_process(order):
    result = run(f"{PARTS}\n{ORDERS[order]}\nprint('TF_USE_LEGACY_KERAS' in os.environ)")
    assert result.stdout.splitlines()[-1:] == ["False"], result.stderr[-3000:]


@pytest.mark.skipif(compat.ships_estimator(), reason="TensorFlow 2.15 has no Keras 3")
def test_estimators_alone_see_another_tensorflow():
    compat.estimator_module()
    from tensorflow_estimator.python.estimator.canned import dnn

    assert dnn.tf is not tf and dnn.tf.Tensor is tf.Tensor and "Tensor" in dir(dnn.tf)
    assert dnn.tf.keras is dnn.tf.compat.v2.keras is compat.legacy_keras()
    assert dnn.tf.metrics is compat.legacy_keras().metrics
    assert dnn.tf.compat.v1.layers is compat.legacy_layers()
    assert issubclass(dnn._DNNModelV2, compat.legacy_keras().Model)
