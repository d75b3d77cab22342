"""Losses of heads: against the heads' own, and by hand."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from hub_estimator import errors
from hub_estimator.compat import head_class
from hub_estimator.training.model.losses import SigmoidLoss, SoftmaxLoss

LOGITS = np.array([[0.5, -1.0, 2.0], [1.0, 0.0, 0.0]], np.float32)
LOG_SOFTMAX = LOGITS - np.log(np.exp(LOGITS).sum(axis=1, keepdims=True))


def loss_of(name, logits, labels, **arguments):
    head = head_class(name)(**arguments)
    loss = head.create_estimator_spec({}, "eval", tf.constant(logits), tf.constant(labels)).loss
    with tf.compat.v1.Session() as session:
        return session.run(loss)


@pytest.mark.parametrize(
    ("name", "loss", "logits", "labels", "arguments"),
    [
        ("MultiClassHead", SoftmaxLoss(), LOGITS, [2, 0], {"n_classes": 3}),
        ("BinaryClassHead", SigmoidLoss(), LOGITS[:, :1], [1, 0], {}),
        ("MultiLabelHead", SigmoidLoss(), LOGITS, [[0, 1, 1], [1, 0, 0]], {"n_classes": 3}),
    ],
)
def test_plain_losses_are_those_of_the_heads(name, loss, logits, labels, arguments):
    own = loss_of(name, logits, labels, **arguments)
    assert loss_of(name, logits, labels, loss_fn=loss, **arguments) == pytest.approx(own)


def test_smoothed_classes():
    loss = loss_of("MultiClassHead", LOGITS, [2, 0], n_classes=3, loss_fn=SoftmaxLoss(0.3))
    wanted = np.array([[0.1, 0.1, 0.8], [0.8, 0.1, 0.1]])
    assert loss == pytest.approx(-(wanted * LOG_SOFTMAX).sum(axis=1).mean())


def test_weighted_classes():
    weights = SoftmaxLoss(class_weights=[2.0, 1.0, 10.0])
    loss = loss_of("MultiClassHead", LOGITS, [2, 0], n_classes=3, loss_fn=weights)
    assert loss == pytest.approx(-(10 * LOG_SOFTMAX[0, 2] + 2 * LOG_SOFTMAX[1, 0]) / 2)


def sigmoid_loss(logits, labels):
    return np.log1p(np.exp(-logits)) * labels + np.log1p(np.exp(logits)) * (1 - labels)


def test_smoothed_yes_or_no():
    loss = loss_of("BinaryClassHead", LOGITS[:, :1], [1, 0], loss_fn=SigmoidLoss(0.2))
    assert loss == pytest.approx(sigmoid_loss(LOGITS[:, 0], np.array([0.9, 0.1])).mean())


def test_weighted_yes_or_no():
    weights = SigmoidLoss(class_weights=[3.0, 5.0])
    loss = loss_of("BinaryClassHead", LOGITS[:, :1], [1, 0], loss_fn=weights)
    expected = sigmoid_loss(LOGITS[:, 0], np.array([1, 0])) * [5, 3]
    assert loss == pytest.approx(expected.mean())


def test_weighted_labels():
    labels = np.array([[0, 1, 1], [1, 0, 0]])
    weights = SigmoidLoss(class_weights=[1.0, 2.0, 3.0])
    loss = loss_of("MultiLabelHead", LOGITS, labels, n_classes=3, loss_fn=weights)
    assert loss == pytest.approx((sigmoid_loss(LOGITS, labels) * [1, 2, 3]).mean())


@pytest.mark.parametrize(
    ("loss", "logits", "message"),
    [
        (SoftmaxLoss(class_weights=[1.0]), LOGITS, "SoftmaxLoss.class_weights has 1 numbers for 3"),
        (SigmoidLoss(class_weights=[1.0]), LOGITS[:, :1], "SigmoidLoss.class_weights has 1 numbers for 2"),
    ],
)  # fmt: skip
def test_as_many_weights_as_classes(loss, logits, message):
    with pytest.raises(errors.ModelError) as caught:
        loss(tf.constant([[1], [0]]), tf.constant(logits))
    assert str(caught.value) == f"{message} classes. Give one number per class."


@pytest.mark.parametrize(
    ("loss", "settings", "message"),
    [
        (SoftmaxLoss, {"label_smoothing": 1.0}, "label_smoothing is 1.0; it must be less than 1."),
        (SigmoidLoss, {"label_smoothing": 1.5}, "label_smoothing is 1.5; it must be at most 1."),
        (SigmoidLoss, {"class_weights": [1, -2]}, "class_weights[1] is -2; it must be at least 0."),
        (
            SoftmaxLoss,
            {"class_weights": "12"},
            "class_weights is '12'; give it a list, as in [1.0, 2.5], or 'balanced'.",
        ),
    ],
)
def test_wrong_settings(loss, settings, message):
    with pytest.raises(errors.ModelError) as caught:
        loss(**settings)
    assert str(caught.value) == f"{loss.__name__}.{message}"
    loss(class_weights=np.array([1.0, 2.0]))
