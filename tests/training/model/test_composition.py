"""A model exported as one module: the features before the head."""

from __future__ import annotations

import os

import numpy as np
import pytest
import tensorflow as tf

import hub_estimator as hub
from hub_estimator import errors, estimator
from hub_estimator.training.example_spec import ExampleSpec
from hub_estimator.training.labels.unknown import AnyLabels
from hub_estimator.training.model.composition import ComposedModule, composed_spec
from hub_estimator.training.model.encoders import Encoder
from hub_estimator.training.model.layers import DenseLayers
from hub_estimator.training.serving import ServingInput
from tests.training.training_data import TWO_CLASSES

WORDS = ["good", "bad", "other"]


@pytest.fixture
def model(make_model, text_module):
    """Two encoders of one module on one feature, one of them frozen, a layer, a composed export."""
    encoders = [
        Encoder(text_module, name="tuned", trainable=True, export_name="text"),
        Encoder(text_module, name="frozen"),
    ]
    layers = DenseLayers(units=[3], activation=tf.nn.tanh, batch_norm=True)
    return make_model(encoders=encoders, layers=layers, export_name="composed")


@pytest.fixture
def exported(model, examples, tmp_path):
    """An Estimator of the model after some steps, and the folder of the exports of its modules."""
    made = estimator.Estimator(model.model_fn, str(tmp_path / "model"), params={})
    made.train(examples.training_fn(TWO_CLASSES, 1, lambda: 0), max_steps=3)
    exporter = hub.LatestModuleExporter("modules", ServingInput(TWO_CLASSES))
    return made, exporter.export(made, str(tmp_path / "export"))


def applied(path, inputs, tags=None):
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        output = hub.Module(path, tags=tags)(inputs)
        session.run(
            [tf.compat.v1.global_variables_initializer(), tf.compat.v1.tables_initializer()]
        )
        return session.run(output)


def represented(model, made, mode="infer"):
    """What the model itself makes of the words, with the checkpoint's values."""
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        output = model.represent({"text": tf.constant(WORDS)}, mode)[0]
        tf.compat.v1.train.Saver().restore(session, made.latest_checkpoint())
        return session.run(output)


def test_it_computes_what_the_model_does(exported, model):
    made, path = exported
    assert sorted(os.listdir(path)) == ["checkpoint.json", "composed", "global_step", "text"]
    expected = represented(model, made)
    assert expected.shape == (3, 3)
    np.testing.assert_allclose(applied(f"{path}/composed", WORDS), expected, rtol=1e-6)
    spec = hub.load_module_spec(f"{path}/composed")
    assert spec.get_signature_names() == ["default"]
    assert list(spec.get_input_info_dict()) == ["text"]
    assert [info.get_shape().as_list() for info in spec.get_output_info_dict().values()] == [
        [None, 3]
    ]
    # The part that was fine-tuned is exported alone too, with the same values.
    assert np.array_equal(
        *(
            tf.train.load_variable(f"{path}/{name}/variables/variables", variable)
            for name, variable in [("composed", "tuned/embeddings"), ("text", "embeddings")]
        )
    )


def test_the_train_variant_uses_those_of_the_encoders(exported):
    _, path = exported
    train, infer = (applied(f"{path}/composed", WORDS, tags) for tags in ({"train"}, None))
    assert not np.allclose(train, infer)  # the encoders' train variant doubles


def test_all_of_it_can_be_trained_by_whoever_uses_it(exported):
    _, path = exported
    module = hub.Module(f"{path}/composed", trainable=True, tags={"train"})
    names = sorted(variable.op.name for variable in tf.compat.v1.trainable_variables())
    assert names == [
        "module/batch_norm_0/beta",
        "module/batch_norm_0/gamma",
        "module/frozen/embeddings",
        "module/hidden_0/bias",
        "module/hidden_0/kernel",
        "module/tuned/embeddings",
    ]
    module(WORDS)
    assert len(tf.compat.v1.losses.get_regularization_losses()) == 2
    assert len(tf.compat.v1.get_collection(tf.compat.v1.GraphKeys.UPDATE_OPS)) == 2  # batch norm's


