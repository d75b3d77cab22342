"""Updates of the rows of a table: TensorFlow's own values, by other operations."""

from __future__ import annotations

import functools

import numpy as np
import pytest
import tensorflow as tf

from hub_estimator import compat
from hub_estimator.compat import row_updates

tf1 = tf.compat.v1
train = tf1.train

BY_ROW = {
    "adadelta": functools.partial(train.AdadeltaOptimizer, 0.5),
    "adagrad": functools.partial(train.AdagradOptimizer, 0.5),
    "ftrl": functools.partial(
        train.FtrlOptimizer, 0.5, l1_regularization_strength=0.1, l2_regularization_strength=0.1
    ),
    "ftrl with shrinkage": functools.partial(
        train.FtrlOptimizer, 0.5, l2_shrinkage_regularization_strength=0.1
    ),
    "momentum": functools.partial(train.MomentumOptimizer, 0.5, 0.9),
    "nesterov": functools.partial(train.MomentumOptimizer, 0.5, 0.9, use_nesterov=True),
    "rmsprop": functools.partial(train.RMSPropOptimizer, 0.5, momentum=0.9),
    "rmsprop centered": functools.partial(train.RMSPropOptimizer, 0.5, centered=True),
    "dual averaging": lambda: train.AdagradDAOptimizer(0.5, train.get_or_create_global_step()),
}
ADAM = {"adam": functools.partial(train.AdamOptimizer, 0.5)}

# Rows that differ, rows that come twice, and none: each is the gradient of a step.
STEPS = ([4, 0, 3], [2, 4, 2, 4], [], [4, 0, 3])
ROWS, WIDTH = 6, 3


class OwnRowsOptimizer(train.AdagradOptimizer):
    """A user's own, with an update of rows of its own."""

    def _resource_apply_sparse(self, grad, var, indices):
        return tf.group(var.scatter_sub(tf.IndexedSlices(grad, indices)))


@pytest.fixture
def slow(monkeypatch):
    """As where TensorFlow's own updates are the slower ones."""
    monkeypatch.setattr(row_updates, "_own_is_slow", lambda kind, update: True)


def _numbers(shape, seed):
    return np.random.RandomState(seed).normal(size=shape)


def _trained(make, is_hastened, dtype=tf.float32, ids=tf.int32, apply=None, **settings):
    """The values of all variables by name after some steps, and the types of all operations."""
    with tf.Graph().as_default() as graph:
        optimizer = make()
        if is_hastened:
            compat.hasten_row_updates(optimizer)
        table = tf1.get_variable(
            "table",
            dtype=dtype,
            initializer=_numbers([ROWS, WIDTH], 1).astype(dtype.as_numpy_dtype),
            **{"use_resource": True, **settings},
        )
        rows = tf1.placeholder(ids, [None])
        values = tf1.placeholder(dtype, [None, WIDTH])
        pairs = [(tf.IndexedSlices(values, rows, table.shape), table)]
        step = (apply or (lambda: optimizer.apply_gradients(pairs)))()
        with tf1.Session() as session:
            session.run(tf1.global_variables_initializer())
            for number, given in enumerate(STEPS):
                feeds = {rows: given, values: _numbers([len(given), WIDTH], number)}
                session.run(step, feeds)
            found = session.run({one.name: one for one in tf1.global_variables()})
        kinds = {operation.type for operation in graph.get_operations()}
    return found, kinds


def _check_equal(found, wanted):
    assert set(found) == set(wanted)
    for name, values in wanted.items():
        np.testing.assert_allclose(found[name], values, rtol=2e-6, atol=1e-7, err_msg=name)


