"""What training takes from a module: variables, losses, update operations."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

import hub_estimator as hub

tf1 = tf.compat.v1
LOSSES, UPDATES = tf1.GraphKeys.REGULARIZATION_LOSSES, tf1.GraphKeys.UPDATE_OPS


def _add_loss(loss):
    tf1.add_to_collection(LOSSES, loss)


def _spec(make_input=lambda: tf1.placeholder(tf.float32, [None, 1])):
    def module_fn():
        x = make_input()
        first = tf1.get_variable("first", [1, 1], initializer=tf1.ones_initializer())
        second = tf1.get_variable("second", [1, 1], initializer=tf1.ones_initializer())
        hidden = tf.matmul(x, first)
        _add_loss(tf.reduce_sum(first, name="first_loss"))
        _add_loss(tf.reduce_sum(second, name="second_loss"))
        _add_loss(tf.reduce_sum(hidden, name="activity_loss"))
        update = second.assign_add(tf.reduce_sum(x, keepdims=True), read_value=False)
        tf1.add_to_collection(UPDATES, update)
        hub.add_signature(inputs=x, outputs=tf.matmul(hidden, second))

    return hub.create_module_spec(module_fn)


def _names(key):
    return [element.name for element in tf1.get_collection(key)]


@pytest.mark.parametrize("trainable", [True, 1, np.True_])
def test_losses_of_inputs_join_at_each_call(trainable):
    module = hub.Module(_spec(), trainable=trainable)
    assert _names(LOSSES) == ["module/first_loss:0", "module/second_loss:0"]
    module([[1.0]])
    module([[1.0]])
    assert _names(LOSSES)[2:] == [
        "module_apply_default/activity_loss:0",
        "module_apply_default_1/activity_loss:0",
    ]
    assert len(tf1.get_collection(UPDATES)) == 2


def test_inputs_with_a_default_count_too():
    spec = _spec(lambda: tf1.placeholder_with_default([[9.0]], [None, 1]))
    module = hub.Module(spec, trainable=True)
    module([[1.0]])
    assert _names(LOSSES)[2:] == ["module_apply_default/activity_loss:0"]


@pytest.mark.parametrize("trainable", [False, 0, None, "", np.False_])
def test_nothing_is_trained(trainable):
    module = hub.Module(_spec(), trainable=trainable)
    module([[1.0]])
    assert tf1.get_default_graph().get_all_collection_keys() == ["variables"]


def test_a_regular_expression_chooses_the_variables():
    hub.Module(_spec(), trainable="^sec")
    assert _names(tf1.GraphKeys.TRAINABLE_VARIABLES) == ["module/second:0"]
    assert _names(LOSSES) == ["module/second_loss:0"]


@pytest.mark.parametrize(
    "trainable, message",
    [
        (
            "third",
            (
                "trainable='third' is found in the name of no trainable variable. There are: "
                "'first', 'second'."
            ),
        ),
        (
            "[",
            "trainable='[' is not a regular expression: unterminated character set at position 0.",
        ),
    ],
)
def test_a_wrong_regular_expression(trainable, message):
    with pytest.raises(hub.errors.NoTrainableVariablesError) as caught:
        hub.Module(_spec(), trainable=trainable)
    assert str(caught.value) == message


def test_updates_and_losses_inside_of_wrap_function():
    def program(x):
        output = hub.Module(spec, trainable=True)(x)
        assert len(tf1.get_collection(UPDATES)) == 1 and len(tf1.get_collection(LOSSES)) == 3
        return output

    spec = _spec()
    tf1.wrap_function(program, [tf.TensorSpec([None, 1], tf.float32)])


def test_updates_inside_of_a_branch_stay_there():
    module = hub.Module(_spec(), trainable=True)
    tf.cond(tf.constant(True), lambda: module([[1.0]]), lambda: tf.zeros([1, 1]))
    assert tf1.get_collection(UPDATES) == []


def test_load_leaves_out_losses_of_inputs(tmp_path):
    module = hub.Module(_spec())
    with tf1.Session() as session:
        session.run(tf1.global_variables_initializer())
        module.export(tmp_path / "module", session)
    with tf.Graph().as_default(), tf1.Session() as session:
        loaded = hub.load(tmp_path / "module")
        losses = [loss() for loss in loaded.regularization_losses]
        session.run(tf1.global_variables_initializer())
        assert session.run(losses) == [1.0, 1.0]
