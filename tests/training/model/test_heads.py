"""The labels and features that heads take."""

from __future__ import annotations

import pytest
import tensorflow as tf

from hub_estimator import errors
from hub_estimator.compat import head_class
from hub_estimator.training.example_spec import ExampleSpec
from hub_estimator.training.labels.any_classes import AnyClasses
from hub_estimator.training.labels.numbers import Numbers
from hub_estimator.training.labels.one_class import OneClass
from hub_estimator.training.labels.unknown import AnyLabels
from hub_estimator.training.model import heads

NAMES = ("a", "b", "c")


@pytest.mark.parametrize(
    ("name", "arguments", "expected", "dtype"),
    [
        ("BinaryClassHead", {}, OneClass(2), tf.int64),
        ("MultiClassHead", {"n_classes": 5}, OneClass(5), tf.int64),
        (
            *("MultiClassHead", {"n_classes": 3, "label_vocabulary": NAMES}),
            *(OneClass(3, NAMES, by_name=True), tf.string),
        ),
        ("MultiLabelHead", {"n_classes": 3}, AnyClasses(3), tf.int64),
        (
            *("MultiLabelHead", {"n_classes": 3, "label_vocabulary": NAMES}),
            *(AnyClasses(3, NAMES), tf.int64),
        ),
        ("RegressionHead", {}, Numbers(1), tf.float32),
        ("RegressionHead", {"label_dimension": 2}, Numbers(2), tf.float32),
    ],
)
def test_labels(name, arguments, expected, dtype):
    spec = heads.label_spec(head_class(name)(**arguments))
    assert spec == expected and spec.dtype == dtype


def test_a_multi_head_takes_the_labels_of_each():
    parts = [
        head_class("BinaryClassHead")(name="likes"),
        head_class("RegressionHead")(name="stars", weight_column="sure"),
    ]
    head = head_class("MultiHead")(parts)
    assert heads.label_spec(head) == {"likes": OneClass(2), "stars": Numbers()}
    assert heads.feature_specs(head) == {"sure": tf.TensorSpec([None], tf.float32, "sure")}


def test_a_head_of_somebody_else():
    assert heads.label_spec(object()) == AnyLabels()
    assert heads.feature_specs(object()) == {}


def test_class_names_of_the_data_are_for_heads_without_names():
    numbered = ExampleSpec({}, OneClass(3)).with_class_names(NAMES)
    assert numbered.class_names == NAMES and numbered.labels.dtype == tf.int64
    named = ExampleSpec({}, OneClass(3, ("x", "y", "z"), by_name=True))
    assert named.with_class_names(NAMES) == named
    number = ExampleSpec({}, Numbers())
    assert number.with_class_names(NAMES) == number


FOUR = ["a", "b", "c", "d"]


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        (
            *("MultiClassHead", {"n_classes": 3, "label_vocabulary": FOUR}),
            (
                "MultiClassHead: n_classes is 3, but label_vocabulary has 4: a, b, c, d. There must be "
                "one name for each class."
            ),
        ),
        (
            *("MultiLabelHead", {"n_classes": 5, "label_vocabulary": NAMES}),
            (
                "MultiLabelHead: n_classes is 5, but label_vocabulary has 3: a, b, c. There must be one "
                "name for each class."
            ),
        ),
        (
            *("MultiClassHead", {"n_classes": 2}),
            "MultiClassHead cannot be made as it is set: n_classes must be > 2: 2.",
        ),
        (
            *("BinaryClassHead", {"label_vocabulary": "ab"}),
            (
                "BinaryClassHead cannot be made as it is set: label_vocabulary should be a list or a "
                "tuple. Given type: <class 'str'>."
            ),
        ),
    ],
)
def test_a_head_that_cannot_be_made(name, settings, message):
    with pytest.raises(errors.InvalidSettingError) as caught:
        head_class(name)(**settings)
    assert str(caught.value) == message
    assert isinstance(caught.value, ValueError) and isinstance(caught.value, TypeError)
