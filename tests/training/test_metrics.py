"""Metrics beside those of the head."""

from __future__ import annotations

import pytest
import tensorflow as tf

from hub_estimator import errors
from hub_estimator.training.heads import head_class
from hub_estimator.training.metrics import Metric, macro_f1


def test_macro_f1_over_batches():
    labels, predictions = (tf.compat.v1.placeholder(tf.int64, [None]) for _ in range(2))
    value, update = macro_f1(labels, predictions, num_classes=3)
    with tf.compat.v1.Session() as session:
        session.run(tf.compat.v1.local_variables_initializer())
        session.run(update, {labels: [0, 0, 1], predictions: [0, 1, 1]})
        session.run(update, {labels: [1, 0], predictions: [1, 0]})
        # Class 0: TP 2, FN 1; class 1: TP 2, FP 1; class 2 never occurs.
        assert session.run(value) == pytest.approx((4 / 5 + 4 / 5 + 0) / 3)
    assert tf.compat.v1.global_variables() == []


def evaluated(make_model, labels, **changes):
    spec = make_model(**changes).model_fn({"text": tf.constant(["a", "b"])}, labels, "eval")
    with tf.compat.v1.Session() as session:
        session.run(tf.compat.v1.global_variables_initializer())
        session.run([tf.compat.v1.local_variables_initializer(), tf.compat.v1.tables_initializer()])
        session.run([update for _, update in spec.eval_metric_ops.values()])
        return session.run({name: value for name, (value, _) in spec.eval_metric_ops.items()})


ERROR = Metric("error", tf.compat.v1.metrics.mean_absolute_error)


def test_a_metric_of_the_class_numbers(make_model):
    found = evaluated(make_model, tf.constant([1, 1]), metrics=[ERROR])
    assert found["error"] == pytest.approx(1 - found["accuracy"])


def test_labels_by_name_are_numbers_for_metrics(make_model):
    head = head_class("BinaryClassHead")(label_vocabulary=["no", "yes"])
    found = evaluated(make_model, tf.constant(["yes", "yes"]), head=head, metrics=[ERROR])
    assert found["error"] == pytest.approx(1 - found["accuracy"])


def test_a_prediction_that_the_head_does_not_give(make_model):
    metric = Metric("m", tf.compat.v1.metrics.accuracy, prediction="stars")
    with pytest.raises(errors.ModelError) as caught:
        evaluated(make_model, tf.constant([1, 1]), metrics=[metric])
    assert str(caught.value) == (
        "The metric 'm' takes the prediction 'stars', which the head does not give. It gives: "
        "all_class_ids, all_classes, class_ids, classes, logistic, logits, probabilities."
    )


def test_a_metric_with_a_name_of_the_heads(make_model):
    metric = Metric("auc", tf.compat.v1.metrics.accuracy)
    with pytest.raises(errors.ModelError, match=r"^Two metrics are called 'auc'\. Give each its "
                       r"own Metric\.name; the head has: accuracy, .*\.$"):  # fmt: skip
        evaluated(make_model, tf.constant([1, 1]), metrics=[metric])
