"""What a served model asks for."""

from __future__ import annotations

import pytest
import tensorflow as tf

from hub_estimator import errors
from hub_estimator.compat import head_class
from hub_estimator.training.example_spec import ExampleSpec
from hub_estimator.training.labels.unknown import AnyLabels
from hub_estimator.training.serving import ServingInput
from tests.training.image_files import encoded
from tests.training.training_data import TWO_CLASSES

BOTH = ExampleSpec(
    {
        "picture of it": tf.TensorSpec([None, 2, 3, 1], tf.float32),
        "size": tf.TensorSpec([None, 2], tf.float32),
    },
    AnyLabels(),
)


def asked(spec, form):
    """What a request gives: types and shapes by name."""
    receiver = ServingInput(spec, form)()
    for name, each in receiver.features.items():
        assert each.dtype == spec.features[name].dtype
        assert each.shape.as_list() == spec.features[name].shape.as_list()
    return {
        name: (each.dtype.name, each.shape.as_list())
        for name, each in receiver.receiver_tensors.items()
    }


def test_the_features_themselves():
    receiver = ServingInput(TWO_CLASSES)()
    assert receiver.features["text"] is receiver.receiver_tensors["text"]
    assert receiver.features["text"].shape.as_list() == [None]


@pytest.mark.parametrize(
    "form, requests",
    [
        (
            "features",
            {"picture of it": ("float32", [None, 2, 3, 1]), "size": ("float32", [None, 2])},
        ),
        ("files", {"picture of it": ("string", [None]), "size": ("float32", [None, 2])}),
        ("examples", {"examples": ("string", [None])}),
    ],
)
def test_forms(form, requests):
    assert asked(BOTH, form) == requests


def test_examples_with_an_image():
    receiver = ServingInput(BOTH, "examples")()
    white = encoded("PNG", [[[255]] * 3] * 2)
    feature = {
        "picture of it": tf.train.Feature(bytes_list=tf.train.BytesList(value=[white])),
        "size": tf.train.Feature(float_list=tf.train.FloatList(value=[2.0, 3.0])),
    }
    example = tf.train.Example(features=tf.train.Features(feature=feature))
    given = {receiver.receiver_tensors["examples"]: [example.SerializeToString()]}
    with tf.compat.v1.Session() as session:
        values = session.run(receiver.features, given)
    assert values["size"].tolist() == [[2.0, 3.0]]
    assert values["picture of it"].tolist() == [[[[1.0]] * 3] * 2]


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [
        (tf.uint8, [0, 1, 254, 255]),
        (tf.float64, [0.0, 1 / 255, 254 / 255, 1.0]),
    ],
)
def test_files_become_images_of_the_type_that_the_model_takes(dtype, expected):
    spec = ExampleSpec({"image": tf.TensorSpec([None, 1, 4, 3], dtype)}, AnyLabels())
    assert asked(spec, "files") == {"image": ("string", [None])}
    receiver = ServingInput(spec, "files")()
    file = encoded("PNG", [[[each] * 3 for each in (0, 1, 254, 255)]])
    with tf.compat.v1.Session() as session:
        given = {receiver.receiver_tensors["image"]: [file]}
        values = session.run(receiver.features["image"], given)
    assert values.dtype == dtype.as_numpy_dtype
    assert values[0, 0, :, 0].tolist() == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    ("dtype", "sizes"),
    [(tf.uint8, [2, 3, 2]), (tf.uint8, [None, 3, 3]), (tf.int64, [2, 3, 3]), (tf.uint8, [3, 3])],
)
def test_whole_numbers_that_are_no_images_of_files(dtype, sizes):
    spec = ExampleSpec({"grid": tf.TensorSpec([None, *sizes], dtype)}, AnyLabels())
    assert asked(spec, "files") == {"grid": (dtype.name, [None, *sizes])}


def test_the_weight_of_an_example_is_not_asked_for(make_model):
    model = make_model(head=head_class("BinaryClassHead")(weight_column="weight"))
    spec = model.example_spec()
    assert set(spec.features) == {"text", "weight"}
    for form in ("features", "files"):
        assert asked(spec, form) == {"text": ("string", [None])}
    assert set(ServingInput(spec, "examples")().features) == {"text"}


def test_an_image_of_unknown_size():
    spec = ExampleSpec({"image": tf.TensorSpec([None, None, 3, 1])}, AnyLabels())
    with pytest.raises(errors.ModelError, match="^The images of the feature 'image' have "):
        ServingInput(spec, "files")()


def test_a_form_that_is_none():
    with pytest.raises(errors.ModelError) as caught:
        ServingInput(TWO_CLASSES, "jpeg")()
    assert str(caught.value) == (
        "ServingInput.form is 'jpeg'; it must be one of 'features', 'files', 'examples'."
    )
