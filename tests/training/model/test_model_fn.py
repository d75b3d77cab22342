"""The model: loss, regularization, what training changes, and use by a plain Estimator."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

import hub_estimator as hub
from hub_estimator import errors, estimator
from hub_estimator.training.model.encoders import Encoder
from hub_estimator.training.model.layers import DenseLayers
from tests.training.training_data import TWO_CLASSES

FEATURES = {"text": ["good", "bad", "bad"]}
LABELS = [1, 0, 0]
EMBEDDINGS = "module/embeddings"


def build(model, mode="train"):
    features = {name: tf.constant(value) for name, value in FEATURES.items()}
    return model.model_fn(features, tf.constant(LABELS), mode)


def losses(model):
    """The loss that training reduces, and the sum of the regularization losses."""
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        tf.compat.v1.train.create_global_step()
        tf.compat.v1.set_random_seed(1)
        loss = build(model).loss
        collected = tf.compat.v1.losses.get_regularization_losses()
        session.run(tf.compat.v1.global_variables_initializer())
        return session.run([loss, tf.add_n(collected) if collected else tf.constant(0.0)])


@pytest.mark.parametrize("scale", [0.0, 1.0, 0.5])
def test_regularization_losses_are_in_the_loss_scaled(make_model, scale):
    encoder = {"trainable": True}
    layers = DenseLayers([4], l2=0.1)
    plain, _ = losses(make_model(encoder, layers=layers, regularization_scale=0.0))
    total, regularization = losses(make_model(encoder, layers=layers, regularization_scale=scale))
    assert regularization > 1  # the module's and the layer's
    assert total == pytest.approx(plain + scale * regularization, rel=1e-5)


def test_a_frozen_module_adds_no_regularization_loss(make_model):
    assert losses(make_model())[1] == 0


def summaries(model):
    build(model)
    return [
        op.name
        for op in tf.compat.v1.get_default_graph().get_operations()
        if op.type == "ScalarSummary"
    ]


def test_summaries(make_model):
    tf.compat.v1.train.create_global_step()
    names = summaries(make_model({"trainable": True}))
    assert {"loss", "regularization_loss", "learning_rate"} <= set(names)


def test_update_ops_run_before_the_step(make_model):
    with tf.compat.v1.Session() as session:
        tf.compat.v1.train.create_global_step()
        counter = tf.compat.v1.get_variable("counter", [], initializer=tf.zeros_initializer())
        update = counter.assign_add(1.0).op
        tf.compat.v1.add_to_collection(tf.compat.v1.GraphKeys.UPDATE_OPS, update)
        spec = build(make_model())
        session.run(tf.compat.v1.global_variables_initializer())
        session.run(spec.train_op)
        assert session.run(counter) == 1


@pytest.mark.parametrize("trainable", [False, True])
def test_training_changes_the_module_only_when_trainable(
    make_model, examples, tmp_path, text_module, trainable
):
    model = make_model({"trainable": trainable})
    config = estimator.RunConfig(tf_random_seed=1)  # a dead hidden layer would change nothing
    trained = estimator.Estimator(model.model_fn, str(tmp_path), config, params={})
    trained.train(examples.training_fn(TWO_CLASSES, 1, lambda: 0), max_steps=3)
    before = tf.train.load_variable(f"{text_module}/variables/variables", "embeddings")
    after = trained.get_variable_value(EMBEDDINGS)
    assert np.array_equal(before, after) != trainable
    assert not np.array_equal(trained.get_variable_value("hidden_0/bias"), np.zeros(4))


def test_a_plain_estimator_trains_evaluates_and_predicts(make_model, examples, tmp_path):
    model = make_model({"trainable": True})
    # Four hidden units learn this from most initial values, but not from all.
    config = estimator.RunConfig(tf_random_seed=1)
    trained = estimator.Estimator(model.model_fn, str(tmp_path), config, params={})
    trained.train(examples.training_fn(TWO_CLASSES, 1, lambda: 0), max_steps=60)
    metrics = trained.evaluate(examples.evaluation_fn(TWO_CLASSES))
    assert metrics["accuracy"] == 1 and metrics["regularization_loss"] > 0
    predictions = list(trained.predict(examples.evaluation_fn(TWO_CLASSES)))
    assert [int(each["class_ids"][0]) for each in predictions[:2]] == [0, 1]


def test_several_encoders_of_the_same_module(make_model, text_module):
    tf.compat.v1.train.create_global_step()
    encoders = [Encoder(text_module), Encoder(text_module, name="other")]
    build(make_model(encoders=encoders))
    names = {
        variable.op.name: variable.shape.as_list() for variable in tf.compat.v1.global_variables()
    }
    assert {EMBEDDINGS, "other/embeddings"} <= set(names)
    assert names["hidden_0/kernel"] == [8, 4]


def test_without_layers(make_model):
    tf.compat.v1.train.create_global_step()
    build(make_model(layers=None))
    assert "logits/kernel" in {each.op.name for each in tf.compat.v1.trainable_variables()}


def test_dropout_only_when_training():
    layers = DenseLayers([], input_dropout=0.5)
    ones = tf.ones([1, 100])
    with tf.compat.v1.Session() as session:
        kept, dropped = session.run([layers(ones, False), layers(ones, True)])
    assert kept.min() == 1 and dropped.min() == 0


def test_no_encoder(make_model):
    with pytest.raises(errors.ModelError) as caught:
        make_model(encoders=[]).check("train", ["text"])
    assert str(caught.value) == "The model has no encoder. Give Model.encoders at least one."


def test_two_encoders_exported_under_one_name(make_model, text_module):
    encoders = [Encoder(text_module, export_name="text", name=name) for name in "ab"]
    with pytest.raises(errors.ModelError) as caught:
        make_model(encoders=encoders).check("train", ["text"])
    assert str(caught.value) == (
        "Two encoders are exported as 'text'. Give each its own Encoder.export_name."
    )


def test_a_module_spec_as_handle(make_model):
    def module_fn():
        text = tf.compat.v1.placeholder(tf.string, [None])
        scale = tf.compat.v1.get_variable("scale", [])
        length = tf.cast(tf.strings.length(text), tf.float32)
        hub.add_signature(inputs={"text": text}, outputs=scale * length[:, None])

    tf.compat.v1.train.create_global_step()
    build(make_model({"handle": hub.create_module_spec(module_fn), "export_name": None}))


def test_encoders_that_are_no_list(make_model, text_module):
    encoder = Encoder(text_module)
    with pytest.raises(errors.ModelError) as caught:
        make_model(encoders=encoder).check("train", ["text"])
    assert str(caught.value) == (
        f"Model.encoders is {encoder!r}; give it a list, as in [@Encoder()]."
    )
