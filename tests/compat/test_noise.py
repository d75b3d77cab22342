"""Upstream's deprecation notices are silent; everything else is heard."""

from __future__ import annotations

import logging
import os
import warnings

import pytest
import tensorflow as tf

from hub_estimator import compat
from tests.compat.programs import run

NOTICE = "From %s: %s (from %s) is deprecated and will be removed %s.\nInstructions:\n%s"
INSIDE = f"{os.path.dirname(tf.__file__)}/python/training/saver.py:1"


@pytest.fixture
def heard():
    """What the logger `tensorflow` lets through."""
    compat.silence_deprecations()
    messages = []
    handler = logging.Handler()
    handler.emit = lambda record: messages.append(record.getMessage())
    logger = logging.getLogger("tensorflow")
    logger.addHandler(handler)
    yield messages
    logger.removeHandler(handler)


@pytest.mark.parametrize(
    "message, args",
    [
        (NOTICE, ("/home/me/a.py:1", "f", "tensorflow_estimator.python.x", "soon", "Use y.")),
        (NOTICE, ("/home/me/a.py:1", "f", "tensorflow.python.feature_column.x", "soon", "Use y.")),
        (NOTICE, (INSIDE, "f", "tensorflow.python.ops.variables", "soon", "Use y.")),
        ("From %s: The name %s is deprecated. Please use %s instead.\n", (INSIDE, "tf.a", "tf.b")),
        (
            "From %s: The name %s is deprecated. Please use %s instead.\n",
            ("/home/me/a.py:1", "tf.estimator.Estimator", "tf.compat.v1.estimator.Estimator"),
        ),
    ],
)
def test_drops_notices_about_upstreams_own_code(heard, message, args):
    tf.get_logger().warning(message, *args)
    assert heard == []


@pytest.mark.parametrize(
    "message, args",
    [
        (NOTICE, ("/home/me/a.py:1", "f", "tensorflow.python.ops.variables", "soon", "Use y.")),
        (NOTICE, ("/me/tensorflow/a.py:1", "f", "tensorflow.python.ops.x", "soon", "Use y.")),
        ("my feature is deprecated", ()),
        ("From %s: loaded %d weights", (INSIDE, 3)),
        ({"not": "text"}, ()),
    ],
)
def test_lets_the_rest_through(heard, message, args):
    tf.get_logger().warning(message, *args)
    assert len(heard) == 1


def test_silences_the_legacy_layers_warnings_alone():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        layers = compat.legacy_layers()
        layers.flatten(layers.dropout(layers.dense(tf.zeros([1, 2]), 3)))
        warnings.warn("`my.layer` is deprecated", UserWarning, stacklevel=1)
    assert [str(warning.message) for warning in caught] == ["`my.layer` is deprecated"]


def test_silencing_twice_changes_nothing():
    compat.silence_deprecations()
    logger = logging.getLogger("tensorflow")
    before = list(logger.filters), list(warnings.filters)
    compat.silence_deprecations()
    assert (list(logger.filters), list(warnings.filters)) == before


PROGRAM = """
import sys
from hub_estimator import compat, estimator
compat.install()
import tensorflow as tf
tf1 = tf.compat.v1
tf1.disable_v2_behavior()
tf1.logging.set_verbosity(tf1.logging.INFO)

def model_fn(features, labels, mode):
    column = tf.feature_column.numeric_column("x")
    x = tf1.feature_column.input_layer(features, [column])
    x = tf1.layers.dropout(tf1.layers.batch_normalization(tf1.layers.dense(x, 4)))
    head = tf.estimator.RegressionHead()
    optimizer = tf1.train.AdamOptimizer()
    return head.create_estimator_spec(
        features, mode, tf1.layers.dense(x, 1), labels,
        train_op_fn=lambda loss: optimizer.minimize(loss, tf1.train.get_global_step()))

def input_fn():
    return tf.data.Dataset.from_tensors(({"x": [[1.0]]}, [[2.0]])).repeat()

model = estimator.Estimator(model_fn, sys.argv[1])
estimator.train_and_evaluate(
    model, estimator.TrainSpec(input_fn, max_steps=3), estimator.EvalSpec(input_fn, steps=1))
"""


def test_a_training_program_shows_no_deprecations(tmp_path):
    result = run(PROGRAM, str(tmp_path))
    output = result.stdout + result.stderr
    assert result.returncode == 0, output
    assert "Loss for final step" in output  # upstream's other messages are there
    assert "deprecated" not in output.lower()
    assert "will be removed" not in output
