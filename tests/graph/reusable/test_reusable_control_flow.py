"""Branches and loops of TF1 in functions: what they compute, and gradients beside them."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

import hub_estimator as hub
from hub_estimator.graph.reusable.export import save_reusable
from hub_estimator.graph.reusable.module import ReusableModule
from tests import modules
from tests.modules import X23, tf1

REASON = (
    "depends on what is trained through branches or loops of TF1 (tf.cond, tf.while_loop, tf.map_fn, "
    "... without control flow v2), of which TensorFlow has no gradients in functions. Train it with "
    "hub.Module in a graph, choose other variables with trainable='<regular expression>', or ask its "
    "publisher to export it with tf.compat.v1.enable_control_flow_v2()."
)


@pytest.fixture(autouse=True)
def fresh_graph():
    """These tests execute eagerly."""


def _spec(compute):
    """A module of `compute(x, w, v)`, with v1 control flow."""

    def module_fn():
        with modules.control_flow(v2=False):
            x = modules.placeholder()
            w, v = modules.variable("w", [3]), modules.variable("v", [3], use_resource=False)
            hub.add_signature(inputs=x, outputs=compute(x, w, v))

    with tf.Graph().as_default():
        return hub.create_module_spec(module_fn)


def _loop(x, by):
    return tf.while_loop(lambda i, y: i < 3, lambda i, y: (i + 1, y * by), [0, x])[1]


def _branch(x, by):
    return tf.cond(tf.reduce_sum(x) > 0, lambda: x * by, lambda: x)


BEFORE = {
    "loop": lambda x, w, v: _loop(x, tf.stop_gradient(v) * 0 + 2.0) * w,
    "branch": lambda x, w, v: _branch(x, 2.0) * w,
    "mapped": lambda x, w, v: tf.map_fn(lambda row: row * 2.0, x) * w,
    "loop of a branch": lambda x, w, v: _loop(_branch(x, 2.0), 1.0) * w,
    "branch in a loop": lambda x, w, v: tf.map_fn(lambda row: _branch(row, 2.0), x) * w,
}


@pytest.mark.parametrize("name", BEFORE)
def test_variables_after_it_are_trained(name):
    module = ReusableModule(_spec(BEFORE[name]), trainable="w")
    with tf.GradientTape() as tape:
        output = module(X23, training=True)
        loss = tf.reduce_sum(output)
    (gradient,) = tape.gradient(loss, module.trainable_variables)
    (w,) = module.trainable_variables
    np.testing.assert_allclose(gradient, np.sum(output / w, 0), rtol=1e-5)


THROUGH = {
    "loop": lambda x, w, v: _loop(x, w),
    "branch": lambda x, w, v: _branch(x, w),
    "reference": lambda x, w, v: _branch(x, v) + w,
    "mapped": lambda x, w, v: tf.map_fn(lambda row: row * v, x),
}


@pytest.mark.parametrize("name", THROUGH)
@pytest.mark.parametrize("training", [False, True])
def test_a_gradient_through_it_is_refused(name, training):
    spec = _spec(THROUGH[name])
    module = ReusableModule(spec, trainable=True)
    expected = ReusableModule(spec)(X23)
    np.testing.assert_allclose(module(X23, training=training), expected)

    with pytest.raises(LookupError) as caught, tf.GradientTape() as tape:
        tape.gradient(module(X23, training=training), module.trainable_variables)
    source = spec.source[:1].lower() + spec.source[1:]
    assert f"Reason: b\"The signature 'default' of {source} {REASON}\"" in str(caught.value)


def test_variables_beside_it_are_trained():
    module = ReusableModule(_spec(lambda x, w, v: _branch(x, v) * w), trainable="w")
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(module(X23, training=True))
    (gradient,) = tape.gradient(loss, module.trainable_variables)
    np.testing.assert_allclose(gradient, X23.sum(0) * [0.1, 0.2, 0.3], rtol=1e-5)


def test_a_gradient_of_inputs_through_it_is_refused():
    module = ReusableModule(_spec(BEFORE["loop"]), trainable="w")
    x = tf.Variable(X23)
    with tf.GradientTape() as tape, pytest.raises(LookupError, match="of which TensorFlow has no"):
        tape.gradient(module(x + 0.0, training=True), x)


def test_updates_in_a_branch_run_once():
    def compute(x, w, v):
        count = tf1.get_variable("count", [], trainable=False, initializer=tf1.zeros_initializer())
        update = tf.cond(
            tf.reduce_sum(x) > 0, lambda: tf.identity(tf1.assign_add(count, 1.0)), lambda: 0.0
        )
        tf1.add_to_collection(tf1.GraphKeys.UPDATE_OPS, update)
        return x * w

    module = ReusableModule(_spec(compute), trainable=True)
    count = module.variables_by_name["count"]
    for factor, expected in ((1, 1), (-1, 1), (1, 2)):
        module(factor * X23, training=True)
        assert float(count) == expected


def test_saved_models_say_why_there_is_no_gradient(tmp_path):
    save_reusable(_spec(THROUGH["branch"]), tmp_path / "through")
    found = tf.saved_model.load(str(tmp_path / "through"))
    np.testing.assert_allclose(found(X23), X23 * np.float32([0.1, 0.2, 0.3]), rtol=1e-6)
    with tf.GradientTape() as tape, pytest.raises(LookupError, match="of which TensorFlow has no"):
        tape.gradient(found(X23, training=True), found.trainable_variables)
    save_reusable(_spec(BEFORE["mapped"]), tmp_path / "before")
    found = tf.saved_model.load(str(tmp_path / "before"))
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(found(X23, training=True))
    gradients = tape.gradient(loss, found.trainable_variables)
    by_name = {v.name: g for v, g in zip(found.trainable_variables, gradients, strict=True)}
    assert by_name["v:0"] is None
    np.testing.assert_allclose(by_name["w:0"], 2 * X23.sum(0), rtol=1e-6)
