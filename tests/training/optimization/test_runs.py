"""Whole runs with everything at once: a module that starts later, in small steps, and averages."""

from __future__ import annotations

import functools

import numpy as np
import pytest
import tensorflow as tf

import hub_estimator as hub
from hub_estimator import estimator
from hub_estimator.training.optimization.schedules import linear_decay
from hub_estimator.training.optimization.weight_decay import AdamWOptimizer
from hub_estimator.training.serving import ServingInput
from tests.training.training_data import TWO_CLASSES

ENCODER = {"trainable": True, "learning_rate_multiplier": 0.1, "train_from_step": 3}
OPTIMIZATION = {
    "optimizer": AdamWOptimizer,
    "learning_rate": 0.1,
    "decay": functools.partial(linear_decay, steps=10),
    "warm_up_steps": 2,
    "clip_norm": 1.0,
    "average_decay": 0.9,
}


@pytest.fixture
def train(make_model, examples, tmp_path):
    """Trains in a folder of the test up to a step, after which it may go on."""

    def train(folder, max_steps):
        config = estimator.RunConfig(tf_random_seed=1)
        model = make_model(ENCODER, OPTIMIZATION)
        trained = estimator.Estimator(model.model_fn, str(tmp_path / folder), config, params={})
        start = 0 if trained.latest_checkpoint() is None else variables(trained)["global_step"]
        training_fn = examples.training_fn(TWO_CLASSES, 1, lambda: int(start))
        return trained.train(training_fn, max_steps=max_steps)

    return train


def variables(trained):
    return {name: trained.get_variable_value(name) for name in trained.get_variable_names()}


def test_a_run_that_stops_and_goes_on_is_the_same_run(train):
    train("parts", 2)
    after, expected = variables(train("parts", 5)), variables(train("whole", 5))
    assert after.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_array_equal(after[name], value, err_msg=name)


def test_what_is_trained_and_exported(train, text_module, tmp_path):
    published = values(text_module)
    np.testing.assert_array_equal(variables(train("model", 3))["module/embeddings"], published)
    trained = train("model", 5)
    after = variables(trained)
    exporter = hub.LatestModuleExporter("modules", ServingInput(TWO_CLASSES))
    exported = values(f"{exporter.export(trained, str(tmp_path / 'modules'))}/text")
    np.testing.assert_array_equal(exported, after["module/embeddings/ExponentialMovingAverage"])
    assert not np.array_equal(exported, after["module/embeddings"])
    assert not np.array_equal(exported, published)


def values(module):
    return tf.train.load_variable(f"{module}/variables/variables", "embeddings")
