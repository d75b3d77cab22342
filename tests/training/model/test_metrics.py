"""Metrics beside those of the head."""

from __future__ import annotations

import dataclasses
import functools

import pytest
import tensorflow as tf

from hub_estimator import errors
from hub_estimator.compat import head_class
from hub_estimator.training import configurables
from hub_estimator.training.model.metrics import Metric, macro_f1


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


NEEDED = {
    "mean_per_class_accuracy": {"num_classes": 2},
    "recall_at_k": {"k": 1},
    "sensitivity_at_specificity": {"specificity": 0.5},
    "specificity_at_sensitivity": {"sensitivity": 0.5},
}
OF_PROBABILITIES = {"recall_at_k": "probabilities"} | dict.fromkeys(
    ["auc", "sensitivity_at_specificity", "specificity_at_sensitivity"], "logistic"
)


@pytest.mark.parametrize("labels", [[1, 0], [[1], [0]]], ids=["[B]", "[B, 1]"])
def test_every_metric_that_a_configuration_can_name(make_model, labels):
    found = evaluated(make_model, tf.constant(labels), metrics=[
        Metric(
            f"my_{name}",
            functools.partial(getattr(tf.compat.v1.metrics, name), **NEEDED.get(name, {})),
            OF_PROBABILITIES.get(name, "class_ids"),
        )
        for name in configurables.METRICS
    ])  # fmt: skip
    assert found["my_recall_at_k"] == pytest.approx(found["accuracy"])
    assert found["my_auc"] == pytest.approx(found["auc"], abs=1e-4)


def two_heads():
    tone = head_class("BinaryClassHead")(name="tone", label_vocabulary=["no", "yes"])
    return head_class("MultiHead")([tone, head_class("RegressionHead")(name="stars")])


LABELS_OF_TWO = {"tone": ["yes", "yes"], "stars": [1.0, 2.0]}


def test_metrics_of_several_heads(make_model):
    labels = {name: tf.constant(each) for name, each in LABELS_OF_TWO.items()}
    squares = Metric("squares", tf.compat.v1.metrics.mean_squared_error, "predictions", "stars")
    error = dataclasses.replace(ERROR, head="tone")
    found = evaluated(make_model, labels, head=two_heads(), metrics=[error, squares])
    assert found["error"] == pytest.approx(1 - found["accuracy/tone"])
    assert found["squares"] == pytest.approx(found["average_loss/stars"])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({}, "The metric 'error' is of the head None. Metric.head must be one of: stars, tone."),
        (
            {"head": "stars"},
            (
                "The metric 'error' takes the prediction 'class_ids', which the head does not give. It "
                "gives: predictions."
            ),
        ),
    ],
)
def test_metrics_of_no_head_of_several(make_model, changes, message):
    labels = {name: tf.constant(each) for name, each in LABELS_OF_TWO.items()}
    with pytest.raises(errors.ModelError) as caught:
        evaluated(
            make_model, labels, head=two_heads(), metrics=[dataclasses.replace(ERROR, **changes)]
        )
    assert str(caught.value) == message


def test_a_metric_of_a_head_where_there_is_one(make_model):
    with pytest.raises(errors.ModelError) as caught:
        evaluated(make_model, tf.constant([1, 1]), metrics=[dataclasses.replace(ERROR, head="a")])
    assert str(caught.value) == (
        "The metric 'error' is of the head 'a'. Metric.head must be None: the model has one head."
    )
