"""What calls share: equal constants, and reads of variables that nothing changes meanwhile."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

import hub_estimator as hub
from tests import modules
from tests.modules import X23, control_flow, tf1


def _run(fetches):
    with tf1.Session() as session:
        modules.initialize(session)
        return session.run(fetches)


def _added(call):
    """The types of the operations that a call adds."""
    before = len(tf1.get_default_graph().get_operations())
    call()
    return [operation.type for operation in tf1.get_default_graph().get_operations()[before:]]


def _scale(**kwargs):
    """A module that multiplies by its variable, `[1, 1, 1]` at first."""

    def module_fn():
        x = tf1.placeholder(tf.float32, [None, 3])
        w = tf1.get_variable("w", [3], initializer=tf1.ones_initializer(), use_resource=True)
        hub.add_signature(inputs=x, outputs=x * w)

    return hub.Module(hub.create_module_spec(module_fn), **kwargs)


def test_only_reads_of_frozen_variables_are_shared():
    frozen, trained = _scale(), _scale(trainable=True)
    assert "ReadVariableOp" not in _added(lambda: frozen(X23))
    assert "ReadVariableOp" in _added(lambda: trained(X23))


def test_frozen_variables_have_gradients_and_new_values():
    module = _scale()
    y = module(X23)
    [gradient] = tf.gradients(y, module.variables)
    with tf1.Session() as session:
        modules.initialize(session)
        np.testing.assert_array_equal(session.run(gradient), X23.sum(0))
        session.run(tf1.assign(module.variables[0], [2.0, 2.0, 2.0]))
        np.testing.assert_array_equal(session.run(y), X23 * 2)


def test_a_read_after_an_assignment_sees_it():
    module = _scale()
    with tf.control_dependencies([tf1.assign(module.variables[0], [5.0, 5.0, 5.0])]):
        y = module(X23)
    np.testing.assert_array_equal(_run(y), X23 * 5)


@pytest.mark.parametrize("v2", [False, True], ids=["v1", "v2"])
def test_each_turn_of_a_loop_reads(v2):
    module = _scale()

    def body(turn, y):
        with tf.control_dependencies([y, tf1.assign_add(module.variables[0], [1.0, 1.0, 1.0])]):
            return turn + 1, module(tf.ones([1, 3]))

    with control_flow(v2):
        loop = tf.while_loop(lambda turn, y: turn < 3, body, [0, tf.zeros([1, 3])])
    np.testing.assert_array_equal(_run(loop[1]), [[4, 4, 4]])


def test_what_a_module_changes_is_read_as_the_module_says(tmp_path):
    def module_fn():
        counter = tf1.get_variable(
            "counter", [], tf.int32, tf1.zeros_initializer(), trainable=False, use_resource=True
        )
        before = counter.read_value()
        with tf.control_dependencies([before]), tf.control_dependencies([counter.assign_add(1)]):
            after = counter.read_value()
        hub.add_signature(outputs={"default": after, "before": before})

    path = modules.export(hub, hub.create_module_spec(module_fn), str(tmp_path / "module"))
    found = hub.Module(path)(as_dict=True)
    with tf1.Session() as session:
        modules.initialize(session)
        assert session.run(found) == {"default": 1, "before": 0}
        assert session.run(found) == {"default": 2, "before": 1}


def test_an_output_that_is_a_read():
    def module_fn():
        w = modules.variable("w", [2], use_resource=True)
        read = w.read_value()
        with tf.control_dependencies([read]):
            after = tf.constant(3.0)
        hub.add_signature(outputs={"default": read, "after": after})

    found = _run(hub.Module(hub.create_module_spec(module_fn))(as_dict=True))
    np.testing.assert_allclose(found["default"], [0.1, 0.2])
    assert found["after"] == 3


def test_equal_constants_are_one():
    def module_fn():
        x = tf1.placeholder(tf.float32, [None, 3])
        y = x
        for value in (2.0, 3.0, 2.0, 3.0):
            y = y + tf.constant(value)
        with tf.device("/cpu:0"):
            y = y + tf.constant(2.0)
        large = [tf.constant(np.ones([3, 100], np.float32)) for _ in range(2)]
        y = tf.matmul(tf.matmul(y, large[0]), large[1], transpose_b=True)
        hub.add_signature(inputs=x, outputs=y)

    module = hub.Module(hub.create_module_spec(module_fn))
    x = tf.constant(X23)
    found = []
    types = _added(lambda: found.append(module(x)))
    assert types.count("Const") == 5  # 2 and 3; 2 on its device; the large ones
    expected = np.repeat((X23 + 12).sum(1, keepdims=True) * 100, 3, 1)
    np.testing.assert_allclose(_run(found[0]), expected)


def test_constants_that_are_outputs_colocated_or_waiting_stay():
    def module_fn():
        x = tf1.placeholder(tf.float32, [])
        first, second = tf.constant(1.0, name="first"), tf.constant(1.0, name="second")
        w = modules.variable("w", [], use_resource=True)
        with tf1.colocate_with(w.op):
            placed = tf.constant(1.0, name="placed")
        with tf1.colocate_with(second.op):
            beside = tf.identity(x, name="beside")
        with tf.control_dependencies([tf.debugging.assert_positive(x)]):
            waiting = tf.constant(1.0, name="waiting")
        with tf.control_dependencies([tf.constant(1.0, name="third")]):
            after = tf.identity(x, name="after")
        total = first + second + placed + waiting + beside + after + w
        hub.add_signature(inputs=x, outputs={"default": total, "first": first})

    module = hub.Module(hub.create_module_spec(module_fn), name="m")
    x = tf1.placeholder_with_default(2.0, [])
    found = module(x, as_dict=True)
    graph = tf1.get_default_graph()
    assert graph.get_operation_by_name("m_apply_default/beside").colocation_groups() == [
        b"loc:@m_apply_default/second"
    ]
    assert graph.get_operation_by_name("m_apply_default/placed").colocation_groups() == [
        b"loc:@m/w"
    ]
    with tf1.Session() as session:
        modules.initialize(session)
        assert session.run(found) == pytest.approx({"default": 8.1, "first": 1.0})
        with pytest.raises(tf.errors.InvalidArgumentError):
            session.run(found, {x: -1.0})
