"""The gradient of sums over looked-up rows: TensorFlow's own values, and nothing of it is saved."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

import hub_estimator as hub
from hub_estimator import compat
from hub_estimator.compat import row_gradients
from tests import modules
from tests.modules import tf1

KINDS = ("SparseSegmentSum", "SparseSegmentMean", "SparseSegmentSqrtN")
# Rows 1 and 4 are in no segment, row 0 is in two and twice in one; segment 2 has nothing.
INDICES, SEGMENTS, ROWS = [0, 3, 0, 2, 0, 5], [0, 0, 0, 1, 3, 3], 6


@pytest.fixture
def slow(monkeypatch):
    """As where TensorFlow's own gradient is the slower one."""
    monkeypatch.setattr(row_gradients, "_own_is_slow", lambda: True)


@pytest.fixture(params=["product", "sorted"])
def way(request, monkeypatch):
    """Both ways to add: which is taken depends on how many rows the segments share."""
    if request.param == "sorted":
        monkeypatch.setattr(row_gradients, "_SPARSEST", 0)


def _sum(kind, data, indices=INDICES, segments=SEGMENTS, **more):
    """The operation of a kind; with `num_segments` the one of that name."""
    function = getattr(tf.raw_ops, kind + ("WithNumSegments" if "num_segments" in more else ""))
    return function(data=data, indices=indices, segment_ids=segments, **more)


def _gradient(outputs, data):
    numbers = tf.range(tf.size(outputs), dtype=data.dtype) + 1
    (gradient,) = tf.gradients(outputs, [data], tf.reshape(tf.sin(numbers), tf.shape(outputs)))
    with tf1.Session() as session:
        return session.run(gradient)


@pytest.mark.parametrize("more", [{}, {"num_segments": 6}])
@pytest.mark.parametrize("dtype", [tf.float32, tf.float64])
@pytest.mark.parametrize("kind", KINDS)
def test_it_is_tensorflows_own(slow, way, kind, dtype, more):
    data = tf.reshape(tf.range(ROWS * 6, dtype=dtype), [ROWS, 2, 3])
    own, ours = (_sum(kind, data, **more) for _ in range(2))
    compat.hasten_row_gradients([ours.op])
    found = _gradient(ours, data)
    np.testing.assert_allclose(found, _gradient(own, data), rtol=1e-6)
    assert np.abs(found[[0, 2, 3, 5]]).min() > 0
    assert np.abs(found[[1, 4]]).max() == 0


@pytest.mark.parametrize("ids", [tf.int32, tf.int64])
def test_ids_of_either_type(slow, ids):
    data = tf.ones([ROWS, 2])
    outputs = _sum(KINDS[0], data, tf.constant(INDICES, ids), tf.constant(SEGMENTS, ids))
    compat.hasten_row_gradients([outputs.op])
    np.testing.assert_allclose(
        _gradient(outputs, data), _gradient(_sum(KINDS[0], data), data), rtol=1e-6
    )


def test_what_is_not_finite_stays_in_its_rows(slow):
    data = tf.ones([ROWS, 2])
    outputs = _sum(KINDS[0], data)
    compat.hasten_row_gradients([outputs.op])
    (gradient,) = tf.gradients(outputs, [data], tf.constant([[1.0], [np.nan], [0], [1]]) * [[1, 1]])
    with tf1.Session() as session:
        found = session.run(gradient)
    np.testing.assert_array_equal(found[:, 0], [3, 0, np.nan, 1, 0, 1])


def test_nothing_looked_up(slow):
    data = tf.ones([ROWS, 2])
    none = tf.zeros([0], tf.int32)
    outputs = _sum(KINDS[2], data, none, none, num_segments=3)
    compat.hasten_row_gradients([outputs.op])
    np.testing.assert_array_equal(_gradient(outputs, data), np.zeros([ROWS, 2]))


def test_other_numbers_are_left_to_tensorflow(slow):
    half = _sum(KINDS[0], tf.ones([ROWS, 2], tf.bfloat16))
    compat.hasten_row_gradients([half.op])
    assert half.op._gradient_function is None


