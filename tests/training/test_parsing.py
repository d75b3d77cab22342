"""What a `tf.Example` holds of each kind of feature."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from hub_estimator import errors
from hub_estimator.training import parsing
from hub_estimator.training.example_spec import ExampleSpec
from hub_estimator.training.labels.one_class import OneClass
from hub_estimator.training.labels.unknown import AnyLabels
from tests.training import image_files
from tests.training.record_data import example


def parse(examples, **features):
    spec = ExampleSpec(features, AnyLabels())
    parsed = parsing.parse(tf.constant(examples), spec)
    for name, each in features.items():
        assert parsed[name].dtype == each.dtype
        assert each.shape.is_compatible_with(parsed[name].shape)
    with tf.compat.v1.Session() as session:
        return session.run(parsed)


@pytest.mark.parametrize(
    ("spec", "values", "expected"),
    [
        (tf.TensorSpec([None], tf.string), [[b"a"], [b"b"]], [b"a", b"b"]),
        (tf.TensorSpec([None, 2], tf.string), [[b"a", b"b"]], [[b"a", b"b"]]),
        (tf.TensorSpec([None, None], tf.string), [[b"a", b"b"], []], [[b"a", b"b"], [b"", b""]]),
        (tf.TensorSpec([None], tf.float32), [[0.5], [2.0]], [0.5, 2]),
        (tf.TensorSpec([None, 2], tf.float32), [[0.5, 2.0]], [[0.5, 2]]),
        (tf.TensorSpec([None, 2, 1], tf.float64), [[0.5, 2.0]], [[[0.5], [2]]]),
        (tf.TensorSpec([None, None], tf.int32), [[1, 2, 3], [4]], [[1, 2, 3], [4, 0, 0]]),
        (tf.TensorSpec([None, 2], tf.int64), [[1, 2]], [[1, 2]]),
        (tf.TensorSpec([None], tf.bool), [[1], [0]], [True, False]),
    ],
)
def test_features(spec, values, expected):
    parsed = parse([example(x=each) for each in values], x=spec)
    assert parsed["x"].tolist() == expected


def test_images_are_files():
    image = np.full([2, 2, 3], 51)
    content = image_files.encoded("PNG", image)
    spec = tf.TensorSpec([None, 4, 3, 1], tf.float32)
    assert parse([example(image=[content])], image=spec)["image"] == pytest.approx(0.2)


def test_labels_are_not_parsed():
    features = {"text": tf.TensorSpec([None], tf.string)}
    assert list(parsing.parsing_spec(ExampleSpec(features, OneClass(2)))) == ["text"]


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (
            tf.TensorSpec([None, None, None, 3], tf.float32),
            (
                "The images of the feature 'x' have the shape [None, None, None, 3]; to decode files to"
                " them, height, width and channels must be known."
            ),
        ),
        (
            tf.TensorSpec([None, None, 2], tf.int64),
            (
                "The feature 'x' is int64 of shape (None, None, 2); a tf.Example cannot hold that. It"
                " holds strings, numbers and encoded images, of a known shape or in a row of any"
                " length."
            ),
        ),
        (
            tf.TensorSpec([None], tf.complex64),
            (
                "The feature 'x' is complex64 of shape (None,); a tf.Example cannot hold that. It holds"
                " strings, numbers and encoded images, of a known shape or in a row of any length."
            ),
        ),
        (
            tf.TensorSpec(None, tf.int64),
            (
                "The feature 'x' is int64 of shape <unknown>; a tf.Example cannot hold that. It holds"
                " strings, numbers and encoded images, of a known shape or in a row of any length."
            ),
        ),
    ],
)
def test_what_an_example_cannot_hold(spec, message):
    with pytest.raises(errors.ModelError) as caught:
        parsing.parsing_spec(ExampleSpec({"x": spec}, AnyLabels()))
    assert str(caught.value) == message