@pytest.mark.parametrize("dtype", [tf.float32, tf.float64])
@pytest.mark.parametrize("name", [*BY_ROW, *ADAM])
def test_the_variables_are_tensorflows_own(slow, name, dtype):
    make = {**BY_ROW, **ADAM}[name]
    wanted, own_kinds = _trained(make, False, dtype)
    found, kinds = _trained(make, True, dtype)
    _check_equal(found, wanted)
    changed = {"ResourceScatterUpdate"} if name in BY_ROW else {"ResourceApplyAdam"}
    assert changed <= kinds - own_kinds
    assert not any(kind.startswith("ResourceSparseApply") for kind in kinds)


@pytest.mark.parametrize("name", ["adagrad", "adam"])
def test_ids_of_64_bits(slow, name):
    make = {**BY_ROW, **ADAM}[name]
    _check_equal(*(_trained(make, is_hastened, ids=tf.int64)[0] for is_hastened in (True, False)))


@pytest.mark.parametrize("name", ["adagrad", "adam"])
def test_where_tensorflows_own_are_fast_they_stay(monkeypatch, name):
    monkeypatch.setattr(row_updates, "_own_is_slow", lambda kind, update: False)
    make = {**BY_ROW, **ADAM}[name]
    wanted, own_kinds = _trained(make, False)
    found, kinds = _trained(make, True)
    _check_equal(found, wanted)
    # Rows that come once are not added up again.
    assert kinds - own_kinds <= {
        "If",
        "StatelessIf",
        "Identity",
        "Merge",
        "Switch",
        "Equal",
        "Size",
    }


@pytest.mark.parametrize(
    ("make", "settings"),
    [
        pytest.param(
            functools.partial(train.AdagradOptimizer, 0.5, use_locking=True), {}, id="locks"
        ),
        pytest.param(
            functools.partial(train.GradientDescentOptimizer, 0.5), {}, id="adds by itself"
        ),
        pytest.param(
            functools.partial(train.AdagradOptimizer, 0.5), {"use_resource": False}, id="reference"
        ),
    ],
)
def test_what_is_left_as_it_is(slow, make, settings):
    (found, kinds), (wanted, own_kinds) = (
        _trained(make, is_hastened, **settings) for is_hastened in (True, False)
    )
    _check_equal(found, wanted)
    assert kinds == own_kinds


@pytest.mark.parametrize(
    ("make", "dtype"),
    [
        pytest.param(functools.partial(OwnRowsOptimizer, 0.5), tf.float32, id="a user's own"),
        pytest.param(functools.partial(train.AdagradOptimizer, 0.5), tf.float16, id="half"),
        pytest.param(
            functools.partial(train.ProximalAdagradOptimizer, 0.5), tf.float32, id="another class"
        ),
    ],
)
def test_rows_are_updated_by_the_optimizer_itself(slow, make, dtype):
    (found, kinds), (wanted, _) = (
        _trained(make, is_hastened, dtype) for is_hastened in (True, False)
    )
    _check_equal(found, wanted)
    assert "ResourceScatterUpdate" not in kinds


def test_a_subclass_that_changes_nothing_of_it(slow):
    class Named(train.AdamOptimizer):
        pass

    assert "ResourceApplyAdam" in _trained(functools.partial(Named, 0.5), True)[1]


@pytest.mark.parametrize("job", ["ps", "worker"])
def test_variables_of_clusters_are_left_to_the_optimizer(slow, job):
    optimizer = train.AdagradOptimizer(0.5)
    compat.hasten_row_updates(optimizer)
    with tf.device(f"/job:{job}/task:0/cpu:0"):
        table = tf1.get_variable("table", [ROWS, WIDTH], use_resource=True)
    gradient = tf.IndexedSlices(tf.ones([1, WIDTH]), tf.constant([2]), table.shape)
    optimizer.apply_gradients([(gradient, table)])
    kinds = {operation.type for operation in tf1.get_default_graph().get_operations()}
    assert "ResourceSparseApplyAdagrad" in kinds
    assert "ResourceScatterUpdate" not in kinds


