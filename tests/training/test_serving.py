"""What a served model asks for."""

from __future__ import annotations

import pytest
import tensorflow as tf
from image_files import encoded
from training_data import TWO_CLASSES

from hub_estimator import errors
from hub_estimator.training.example_spec import ExampleSpec, LabelSpec
from hub_estimator.training.model.heads import head_class
from hub_estimator.training.serving import ServingInput

BOTH = ExampleSpec(
    {
        "picture of it": tf.TensorSpec([None, 2, 3, 1], tf.float32),
        "size": tf.TensorSpec([None, 2], tf.float32),
    },
    LabelSpec("any"),
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


def test_the_weight_of_an_example_is_not_asked_for(make_model):
    model = make_model(head=head_class("BinaryClassHead")(weight_column="weight"))
    spec = model.example_spec()
    assert set(spec.features) == {"text", "weight"}
    for form in ("features", "files"):
        assert asked(spec, form) == {"text": ("string", [None])}
    assert set(ServingInput(spec, "examples")().features) == {"text"}


def test_an_image_of_unknown_size():
    spec = ExampleSpec({"image": tf.TensorSpec([None, None, 3, 1])}, LabelSpec("any"))
    with pytest.raises(errors.ModelError, match="^The images of the feature 'image' have "):
        ServingInput(spec, "files")()


def test_a_form_that_is_none():
    with pytest.raises(errors.ModelError) as caught:
        ServingInput(TWO_CLASSES, "jpeg")()
    assert str(caught.value) == (
        "ServingInput.form is 'jpeg'; it must be one of 'features', 'files', 'examples'."
    )
