"""Objects of Keras 3 that Estimators are given."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from hub_estimator import compat, errors
from hub_estimator.compat import keras_3

pytestmark = pytest.mark.skipif(compat.ships_estimator(), reason="TensorFlow 2.15 has no Keras 3")


def examples():
    x = np.zeros([8, 1], np.float32)
    return tf.data.Dataset.from_tensor_slices(({"x": x}, x)).batch(4)


def trained(api, **arguments):
    columns = [tf.feature_column.numeric_column("x")]
    compat.estimator_module(api).DNNRegressor([2], columns, **arguments).train(examples)


def with_metric(metric):
    def model_fn(features, labels, mode):
        loss = tf.reduce_mean(compat.legacy_layers().dense(features["x"], 1))
        spec = compat.estimator_module().EstimatorSpec
        return spec(mode, loss=loss, eval_metric_ops={"mean": metric}, train_op=tf.no_op())

    compat.estimator_module().Estimator(model_fn).evaluate(examples, steps=1)


def with_optimizer_of_a_head(optimizer):
    def model_fn(features, labels, mode):
        logits = compat.legacy_layers().dense(features["x"], 1)
        head = compat.estimator_module("v2").RegressionHead()
        variables = tf.compat.v1.trainable_variables()
        return head.create_estimator_spec(features, mode, logits, labels, optimizer, variables)

    compat.estimator_module("v2").Estimator(model_fn).train(examples)


def converted():
    import keras

    model = keras.Sequential([keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    compat.legacy_keras().estimator.model_to_estimator(keras_model=model)


USES = {
    "optimizer": lambda k: trained("v2", optimizer=k.optimizers.Adam()),
    "optimizer class": lambda k: trained("v2", optimizer=k.optimizers.Adam),
    "optimizer of the first API": lambda k: trained("v1", optimizer=k.optimizers.Adam()),
    "optimizer of a head": lambda k: with_optimizer_of_a_head(k.optimizers.Adam()),
    "metric": lambda k: with_metric(k.metrics.Mean()),
    "model": lambda k: converted(),
}
NAMES = {"metric": "metrics.reduction_metrics.Mean", "model": "models.sequential.Sequential"}


@pytest.mark.parametrize("use", USES)
def test_they_are_named(use):
    import keras

    with pytest.raises(errors.LegacyKerasError) as caught:
        USES[use](keras)
    name = NAMES.get(use, "optimizers.adam.Adam")
    assert str(caught.value) == keras_3.GIVEN % f"keras.src.{name}"


def test_those_of_legacy_keras_are_taken():
    trained("v2", optimizer=compat.legacy_keras().optimizers.legacy.Adam())
