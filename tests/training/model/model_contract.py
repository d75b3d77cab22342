"""What every kind of model must do: its test class inherits these tests and makes the model."""

from __future__ import annotations

import pytest
import tensorflow as tf

from hub_estimator import errors, training
from hub_estimator.training.example_spec import ExampleSpec
from hub_estimator.training.model.contract import Capabilities, capabilities_of
from hub_estimator.training.model_folder.history import is_metric

BATCH = 3


class ModelContract:
    """A model of the feature `text`, whose label is 0 or 1."""

    @pytest.fixture
    def model(self):
        """The model."""
        raise NotImplementedError

    def test_what_it_takes(self, model):
        spec = model.example_spec()
        assert isinstance(spec, ExampleSpec) and set(spec.features) == {"text"}
        assert spec == model.example_spec()

    def test_features_that_the_data_does_not_give(self, model):
        for mode in ("train", "eval", "infer"):
            model.check(mode, ["other", "text"])
            with pytest.raises(errors.FeatureNotFoundError, match="'text'"):
                model.check(mode, ["other"])

    def test_it_is_built_for_each_mode(self, model):
        for mode in ("train", "eval", "infer"):
            with tf.Graph().as_default():
                tf.compat.v1.train.create_global_step()
                text = tf.compat.v1.placeholder(tf.string, [None])
                labels = tf.compat.v1.placeholder(tf.int64, [None])
                spec = model.model_fn(
                    {"text": text}, None if mode == "infer" else labels, mode, params={}
                )
                assert spec.mode == mode
                assert (spec.train_op is not None) == (mode == "train")
                assert (spec.loss is not None) == (mode != "infer")
                assert spec.predictions if mode == "infer" else True

    def test_what_a_run_may_do_with_it(self, model):
        found = capabilities_of(model)
        assert isinstance(found, Capabilities)
        features = set(model.example_spec().features)
        taken = {name for encoder in found.encoders for name in encoder.feature_specs()}
        assert taken <= features and found.head_features <= features

    def test_a_run_and_what_comes_after_it(self, model, examples, tmp_path):
        experiment = training.Experiment(model, examples, examples, 2, 2, feature_cache=False)
        result = training.train_and_evaluate(experiment, tmp_path / "model")
        assert result.step == 2
        assert any(is_metric(name, result.metrics) for name in result.metrics)
        [found] = training.evaluate(experiment, tmp_path / "model")
        assert found["loss"] == pytest.approx(result.metrics["loss"])
        output = tmp_path / "out.jsonl"
        made = training.predict(experiment, tmp_path / "model", examples.path, output)
        assert made.num_rows == examples.num_examples
        assert len(output.read_text().splitlines()) == made.num_rows
        path = tmp_path / "servable"
        assert training.export(experiment, tmp_path / "model", path, what="model").step == 2
        assert (path / "saved_model.pb").is_file()
