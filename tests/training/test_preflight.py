"""What a run is checked for before it starts."""

from __future__ import annotations

import pytest
import tensorflow as tf

from hub_estimator import errors
from hub_estimator.training import preflight
from hub_estimator.training.model_folder import ModelFolder


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
