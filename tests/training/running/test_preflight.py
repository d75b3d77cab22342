"""What a run is checked for before it starts."""

from __future__ import annotations

import dataclasses

import pytest
import tensorflow as tf

from hub_estimator import errors
from hub_estimator.training.running import preflight
from hub_estimator.training.running.model_folder import ModelFolder


def test_nothing_stays_in_the_default_graph_or_on_disk(make_model, examples, tmp_path):
    preflight.check(ModelFolder(str(tmp_path / "model")), make_model(), examples, examples)
    assert tf.compat.v1.get_default_graph().get_operations() == []
    assert list(tmp_path.iterdir()) == []


def test_what_tensorflow_refuses_is_said_in_one_sentence(make_model, examples, tmp_path):
    model = make_model(optimization={"optimizer": lambda learning_rate: None})
    with pytest.raises(errors.ModelError) as caught:
        preflight.check(ModelFolder(str(tmp_path)), model, examples, examples)
    assert str(caught.value) == (
        "The model cannot be built: 'NoneType' object has no attribute 'compute_gradients'. Check "
        "the settings of Model and of its parts."
    )


def test_a_model_folder_without_a_name():
    with pytest.raises(errors.ModelFolderError) as caught:
        preflight.check_folder("")
    assert str(caught.value) == "The model folder has an empty name. Give it a path."


def test_both_inputs_must_give_the_features(make_model, examples, tmp_path):
    class Other(type(examples)):
        feature_names = ("title",)

    other = Other(examples.path)
    with pytest.raises(errors.FeatureNotFoundError, match=r"It gives: title\.$"):
        preflight.check(ModelFolder(str(tmp_path)), make_model(), examples, other)


def test_variables_without_a_known_shape(make_model, tmp_path):
    class Unknown(type(make_model())):
        def model_fn(self, features, labels, mode, *args):
            value = tf.compat.v1.placeholder_with_default(1.0, None)
            tf.compat.v1.Variable(value, validate_shape=False, use_resource=False, name="any")
            return super().model_fn(features, labels, mode, *args)

    model, folder = make_model(), ModelFolder(str(tmp_path))
    made = Unknown(**{each.name: getattr(model, each.name) for each in dataclasses.fields(model)})
    with tf.Graph().as_default() as graph, tf.compat.v1.Session() as session:
        tf.compat.v1.train.create_global_step()
        made.model_fn({"text": tf.constant(["good"])}, None, "infer")
        assert graph.get_tensor_by_name("any:0").shape.rank is None
        session.run(tf.compat.v1.global_variables_initializer())
        tf.compat.v1.train.Saver().save(session, f"{tmp_path}/model.ckpt", global_step=1)
    preflight.check_graph(folder, made, made.example_spec(), "infer", None)
