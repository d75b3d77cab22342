"""Canned Estimators as models of a run."""

from __future__ import annotations

import dataclasses
import functools

import numpy as np
import pytest
import tensorflow as tf

import hub_estimator as hub
from hub_estimator import config, errors
from hub_estimator.compat import head_class
from hub_estimator.training import configurables
from hub_estimator.training.labels.one_class import OneClass
from hub_estimator.training.model.canned_model import CannedModel, estimator_class
from tests.training import runs
from tests.training.training_data import write_csv


@pytest.fixture
def make(text_module):
    def model(name="DNNEstimator", linear=None, **column):
        made = functools.partial(
            estimator_class(name),
            **({"dnn_hidden_units": [4]} if linear else {"hidden_units": [4]}),
        )
        columns = [hub.text_embedding_column("text", text_module, **column)]
        return CannedModel(made, head_class("BinaryClassHead")(), columns, linear)

    return model


def test_what_it_takes(make):
    spec = make().example_spec()
    assert spec.features == {"text": tf.TensorSpec([None], tf.string, "text")}
    assert spec.labels == OneClass(2)


@pytest.mark.parametrize("trainable", [False, True])
def test_a_run_trains_it_and_exports_its_module(make, examples, tmp_path, text_module, trainable):
    result = runs.train(
        tmp_path / "model", make(trainable=trainable, export_name="text"), examples, examples,
        max_steps=4, eval_every_steps=4,
        exporters=[functools.partial(hub.LatestModuleExporter, "module")],
    )  # fmt: skip
    assert result.step == 4 and 0 <= result.metrics["accuracy"] <= 1
    (module,) = result.modules
    old, new = (
        tf.train.load_variable(f"{path}/variables/variables", "embeddings")
        for path in (text_module, module)
    )
    assert np.array_equal(old, new) != trainable


def test_a_linear_part_beside_the_deep_one(make, examples, tmp_path):
    words = tf.feature_column.categorical_column_with_hash_bucket("text", 4)
    model = make("DNNLinearCombinedEstimator", linear=[words])
    assert model.example_spec().features.keys() == {"text"}
    result = runs.train(
        tmp_path / "model", model, examples, examples, max_steps=2, eval_every_steps=2
    )
    assert result.step == 2


def test_a_feature_that_the_input_does_not_give(make, tmp_path):
    from hub_estimator.training.inputs.text_file import TextFile

    source = TextFile(write_csv(tmp_path / "a.csv", [("a", 1)]), texts={"review": "text"})
    with pytest.raises(errors.FeatureNotFoundError) as caught:
        make().check("train", source.feature_names)
    assert str(caught.value) == (
        "The columns take the feature 'text', which the input does not give. It gives: review."
    )


def check_error(model) -> str:
    with pytest.raises(errors.ModelError) as caught:
        model.check("train", ["text"])
    return str(caught.value)


def test_a_linear_part_without_columns(make):
    model = dataclasses.replace(
        make(), estimator=functools.partial(estimator_class("DNNLinearCombinedEstimator"))
    )
    assert check_error(model) == (
        "CannedModel.estimator is @DNNLinearCombinedEstimator, which has a linear and a deep part, "
        "and CannedModel.linear_columns is not set. Set it to the columns of the linear part, or "
        "choose @DNNEstimator."
    )
    dataclasses.replace(model, linear_columns=[]).check("train", ["text"])


@pytest.mark.parametrize("name", ["DNNEstimator", "LinearEstimator"])
def test_linear_columns_without_a_linear_part(make, name):
    words = tf.feature_column.categorical_column_with_hash_bucket("text", 4)
    model = dataclasses.replace(make(), estimator=estimator_class(name), linear_columns=[words])
    assert check_error(model) == (
        f"CannedModel.estimator is @{name}, which takes one list of columns, and "
        "CannedModel.linear_columns is set too. Remove it, or choose @DNNLinearCombinedEstimator."
    )


@pytest.mark.parametrize("name", ["DNNLinearCombinedClassifier", "DNNLinearCombinedRegressor"])
@pytest.mark.parametrize("linear", [None, []])
def test_an_estimator_that_takes_no_head(make, name, linear):
    model = dataclasses.replace(make(), estimator=estimator_class(name), linear_columns=linear)
    assert check_error(model) == (
        f"CannedModel.estimator is @{name}, which takes no head. Give one that does: "
        "@DNNEstimator, @LinearEstimator, @DNNLinearCombinedEstimator."
    )


def test_an_estimator_that_takes_anything(make):
    model = dataclasses.replace(make(), estimator=lambda **settings: settings, linear_columns=[])
    model.check("train", ["text"])


def test_an_estimator_of_gin(make):
    configurables.register()
    with config.gin_session([], ["CannedModel.estimator = @DNNLinearCombinedEstimator"]) as session:
        given = {"head": make().head, "columns": make().columns}
        model = session.call("CannedModel", **given)
        message = check_error(model)
    assert message.startswith(
        "CannedModel.estimator is @DNNLinearCombinedEstimator, which has a linear and a deep part, "
    )