@pytest.mark.parametrize("name", ["adagrad", "adam"])
def test_under_a_strategy(slow, name):
    make, found = {**BY_ROW, **ADAM}[name], []
    for is_hastened in (True, False):
        with tf.Graph().as_default():
            strategy = tf.distribute.MirroredStrategy(["/cpu:0"])
            with strategy.scope():
                optimizer = make()
                if is_hastened:
                    compat.hasten_row_updates(optimizer)
                table = tf1.get_variable("table", [ROWS, WIDTH], initializer=tf1.ones_initializer())

                def step(optimizer=optimizer, table=table):
                    rows = tf.gather(table, [1, 4, 1])
                    return optimizer.minimize(tf.reduce_sum(rows**2), var_list=[table])

                trained = strategy.extended.call_for_each_replica(step)
            with tf1.Session() as session:
                session.run(tf1.global_variables_initializer())
                for _ in range(3):
                    session.run(trained)
                found.append(session.run({one.name: one for one in tf1.global_variables()}))
    _check_equal(*found)
    assert np.abs(found[0]["table:0"][[1, 4]] - 1).min() > 0.1


@pytest.mark.parametrize("name", ["adagrad", "adam"])
def test_in_a_branch(slow, name):
    found = []
    for is_hastened in (True, False):
        with tf.Graph().as_default():
            optimizer = {**BY_ROW, **ADAM}[name]()
            if is_hastened:
                compat.hasten_row_updates(optimizer)
            table = tf1.get_variable(
                "table", [ROWS, WIDTH], use_resource=True, initializer=tf1.ones_initializer()
            )
            gradient = tf.IndexedSlices(tf.ones([2, WIDTH]), tf.constant([2, 5]), table.shape)
            is_training = tf1.placeholder(tf.bool, [])

            def apply(optimizer=optimizer, gradient=gradient, table=table):
                with tf.control_dependencies([optimizer.apply_gradients([(gradient, table)])]):
                    return tf.constant(0)

            step = tf.cond(is_training, apply, lambda: tf.constant(0))
            with tf1.Session() as session:
                session.run(tf1.global_variables_initializer())
                for given in (False, True, True, False):
                    session.run(step, {is_training: given})
                found.append(session.run({one.name: one for one in tf1.global_variables()}))
    _check_equal(*found)


def test_nothing_that_a_graph_lists_is_added(slow):
    optimizer = train.AdagradOptimizer(0.5)
    compat.hasten_row_updates(optimizer)
    table = tf1.get_variable("table", [ROWS, WIDTH], use_resource=True)
    gradient = tf.IndexedSlices(tf.ones([1, WIDTH]), tf.constant([2]), table.shape)
    optimizer.apply_gradients([(gradient, table)])
    graph = tf1.get_default_graph()
    listed = {
        one.name for key in graph.get_all_collection_keys() for one in graph.get_collection(key)
    }
    assert listed == {"table:0", "table/Adagrad:0", "Adagrad"}  # the last is the training operation


def test_the_slower_one_is_found_by_measuring():
    row_updates._own_is_slow.cache_clear()
    variables = list(tf1.global_variables())
    given = [
        (train.AdagradOptimizer, row_updates._update_copied),
        (train.AdamOptimizer, row_updates._update_all),
    ]
    for kind, update in given:
        assert row_updates._own_is_slow(kind, update) in (True, False)
    assert tf1.global_variables() == variables
    for kind, update in given:
        row_updates._own_is_slow(kind, update)
    assert row_updates._own_is_slow.cache_info().hits == 2


@pytest.mark.parametrize("indices", [[3, 1, 2], [3, 1, 3], []])
def test_rows_once(indices):
    values = _numbers([len(indices), WIDTH], 1)
    summed, rows = compat.rows_once(tf.constant(values, tf.float64), tf.constant(indices, tf.int32))
    with tf1.Session() as session:
        summed, rows = session.run([summed, rows])
    assert list(rows) == list(dict.fromkeys(indices))
    for row, total in zip(rows, summed, strict=True):
        np.testing.assert_allclose(total, values[[one == row for one in indices]].sum(0))