@pytest.mark.skipif(compat.tf_version() < (2, 16), reason="older releases give no such gradients")
def test_a_gradient_that_is_wanted_sparse_is_sparse(slow):
    data = tf.ones([ROWS, 2])
    own, ours = (_sum(KINDS[2], data, sparse_gradient=True) for _ in range(2))
    compat.hasten_row_gradients([ours.op])
    wanted, found = (tf.gradients(outputs, data)[0] for outputs in (own, ours))
    assert isinstance(found, tf.IndexedSlices)
    with tf1.Session() as session:
        np.testing.assert_array_equal(*session.run([found.indices, wanted.indices]))
        np.testing.assert_allclose(*session.run([found.values, wanted.values]), rtol=1e-6)
        np.testing.assert_array_equal(session.run(found.dense_shape), [ROWS, 2])


def test_where_tensorflows_own_is_fast_it_stays(monkeypatch):
    monkeypatch.setattr(row_gradients, "_own_is_slow", lambda: False)
    outputs = _sum(KINDS[0], tf.ones([ROWS, 2]))
    compat.hasten_row_gradients([outputs.op])
    assert outputs.op._gradient_function is None


def test_the_slower_one_is_found_by_measuring():
    row_gradients._own_is_slow.cache_clear()
    assert row_gradients._own_is_slow() in (True, False)
    assert row_gradients._own_is_slow.cache_info().hits == 0
    row_gradients._own_is_slow()
    assert row_gradients._own_is_slow.cache_info().hits == 1


def _module_fn(use_resource):
    words = tf1.sparse_placeholder(tf.int64, [None, None])
    rows = tf1.get_variable(
        "rows",
        [ROWS, 3],
        use_resource=use_resource,
        initializer=tf1.random_normal_initializer(seed=1),
    )
    outputs = tf1.nn.safe_embedding_lookup_sparse(rows, words, combiner="sqrtn")
    hub.add_signature(inputs={"words": words}, outputs=outputs)


@pytest.mark.parametrize("use_resource", [False, True])
@pytest.mark.parametrize("is_slow", [False, True])
def test_training_a_module(tmp_path, monkeypatch, use_resource, is_slow):
    monkeypatch.setattr(row_gradients, "_own_is_slow", lambda: is_slow)
    spec = hub.create_module_spec(lambda: _module_fn(use_resource))
    module = hub.Module(modules.export(hub, spec, str(tmp_path / "module")), trainable=True)
    words = tf.SparseTensor([[0, 0], [0, 1], [1, 0]], tf.constant([2, 5, 2], tf.int64), [2, 2])
    outputs = module(words)
    (gradient,) = tf.gradients(tf.reduce_sum(outputs), module.variables)
    kinds = {operation.type for operation in tf1.get_default_graph().get_operations()}
    assert bool(kinds & {"If", "Merge", "StatelessIf", "TopKV2"}) == is_slow
    with tf1.Session() as session:
        session.run(tf1.global_variables_initializer())
        found = session.run(tf.convert_to_tensor(gradient))
    share = 2**-0.5
    np.testing.assert_allclose(found[:, 0], [0, 0, 1 + share, 0, 0, share], rtol=1e-6)


def test_nothing_of_it_is_in_the_graph(slow, tmp_path):
    spec = hub.create_module_spec(lambda: _module_fn(True))
    path = modules.export(hub, spec, str(tmp_path / "module"))
    stored = []
    for _ in range(2):
        with tf.Graph().as_default() as graph:
            words = tf.SparseTensor([[0, 0]], tf.constant([2], tf.int64), [1, 1])
            hub.Module(path, trainable=True)(words)
            stored.append(graph.as_graph_def())
        row_gradients._own_is_slow = lambda: False  # `slow` puts it back
    assert stored[0] == stored[1]


def test_a_module_that_is_not_trained_is_left_alone(slow, tmp_path):
    spec = hub.create_module_spec(lambda: _module_fn(True))
    module = hub.Module(modules.export(hub, spec, str(tmp_path / "module")))
    module(tf.SparseTensor([[0, 0]], tf.constant([2], tf.int64), [1, 1]))
    sums = [
        operation
        for operation in tf1.get_default_graph().get_operations()
        if compat.is_row_sum(operation.type)
    ]
    assert sums and not any(operation._gradient_function for operation in sums)
