"""Encoders whose modules have other variables in each graph variant, or none to train."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

import hub_estimator as hub
from hub_estimator import estimator
from hub_estimator.training.model.encoders import Encoder
from tests import modules

tf1 = tf.compat.v1
NAMES = ["module/batches", "module/of_prediction", "module/of_training", "module/weights"]


def module_fn(is_training: bool = False, has_weights: bool = True) -> None:
    """Numbers `[B, 2]`, weighted; each variant adds a number, and that for training counts."""
    numbers = tf1.placeholder(tf.float32, [None, 2])
    outputs = numbers
    if has_weights:
        outputs *= tf1.get_variable("weights", [2], initializer=tf1.ones_initializer())
        name = "of_training" if is_training else "of_prediction"
        outputs += tf1.get_variable(name, [], initializer=tf1.ones_initializer())
    if is_training:
        batches = tf1.get_variable(
            "batches", [], trainable=False, initializer=tf1.zeros_initializer()
        )
        update = batches.assign_add(1.0, read_value=False)
        tf1.add_to_collection(tf1.GraphKeys.UPDATE_OPS, update)
    hub.add_signature(inputs={"numbers": numbers}, outputs=outputs)


@pytest.fixture
def module(tmp_path):
    """A module on disk, with values for both variants."""
    spec = hub.create_module_spec(module_fn, modules.BOTH_VARIANTS)
    with tf.Graph().as_default(), tf1.Session() as session:
        made = hub.Module(spec)
        made.variant(modules.TRAIN)
        modules.initialize(session)
        made.export(tmp_path / "handle", session)
    return str(tmp_path / "handle")


@pytest.fixture
def counter(tmp_path):
    """A module on disk that has nothing to train, and counts."""
    pairs = [(set(), {"has_weights": False, "is_training": True})]
    spec = hub.create_module_spec(module_fn, pairs)
    return modules.export(hub, spec, str(tmp_path / "counter"))


@pytest.fixture
def train(make_model, tmp_path):
    """Trains a model on one encoder; gives the Estimator."""

    def train(steps, encoder, optimization=None, **changes):
        model = make_model(None, optimization, encoders=[encoder], layers=None, **changes)
        made = estimator.Estimator(model.model_fn, str(tmp_path / "model"), params={})
        made.train(input_fn, max_steps=steps)
        return made

    return train


def input_fn():
    features = {"numbers": np.array([[1.0, 2.0], [3.0, -1.0]], np.float32)}
    return tf.data.Dataset.from_tensors((features, np.array([0, 1]))).repeat()


def receiver_fn():
    features = {"numbers": tf1.placeholder(tf.float32, [None, 2])}
    return estimator.export.ServingInputReceiver(features, features)


def exported(made, tmp_path):
    """Exports the modules of a model; gives the folder."""
    exporter = hub.LatestModuleExporter("module", receiver_fn)
    return exporter.export(made, str(tmp_path / "export"))


def value(path, name):
    return tf.train.load_variable(f"{path}/variables/variables", name)


@pytest.mark.parametrize("mode", ["train", "eval", "infer"])
@pytest.mark.parametrize("settings", [{}, {"train_from_step": 2}])
def test_each_mode_has_the_variables_of_all(module, mode, settings):
    tf1.train.create_global_step()
    encoder = Encoder(module, "numbers", trainable=True, **settings)
    encoding = encoder({"numbers": tf.ones([1, 2])}, mode)
    names = sorted(variable.op.name for variable in tf1.global_variables())
    assert names == ["global_step", *NAMES]
    trained = sorted(variable.op.name for variable in encoding.group.variables)
    assert trained == NAMES[1:] == sorted(each.op.name for each in tf1.trainable_variables())


@pytest.mark.parametrize("settings", [{}, {"average_decay": 0.5}], ids=["plain", "averages"])
def test_what_training_made_of_a_variant_is_exported(module, train, settings, tmp_path):
    encoder = Encoder(module, "numbers", trainable=True, export_name="numbers")
    made = train(3, encoder, settings)
    assert made.evaluate(input_fn, steps=1)["global_step"] == 3
    path = f"{exported(made, tmp_path)}/numbers"
    end = "/ExponentialMovingAverage" if settings else ""
    for name in ("of_prediction", "of_training", "weights"):
        assert np.array_equal(value(path, name), made.get_variable_value(f"module/{name}{end}"))
    assert value(path, "batches") == 3 and value(path, "of_prediction") == 1
    assert value(path, "of_training") != 1


def test_a_composed_module_has_the_variables_of_both_variants(module, train, tmp_path):
    encoder = Encoder(module, "numbers", trainable=True)
    made = train(3, encoder, export_name="composed")
    path = f"{exported(made, tmp_path)}/composed"
    for name in NAMES:
        assert np.array_equal(value(path, name), made.get_variable_value(name))
    again = hub.Module(path, trainable=True, tags=modules.TRAIN)
    again({"numbers": [[1.0, 2.0]]})
    assert len(tf1.get_collection(tf1.GraphKeys.UPDATE_OPS)) == 1


def test_variants_with_equal_variables_add_nothing(text_module):
    Encoder(text_module, trainable=True)({"text": tf.constant(["a"])}, "train")
    alone = len(tf1.get_default_graph().get_operations())
    with tf.Graph().as_default() as graph:
        hub.Module(text_module, trainable=True, tags=modules.TRAIN)(tf.constant(["a"]))
        assert len(graph.get_operations()) <= alone + 1


@pytest.mark.parametrize("start, expected", [(0, 5), (3, 2)])
def test_a_module_with_nothing_to_train_counts(counter, train, start, expected):
    encoder = Encoder(counter, "numbers", trainable=True, train_from_step=start)
    made = train(5, encoder, save_frozen=False)
    assert made.get_variable_value("module/batches") == expected


def test_a_module_that_is_not_trained_does_not_count(counter, train):
    made = train(5, Encoder(counter, "numbers"))
    assert made.get_variable_value("module/batches") == 0
