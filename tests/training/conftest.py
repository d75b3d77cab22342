"""A small text module, examples that it can learn from, models on it, and model folders."""

from __future__ import annotations

import os

import pytest
import tensorflow as tf

import hub_estimator as hub
from hub_estimator.compat import head_class
from hub_estimator.training.inputs.text_file import TextFile
from hub_estimator.training.model.encoders import Encoder
from hub_estimator.training.model.layers import DenseLayers
from hub_estimator.training.model.model_fn import Model
from hub_estimator.training.model_folder.model_folder import ModelFolder
from hub_estimator.training.optimization.optimization import Optimization
from tests.training.training_data import write_csv

BUCKETS, WIDTH = 16, 4


def text_module_fn(is_training: bool = False) -> None:
    """Texts `[B]` by their hash to rows of a table `[B, 4]`; the train variant doubles them."""
    text = tf.compat.v1.placeholder(tf.string, [None], name="text")
    table = tf.compat.v1.get_variable(
        "embeddings",
        [BUCKETS, WIDTH],
        initializer=tf.compat.v1.random_uniform_initializer(-1, 1, seed=1),
        regularizer=lambda value: 0.5 * tf.reduce_sum(tf.square(value)),
    )
    rows = tf.nn.embedding_lookup(table, tf.strings.to_hash_bucket_fast(text, BUCKETS))
    hub.add_signature(
        inputs={"text": text},
        outputs={"default": 2 * rows if is_training else rows, "rows": rows},
    )


def export(spec, path) -> str:
    with tf.Graph().as_default():
        module = hub.Module(spec)
        with tf.compat.v1.Session() as session:
            session.run(tf.compat.v1.global_variables_initializer())
            module.export(str(path), session)
    return str(path)


@pytest.fixture(scope="session")
def text_module(tmp_path_factory) -> str:
    """A module with a train variant."""
    spec = hub.create_module_spec(text_module_fn, [(set(), {}), ({"train"}, {"is_training": True})])
    return export(spec, tmp_path_factory.mktemp("modules") / "text")


@pytest.fixture(scope="session")
def data_file(tmp_path_factory) -> str:
    """Sixty-four examples; the label follows from the text."""
    rows = [(f"{'good' if n % 2 else 'bad'}", n % 2) for n in range(64)]
    return write_csv(tmp_path_factory.mktemp("data") / "examples.csv", rows)


def _models(text_module, head):
    """What makes a model with a head of a class; keyword arguments replace parts of it."""

    def make(encoder=None, optimization=None, **changes) -> Model:
        encoder = {"handle": text_module, "export_name": "text", **(encoder or {})}
        adagrad = {"optimizer": tf.compat.v1.train.AdagradOptimizer, "learning_rate": 0.1}
        optimization = {**adagrad, **(optimization or {})}
        parts = {
            "encoders": [Encoder(**encoder)],
            "head": head_class(head)(),
            "optimization": Optimization(**optimization),
            "layers": DenseLayers(units=[4]),
            **changes,
        }
        return Model(**parts)

    return make


@pytest.fixture(scope="session")
def make_model(text_module):
    """Makes a model; keyword arguments replace those of its parts and of the model."""
    return _models(text_module, "BinaryClassHead")


@pytest.fixture(scope="session")
def make_regression(text_module):
    """As `make_model`, for tests of runs: a run costs half as much, as the head has few metrics."""
    return _models(text_module, "RegressionHead")


@pytest.fixture
def examples(data_file) -> TextFile:
    return TextFile(data_file, batch_size=8)


@pytest.fixture
def folder(tmp_path) -> ModelFolder:
    return ModelFolder(str(tmp_path / "model"))


@pytest.fixture
def save(folder):
    """Saves small checkpoints as an Estimator does; keeps the newest two."""
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        tf.compat.v1.train.create_global_step()
        saver = tf.compat.v1.train.Saver(max_to_keep=2)
        session.run(tf.compat.v1.global_variables_initializer())

        def save(step):
            with session.graph.as_default():  # in a thread too
                saver.save(session, os.path.join(folder.path, "model.ckpt"), global_step=step)

        yield save
