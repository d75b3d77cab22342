"""Encoders: what a module computes in each mode, and what is checked before."""

from __future__ import annotations

import pytest
import tensorflow as tf

import hub_estimator as hub
from hub_estimator import errors
from hub_estimator.training.model.encoders import Encoder

TRAIN, EVAL, PREDICT = "train", "eval", "infer"


def encode(encoder, mode):
    (output,) = encoder({"text": tf.constant(["a", "b"])}, mode).outputs
    with tf.compat.v1.Session() as session:
        session.run(tf.compat.v1.global_variables_initializer())
        return session.run(output)


@pytest.mark.parametrize(
    ("trainable", "mode", "factor"),
    [(True, TRAIN, 2), ("emb", TRAIN, 2), (False, TRAIN, 1), (True, EVAL, 1), (True, PREDICT, 1)],
)
def test_the_train_variant_is_used_when_fine_tuning(text_module, trainable, mode, factor):
    plain = encode(Encoder(text_module, output="rows"), PREDICT)
    output = encode(Encoder(text_module, trainable=trainable), mode)
    assert output.shape == (2, 4)
    assert output == pytest.approx(factor * plain)


@pytest.mark.parametrize("tags", [{"train"}, "train"])
def test_given_tags_are_used_in_every_mode(text_module, tags):
    encoder = Encoder(text_module, tags=tags)
    assert encoder.tags_for(PREDICT) == {"train"}


def test_a_module_without_train_variant(text_module):
    spec = hub.load_module_spec(text_module)
    assert Encoder(text_module, trainable=True).tags_for(TRAIN) == {"train"}
    assert Encoder(spec, trainable=False).tags_for(TRAIN) == frozenset()

    def module_fn():
        x = tf.compat.v1.placeholder(tf.float32, [None, 2])
        hub.add_signature(inputs=x, outputs=x * tf.compat.v1.get_variable("w", []))

    assert Encoder(hub.create_module_spec(module_fn), trainable=True).tags_for(TRAIN) == frozenset()


@pytest.mark.parametrize(("trainable", "number"), [(False, 0), (True, 1), ("^embed", 1)])
def test_what_is_trained(text_module, trainable, number):
    Encoder(text_module, trainable=trainable)({"text": tf.constant(["a"])}, TRAIN)
    assert len(tf.compat.v1.trainable_variables()) == number
    assert len(tf.compat.v1.losses.get_regularization_losses()) == number


def test_a_pattern_that_matches_nothing(text_module):
    with pytest.raises(errors.NoTrainableVariablesError):
        Encoder(text_module, trainable="nothing")({"text": tf.constant(["a"])}, TRAIN)


def test_feature_specs(text_module):
    specs = Encoder(text_module, feature="review").feature_specs()
    assert list(specs) == ["review"] and specs["review"].dtype == tf.string


def check_error(error_type, features=("text",), **kwargs):
    with pytest.raises(error_type) as caught:
        Encoder(**kwargs).check(TRAIN, features)
    return str(caught.value)


def test_a_handle_that_does_not_exist(tmp_path):
    path = str(tmp_path / "no")
    assert path in check_error(errors.HandleNotFoundError, handle=path)


def test_a_folder_that_is_no_module(tmp_path):
    assert str(tmp_path) in check_error(errors.NotAModuleError, handle=str(tmp_path))


def test_an_unknown_signature(text_module):
    message = check_error(errors.SignatureNotFoundError, handle=text_module, signature="other")
    assert "'other'" in message and "default" in message


def test_unknown_tags(text_module):
    message = check_error(errors.TagsNotFoundError, handle=text_module, tags=["gpu"])
    assert "gpu" in message and "train" in message


def test_an_unknown_output(text_module):
    assert check_error(errors.OutputNotFoundError, handle=text_module, output="other") == (
        f"The signature 'default' of the module {text_module!r} has no output 'other'. It has: "
        "default, rows."
    )


def test_an_unknown_feature(text_module):
    message = check_error(
        errors.FeatureNotFoundError, ["title", "review"], handle=text_module, name="m"
    )
    assert message == (
        "Encoder 'm' takes the feature 'text', which the input does not give. It gives: review, "
        "title."
    )


def test_other_inputs_than_the_signatures(text_module):
    assert check_error(errors.ModelError, handle=text_module, feature={"query": "text"}) == (
        "Encoder 'module' gives the signature 'default' the feature {'query': 'text'}, but its "
        "inputs are: text. Give Encoder.feature a dict with exactly these keys."
    )


def test_an_output_that_is_not_a_matrix():
    def module_fn():
        text = tf.compat.v1.placeholder(tf.string, [None])
        hub.add_signature(inputs={"text": text}, outputs=tf.strings.length(text))

    encoder = Encoder(hub.create_module_spec(module_fn))
    with pytest.raises(errors.ModelError, match=r"^The output 'default' of encoder 'module' is .*"
                       r"dense output \[batch, width\]\. Set Encoder\.pool, or choose another "):  # fmt: skip
        encoder({"text": tf.constant(["a"])}, TRAIN)


@pytest.mark.parametrize(
    ("dtype", "shape", "pool"),
    [(tf.string, [2], None), (tf.string, [3, 2], "mean"), (tf.complex64, [2], None)],
)
def test_an_output_that_is_no_number(dtype, shape, pool):
    def module_fn():
        text = tf.compat.v1.placeholder(tf.string, [None])
        outputs = tf.zeros([tf.shape(text)[0], *shape], tf.int32)
        outputs = tf.strings.as_string(outputs) if dtype == tf.string else tf.cast(outputs, dtype)
        hub.add_signature(inputs={"text": text}, outputs=outputs)

    encoder = Encoder(hub.create_module_spec(module_fn), pool=pool)
    with pytest.raises(errors.ModelError) as caught:
        encoder({"text": tf.constant(["a"])}, TRAIN)
    assert str(caught.value) == (
        f"The output 'default' of encoder 'module' is {dtype.name} {(1, *shape)}; a model takes numbers. "
        "Choose another Encoder.output or signature."
    )
