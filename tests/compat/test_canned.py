"""Heads and canned Estimators, which stand on legacy Keras."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from hub_estimator import compat, estimator

tf1 = tf.compat.v1

X = np.array([[-2.0], [-1.0], [1.0], [2.0]], np.float32)
SIGN = (X > 0).astype(np.int64)


def _batches(labels, epochs=None):
    return tf.data.Dataset.from_tensors(({"x": X}, labels)).repeat(epochs)


HEADS = {
    "binary": (lambda: estimator.BinaryClassHead(), 1, SIGN),
    "multi-class": (lambda: estimator.MultiClassHead(n_classes=3), 3, SIGN + 1),
    "multi-label": (
        lambda: estimator.MultiLabelHead(n_classes=2), 2, np.hstack([SIGN, 1 - SIGN])
    ),
    "regression": (lambda: estimator.RegressionHead(), 1, 3 * X),
    "multi": (
        lambda: estimator.MultiHead([
            estimator.BinaryClassHead(name="sign"), estimator.RegressionHead(name="triple")
        ]),
        2, {"sign": SIGN, "triple": 3 * X},
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", HEADS)
def test_heads(kind, tmp_path):
    make_head, width, labels = HEADS[kind]

    def model_fn(features, labels, mode):
        logits = compat.legacy_layers().dense(features["x"], width)
        if kind == "multi":
            logits = {"sign": logits[:, :1], "triple": logits[:, 1:]}
        step = tf1.train.get_or_create_global_step()
        optimizer = tf1.train.AdagradOptimizer(0.5)
        return make_head().create_estimator_spec(
            features, mode, logits, labels, train_op_fn=lambda loss: optimizer.minimize(loss, step)
        )

    model = estimator.Estimator(model_fn, str(tmp_path))
    model.train(lambda: _batches(labels), steps=1)
    before = model.evaluate(lambda: _batches(labels, 1))["loss"]
    model.train(lambda: _batches(labels), steps=30)
    assert model.evaluate(lambda: _batches(labels, 1))["loss"] < before
    assert len(list(model.predict(lambda: _batches(labels, 1)))) == len(X)


CANNED = {
    "DNNClassifier": lambda api, columns, folder: api.DNNClassifier([4], columns, folder),
    "DNNRegressor": lambda api, columns, folder: api.DNNRegressor([4], columns, folder),
    "LinearClassifier": lambda api, columns, folder: api.LinearClassifier(columns, folder),
    "LinearRegressor": lambda api, columns, folder: api.LinearRegressor(columns, folder),
    "BaselineClassifier": lambda api, _, folder: api.BaselineClassifier(folder),
    "BaselineRegressor": lambda api, _, folder: api.BaselineRegressor(folder),
}


@pytest.mark.parametrize("api", ["v1", "v2"])
@pytest.mark.parametrize("name", CANNED)
def test_canned(name, api, tmp_path):
    columns = [tf.feature_column.numeric_column("x")]
    module = compat.estimator_module(api)
    model = CANNED[name](module, columns, str(tmp_path))
    labels = SIGN if name.endswith("Classifier") else 3 * X
    model.train(lambda: _batches(labels), steps=3)
    metrics = model.evaluate(lambda: _batches(labels, 1))
    assert metrics["global_step"] == 3
    assert np.isfinite(metrics["average_loss"])
