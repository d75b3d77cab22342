"""Graphs with references of TF1, and the same with resources."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

import hub_estimator as hub
from hub_estimator.graph.reusable.module import ReusableModule
from hub_estimator.graph.reusable.resource_form import resource_form
from tests import modules
from tests.modules import tf1


def _ref(name, value, **kwargs):
    return tf1.Variable(value, name=name, use_resource=False, **kwargs)


def _update(operation):
    tf1.add_to_collection(tf1.GraphKeys.UPDATE_OPS, operation)


def _spec(build, inputs=None):
    def module_fn():
        given = {name: tf1.placeholder(*of, name=name) for name, of in (inputs or {}).items()}
        hub.add_signature(inputs=given, outputs=build(**given))

    return hub.create_module_spec(module_fn)


def _both(spec, inputs=None):
    """The outputs and then the variables of a call while training: a session's, and ours."""
    with tf.Graph().as_default(), tf1.Session() as session:
        module = hub.Module(spec, trainable=True)
        outputs = module(inputs, as_dict=True)
        modules.initialize(session)
        updates = tf1.get_collection(tf1.GraphKeys.UPDATE_OPS)
        expected = session.run(outputs)
        session.run(updates)
        expected |= session.run(module.variable_map)
    got = {}

    def eagerly():
        module = ReusableModule(spec, trainable=True)
        outputs = module.compute(inputs).outputs
        module.compute(inputs, training=True)
        found = {**outputs, **module.variables_by_name}
        got.update({name: value.numpy() for name, value in found.items()})

    modules.in_thread(eagerly)
    return expected, got


def _assert_same(spec, inputs=None):
    expected, got = _both(spec, inputs)
    assert expected.keys() == got.keys()
    for name, value in expected.items():
        np.testing.assert_allclose(got[name], value, rtol=1e-6, err_msg=name)


CHANGES = {
    "assign": lambda v: tf1.assign(v, [1.0, 2.0, 3.0]),
    "assign in turn": lambda v: tf1.assign_add(tf1.assign(v, [1.0, 2.0, 3.0]), [1.0, 1.0, 1.0]),
    "assign of a sum": lambda v: tf1.assign_sub(v, v + 1.0),
    "operation": lambda v: tf1.assign_add(v, [1.0, 1.0, 1.0]).op,
    "scatter_update": lambda v: tf1.scatter_update(v, [0], [7.0]),
    "scatter_add": lambda v: tf1.scatter_add(v, [0, 0], [7.0, 8.0]),
    "scatter_max": lambda v: tf1.scatter_max(v, [1], [70.0]),
    "scatter_nd_update": lambda v: tf1.scatter_nd_update(v, [[1]], [9.0]),
    "scatter_nd_sub": lambda v: tf1.scatter_nd_sub(v, [[1]], [9.0]),
    "slice": lambda v: tf1.assign(v[1:], [5.0, 6.0]),
}


@pytest.mark.parametrize("change", CHANGES)
def test_update_operations_on_references(change):
    def build(x):
        v = _ref("v", [10.0, 20.0, 30.0], trainable=False)
        _update(CHANGES[change](v))
        return x * v

    _assert_same(_spec(build, {"x": (tf.float32, [None, 3])}), {"x": modules.X23})


def test_a_counter():
    def build():
        v = _ref("v", 3, trainable=False)
        _update(tf.raw_ops.CountUpTo(ref=v._ref(), limit=9))
        return tf.identity(v)

    _assert_same(_spec(build))


def test_outputs_that_are_references():
    def build():
        v = _ref("v", [1.0, 2.0])
        w = _ref("w", [1.0, 2.0])
        return {"default": v._ref(), "assigned": tf1.assign(w, [3.0, 4.0])}

    expected, got = _both(_spec(build))
    assert expected.keys() == got.keys()
    np.testing.assert_allclose(got["default"], [1.0, 2.0])
    np.testing.assert_allclose(got["assigned"], [3.0, 4.0])


