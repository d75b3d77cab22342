"""Control flow in modules, modules in control flow, and gradients through both."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

import hub_estimator as hub
from tests import modules
from tests.modules import X23, control_flow, tf1

BOTH = pytest.mark.parametrize("outer_v2", [True, False], ids=["outer_v2", "outer_v1"])
VARIABLES = pytest.mark.parametrize("use_resource", [True, False], ids=["resource", "ref"])


def _linear_fn(use_resource):
    def module_fn():
        x = tf1.placeholder(tf.float32, [None, 3])
        hub.add_signature(
            inputs=x, outputs=x * modules.variable("w", [3], use_resource=use_resource)
        )

    return module_fn


W = np.float32([0.1, 0.2, 0.3])


def _run(tensor):
    with tf1.Session() as session:
        modules.initialize(session)
        return session.run(tensor)


@BOTH
@VARIABLES
@pytest.mark.parametrize("trainable", [True, False])
def test_applied_in_cond_while_and_map(outer_v2, use_resource, trainable):
    module = hub.Module(hub.create_module_spec(_linear_fn(use_resource)), trainable=trainable)
    x = tf.constant(X23)
    with control_flow(outer_v2):
        cond = tf.cond(tf1.placeholder_with_default(True, []), lambda: module(x), lambda: x)
        loop = tf.while_loop(lambda i, y: i < 2, lambda i, y: (i + 1, module(y)), [0, x])[1]
        mapped = tf.map_fn(lambda row: module(row[None])[0], x)
    for found, expected in zip(
        _run([cond, loop, mapped]), [X23 * W, X23 * W * W, X23 * W], strict=True
    ):
        np.testing.assert_allclose(found, expected, rtol=1e-6)


@BOTH
@VARIABLES
def test_gradients_when_applied_in_control_flow(outer_v2, use_resource):
    module = hub.Module(hub.create_module_spec(_linear_fn(use_resource)), trainable=True)
    x = tf.constant(X23)
    with control_flow(outer_v2):
        cond = tf.cond(tf1.placeholder_with_default(True, []), lambda: module(x), lambda: x)
        loop = tf.while_loop(lambda i, y: i < 2, lambda i, y: (i + 1, module(y)), [0, x])[1]
        mapped = tf.map_fn(lambda row: module(row[None])[0], x)
        # TensorFlow itself takes gradients of v1's tensor arrays only while v1 is on.
        gradients = [
            tf.gradients(tf.reduce_sum(value), tf1.trainable_variables())[0]
            for value in (cond, loop, mapped)
        ]
    sums = X23.sum(0)
    for found, expected in zip(_run(gradients), [sums, 2 * sums * W, sums], strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-5)


@pytest.mark.parametrize("name", ["control_flow_v1", "control_flow_v2"])
@VARIABLES
def test_gradients_through_control_flow_in_a_module(name, use_resource, tmp_path):
    spec = modules.define(hub, name, str(tmp_path))
    path = modules.export(hub, spec, str(tmp_path / "module"))
    gradients = []
    for source in (spec, path, None):
        x, n = tf.constant(X23), tf.constant(3)
        if source is None:  # the same computation without a module
            with tf1.variable_scope("plain"), control_flow(v2=name == "control_flow_v2"):
                loop, cond, mapped = _by_hand(x, n)
        else:
            module = hub.Module(source, trainable=True)
            outputs = module({"x": x, "n": n}, as_dict=True)
            loop, cond, mapped = (outputs[key] for key in ("default", "cond", "mapped"))
        w = tf1.trainable_variables()[-1]
        with control_flow(v2=name == "control_flow_v2"):
            gradients += tf.gradients([loop, cond, mapped], [w, x])
            gradients += [tf.gradients(value, [w])[0] for value in (loop, cond, mapped)]
    values = _run(gradients)
    for found in (values[:5], values[5:10]):
        for one, other in zip(found, values[10:], strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-5)


def _by_hand(x, n):
    w = modules.variable("w", [3])
    loop = tf.while_loop(
        lambda i, y: i < n,
        lambda i, y: (i + 1, tf.cond(tf.equal(i % 2, 0), lambda: y * w, lambda: y + w)),
        [0, x],
    )[1]
    cond = tf.cond(n > 2, lambda: x * w, lambda: x - w)
    return loop, cond, tf.map_fn(lambda row: row * w + tf.cast(n, tf.float32), x)


@BOTH
@pytest.mark.parametrize("name", ["control_flow_v1", "control_flow_v2", "functions", "file_table"])
@pytest.mark.parametrize("trainable", [True, False])
def test_modules_with_control_flow_in_control_flow(name, outer_v2, trainable, tmp_path):
    case = modules.CASES[name]
    path = modules.export(hub, modules.define(hub, name, str(tmp_path)), str(tmp_path / "module"))
    call = case.calls[0]
    module = hub.Module(path, trainable=trainable)
    inputs = {key: modules.as_tensor(value) for key, value in call.inputs.items()}
    with control_flow(outer_v2):
        yes = tf1.placeholder_with_default(True, [])
        expected = module(inputs)
        zeros = tf.zeros_like(expected)
        cond = tf.cond(yes, lambda: module(inputs), lambda: zeros)
        nested = tf.cond(
            yes, lambda: tf.cond(yes, lambda: module(inputs), lambda: zeros), lambda: zeros
        )
        loop = tf.while_loop(
            lambda i, y: i < 3,
            lambda i, y: (i + 1, y + tf.cond(i > 0, lambda: module(inputs), lambda: zeros)),
            [0, zeros],
        )[1]
    expected, cond, nested, loop = _run([expected, cond, nested, loop])
    np.testing.assert_allclose(cond, expected, rtol=1e-6)
    np.testing.assert_allclose(nested, expected, rtol=1e-6)
    np.testing.assert_allclose(loop, 2 * expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("name", "outer_v2"),
    [
        # Not v1 inside of v2: TensorFlow has no gradient of a v2 loop with a v1 loop in it.
        ("control_flow_v1", False),
        ("control_flow_v2", False),
        ("control_flow_v2", True),
    ],
)
def test_gradients_of_control_flow_in_control_flow(name, outer_v2, tmp_path):
    path = modules.export(hub, modules.define(hub, name, str(tmp_path)), str(tmp_path / "module"))
    module = hub.Module(path, trainable=True)
    x, n = tf.constant(X23), tf.constant(3)
    with control_flow(outer_v2):
        plain = module({"x": x, "n": n}, as_dict=True)
        cond = tf.cond(
            tf1.placeholder_with_default(True, []),
            lambda: module({"x": x, "n": n}),
            lambda: x,
        )
        loop = tf.while_loop(
            lambda i, y: i < 2,
            lambda i, y: (i + 1, y + module({"x": x, "n": n}, as_dict=True)["cond"]),
            [0, x],
        )[1]
    w = tf1.trainable_variables()[0]
    gradients = [
        tf.gradients(value, [w])[0] for value in (plain["default"], cond, plain["cond"], loop)
    ]
    one, in_cond, two, in_loop = _run(gradients)
    np.testing.assert_allclose(one, in_cond, rtol=1e-5)
    np.testing.assert_allclose(2 * two, in_loop, rtol=1e-5)


def test_one_instance_ten_times_with_gradients(tmp_path):
    path = modules.export(
        hub, modules.define(hub, "control_flow_v1", str(tmp_path)), str(tmp_path / "module")
    )
    module = hub.Module(path, trainable=True)
    y = tf.constant(X23)
    for _ in range(10):
        y = module({"x": y, "n": 1})
    gradient = tf.gradients(y, tf1.trainable_variables())[0]
    assert np.isfinite(_run(gradient)).all()


def test_wrap_function_and_functions():
    module = hub.Module(hub.create_module_spec(_linear_fn(True)))
    wrapped = tf1.wrap_function(lambda x: 2 * module(x), [tf.TensorSpec([None, 3])])
    function = tf.function(lambda x: module(x), autograph=False)
    found = _run([wrapped(tf.constant(X23)), function(tf.constant(X23))])
    np.testing.assert_allclose(found[0], 2 * X23 * W, rtol=1e-6)
    np.testing.assert_allclose(found[1], X23 * W, rtol=1e-6)


def test_a_module_made_inside_of_wrap_function(tmp_path):
    path = modules.export(
        hub, modules.define(hub, "file_table", str(tmp_path)), str(tmp_path / "module")
    )

    def program(x):
        return hub.Module(path)(x)

    wrapped = tf1.wrap_function(program, [tf.TensorSpec([None], tf.string)])
    assert wrapped.structured_outputs.shape.as_list() == [None, 2]
