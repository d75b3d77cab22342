"""Which of TensorFlow's optimizations a training runs with."""

from __future__ import annotations

import functools

import pytest
import tensorflow as tf

import hub_estimator as hub
from hub_estimator.compat import row_gradients
from hub_estimator.training.model.encoders import Encoder
from hub_estimator.training.running.session_config import session_config
from tests import modules
from tests.training import runs

tf1 = tf.compat.v1


def sums_module_fn():
    """Texts `[B]` to the sums of the rows of their words `[B, 4]`."""
    text = tf1.placeholder(tf.string, [None], name="text")
    table = tf1.get_variable("embeddings", [16, 4])
    words = tf1.string_split(text)
    rows = tf.SparseTensor(
        words.indices, tf.strings.to_hash_bucket_fast(words.values, 16), words.dense_shape
    )
    hub.add_signature(inputs=text, outputs=tf.nn.embedding_lookup_sparse(table, rows, None))


@pytest.fixture(scope="module")
def sums_module(tmp_path_factory):
    path = str(tmp_path_factory.mktemp("sums") / "m")
    return modules.export(hub, hub.create_module_spec(sums_module_fn), path)


class RunGraphs(tf1.train.SessionRunHook):
    """Keeps the graphs that a training really runs."""

    def __init__(self):
        self.nodes = []

    def before_run(self, run_context):
        options = tf1.RunOptions(output_partition_graphs=True)
        return tf1.train.SessionRunArgs([], options=options)

    def after_run(self, run_context, run_values):
        graphs = run_values.run_metadata.partition_graphs
        self.nodes += [node for graph in graphs for node in graph.node]


def nodes_of_a_run(folder, model, examples, **settings):
    seen = RunGraphs()
    runs.train(
        folder,
        model,
        examples,
        examples,
        2,
        2,
        hooks=[lambda: seen],
        **settings,
        feature_cache=False,
    )
    return seen.nodes


def reads_of_whole_tables(nodes):
    return [node.name for node in nodes if "SimplifyEmbeddingLookupStage" in node.name]


@pytest.mark.parametrize("is_slow", [True, False])
def test_training_a_table_reads_only_the_rows_that_it_needs(
    make_regression, sums_module, examples, tmp_path, monkeypatch, is_slow
):
    # With our gradient of sums of rows, and with TensorFlow's own.
    monkeypatch.setattr(row_gradients, "_own_is_slow", lambda: is_slow)
    model = make_regression(encoders=[Encoder(sums_module, trainable=True)])
    nodes = nodes_of_a_run(tmp_path, model, examples)
    assert any(node.op == "SparseSegmentMean" for node in nodes)
    assert not reads_of_whole_tables(nodes)


def test_a_frozen_table_is_read_as_tensorflow_likes(
    make_regression, sums_module, examples, tmp_path
):
    # Nothing changes it, so a read copies nothing. It shows what the test above looks for, too.
    nodes = nodes_of_a_run(tmp_path, make_regression(encoders=[Encoder(sums_module)]), examples)
    assert reads_of_whole_tables(nodes)


def test_a_strategy_configures_its_own_sessions(make_regression, sums_module, examples, tmp_path):
    model = make_regression(encoders=[Encoder(sums_module, trainable=True)])
    strategy = functools.partial(tf.distribute.MirroredStrategy, ["/cpu:0"])
    nodes = nodes_of_a_run(tmp_path, model, examples, distribute=strategy)
    assert reads_of_whole_tables(nodes)


def test_all_else_is_left_to_tensorflow():
    table = tf1.get_variable("table", [4, 2])
    mean = tf.reduce_mean(tf.nn.embedding_lookup(table, [0, 1]))
    tf.gradients(mean, table)
    assert session_config(tf1.get_default_graph()) is None


def test_a_device_that_is_missing_is_replaced_as_in_other_estimators():
    table = tf1.get_variable("table", [4, 2])
    tf.gradients(tf.sparse.segment_sqrt_n(table, [0, 1], [0, 0]), table)
    config = session_config(tf1.get_default_graph())
    assert config.allow_soft_placement