def test_a_value_is_read_after_what_it_waits_for():
    def build(x):
        v = _ref("v", [1.0, 2.0], trainable=False)
        with tf.control_dependencies([tf1.assign(v, x)]):
            return tf.raw_ops.AddV2(x=v._ref(), y=x)

    module = _spec(build, {"x": (tf.float32, [2])})
    _, got = _both(module, {"x": np.float32([5, 6])})
    np.testing.assert_allclose(got["default"], [10, 12])


@pytest.mark.parametrize("on", [True, False])
def test_references_in_a_branch(on):
    def build(on):
        with modules.control_flow(v2=False):
            v = _ref("v", [1.0, 2.0])
            is_there = tf1.is_variable_initialized(v)
            value = tf.cond(on, lambda: v * 2.0, lambda: tf.raw_ops.AddV2(x=v._ref(), y=v._ref()))
            changed = tf.cond(on, lambda: tf1.assign_add(v, [1.0, 1.0]), lambda: tf.identity(v))
        _update(changed)
        return {"default": value, "is_there": is_there}

    _assert_same(_spec(build, {"on": (tf.bool, [])}), {"on": np.bool_(on)})


def test_references_in_a_loop():
    def build(n):
        with modules.control_flow(v2=False):
            v = _ref("v", [1.0, 2.0])
            return tf.while_loop(lambda i, y: i < n, lambda i, y: (i + 1, y * v), [0, v + 1.0])[1]

    _assert_same(_spec(build, {"n": (tf.int32, [])}), {"n": np.int32(3)})


@pytest.mark.parametrize("dtype", [tf.string, tf.int64, tf.bool])
def test_references_of_other_types(dtype):
    values = {tf.string: ["a", "b"], tf.int64: [1, 2], tf.bool: [True, False]}[dtype]

    def build():
        v = _ref("v", tf.constant(values, dtype), trainable=False)
        return {"default": tf.identity(v), "of it": tf.raw_ops.Shape(input=v._ref())}

    expected, got = _both(_spec(build))
    assert {name: modules.plain(value) for name, value in expected.items()} == {
        name: modules.plain(value) for name, value in got.items()
    }


def _old_table():
    """A table as TensorFlow 1.0 wrote it: its handle is a reference of strings."""
    handle = tf.raw_ops.HashTable(key_dtype=tf.string, value_dtype=tf.int64, shared_name="words")
    values = tf.constant([5, 6], tf.int64)
    initializer = tf.raw_ops.InitializeTable(table_handle=handle, keys=["a", "b"], values=values)
    tf1.add_to_collection(tf1.GraphKeys.TABLE_INITIALIZERS, initializer)
    return handle


@pytest.mark.parametrize("in_branch", [False, True])
def test_tables_that_are_references(in_branch):
    def build(x):
        table = _old_table()

        with modules.control_flow(v2=False):
            default = tf.constant(-1, tf.int64)
            found = tf.raw_ops.LookupTableFind(table_handle=table, keys=x, default_value=default)
            if in_branch:
                found = tf.cond(
                    tf.size(x) > 1,
                    lambda: tf.raw_ops.LookupTableFind(
                        table_handle=table, keys=x, default_value=default
                    ),
                    lambda: tf.zeros_like(found),
                )
        return {"default": found, "size": tf.raw_ops.LookupTableSize(table_handle=table)}

    spec = _spec(build, {"x": (tf.string, [None])})
    _assert_same(spec, {"x": np.array([b"b", b"c"])})


def test_the_form_is_made_once_and_leaves_the_stored_graph_alone():
    spec = modules.define(hub, "placed", "")
    stored = spec.variant()
    before = stored.meta_graph.SerializeToString(deterministic=True)
    form = resource_form(stored)
    assert resource_form(stored) is form
    assert stored.meta_graph.SerializeToString(deterministic=True) == before
    nodes = form.meta_graph.graph_def.node
    assert not any(node.device or "_class" in node.attr for node in nodes)
    assert {"VariableV2", "Assign"}.isdisjoint(node.op for node in nodes)
    assert all(entry.proto.is_resource for entry in form.variables)


def test_a_form_without_references_has_the_same_operations():
    stored = modules.define(hub, "dense", "").variant()
    names = [(node.name, node.op) for node in resource_form(stored).meta_graph.graph_def.node]
    assert names == [(node.name, node.op) for node in stored.meta_graph.graph_def.node]