def test_its_users_choose_when_it_is_trained(make_model, examples, tmp_path):
    model = make_model({"trainable": True, "train_from_step": 2}, export_name="composed")
    made = estimator.Estimator(model.model_fn, str(tmp_path / "model"), params={})
    made.train(examples.training_fn(TWO_CLASSES, 1, lambda: 0), max_steps=3)
    exporter = hub.LatestModuleExporter("modules", ServingInput(TWO_CLASSES))
    path = exporter.export(made, str(tmp_path / "export"))
    train, infer = (applied(f"{path}/composed", WORDS, tags) for tags in ({"train"}, None))
    assert not np.allclose(train, infer)


def test_it_is_an_encoder_of_another_model(exported, make_model, examples, tmp_path):
    _, path = exported
    other = make_model({"handle": f"{path}/composed", "trainable": True})
    made = estimator.Estimator(other.model_fn, str(tmp_path / "other"), params={})
    made.train(examples.training_fn(TWO_CLASSES, 1, lambda: 0), max_steps=1)
    before = tf.train.load_variable(f"{path}/composed/variables/variables", "hidden_0/kernel")
    after = made.get_variable_value("module/hidden_0/kernel")
    assert before.shape == after.shape and not np.array_equal(before, after)


def test_averaged_weights_are_exported(make_model, examples, tmp_path):
    model = make_model({"trainable": True}, {"average_decay": 0.9}, export_name="composed")
    made = estimator.Estimator(model.model_fn, str(tmp_path / "model"), params={})
    made.train(examples.training_fn(TWO_CLASSES, 1, lambda: 0), max_steps=3)
    exporter = hub.LatestModuleExporter("modules", ServingInput(TWO_CLASSES))
    path = exporter.export(made, str(tmp_path / "export"))
    average = made.get_variable_value("module/embeddings/ExponentialMovingAverage")
    assert not np.array_equal(average, made.get_variable_value("module/embeddings"))
    for name, variable in [("composed", "module/embeddings"), ("text", "embeddings")]:
        value = tf.train.load_variable(f"{path}/{name}/variables/variables", variable)
        assert np.array_equal(value, average)


def build(features, mode):
    weight = tf.compat.v1.get_variable("w", [2], partitioner=tf.compat.v1.fixed_size_partitioner(2))
    tf.compat.v1.summary.scalar("sum", tf.reduce_sum(weight))
    return (features["a b"] + features["c"]) * weight * (2.0 if mode == "train" else 1.0)


NUMBERS = ExampleSpec(
    {name: tf.TensorSpec([None, 2], tf.float32) for name in ("a b", "c", "weight")},
    AnyLabels(),
    weights=("weight",),
)


def test_several_features_and_partitioned_variables(tmp_path):
    spec = composed_spec(build, NUMBERS)
    assert sorted(spec.get_input_info_dict()) == ["a b", "c"]
    values = {"a b": np.ones([1, 2], np.float32), "c": np.ones([1, 2], np.float32)}
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        output = build({name: tf.constant(value) for name, value in values.items()}, "infer")
        session.run(tf.compat.v1.global_variables_initializer())
        expected = session.run(output)
        ComposedModule(spec).export(str(tmp_path / "module"), session)
    np.testing.assert_allclose(applied(str(tmp_path / "module"), values), expected)
    np.testing.assert_allclose(applied(str(tmp_path / "module"), values, {"train"}), 2 * expected)


def test_a_session_of_another_model(tmp_path):
    tf.compat.v1.get_variable("other", [1])
    with tf.compat.v1.Session() as session, pytest.raises(errors.ExportError) as caught:
        ComposedModule(composed_spec(build, NUMBERS)).export(str(tmp_path / "module"), session)
    assert str(caught.value) == (
        "The model cannot be exported as a module: its graph has no variables 'w/part_0', "
        "'w/part_1'. It has: 'other'."
    )
    assert os.listdir(tmp_path) == []


def test_a_session_without_values(tmp_path):
    build({name: tf.ones([1, 2]) for name in ("a b", "c")}, "infer")
    with tf.compat.v1.Session() as session, pytest.raises(errors.ExportError) as caught:
        ComposedModule(composed_spec(build, NUMBERS)).export(str(tmp_path / "module"), session)
    assert str(caught.value).startswith(
        "The model cannot be exported as a module: a variable has no value in the session. Restore "
        "a checkpoint first. ("
    )
    assert os.listdir(tmp_path) == []


def test_the_name_of_an_encoder_is_taken(make_model):
    model = make_model(export_name="text")
    with pytest.raises(errors.ModelError) as caught:
        model.model_fn(ServingInput(TWO_CLASSES)().features, None, "infer")
    assert str(caught.value) == "There is already a module registered as 'text'."
