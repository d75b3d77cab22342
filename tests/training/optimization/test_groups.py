"""Dividing the trainable variables into those that are trained alike."""

from __future__ import annotations

import pytest
import tensorflow as tf

from hub_estimator import errors
from hub_estimator.training.optimization.groups import VariableGroup, divide

tf1 = tf.compat.v1


def variables(*names, **settings):
    return [tf1.get_variable(name, [2], **settings) for name in names]


def names(parts):
    return {part.name: [each.op.name for each in part.variables] for part in parts}


def test_groups_without_ways_of_their_own_are_trained_with_the_rest():
    a, b, c, d = variables(*"abcd")
    groups = [VariableGroup("plain", [a]), VariableGroup("slow", [c], 0.1)]
    groups.append(VariableGroup("late", [d], start_step=3))
    parts = divide([a, b, c, d], groups)
    assert names(parts) == {"": ["a", "b"], "slow": ["c"], "late": ["d"]}
    assert [(each.multiplier, each.start_step) for each in parts] == [(1, 0), (0.1, 0), (1, 3)]


def test_what_is_not_trainable_is_in_no_group():
    trained, frozen = *variables("trained"), *variables("frozen", trainable=False)
    assert names(divide([trained], [VariableGroup("g", [trained, frozen], 0.1)])) == {
        "g": ["trained"]
    }
    assert names(divide([trained], [VariableGroup("g", [frozen], 0.1)])) == {"": ["trained"]}


def test_partitioned_variables_are_in_groups_by_their_parts():
    whole = tf1.get_variable("whole", [4], partitioner=tf1.fixed_size_partitioner(2))
    parts = divide(tf1.trainable_variables(), [VariableGroup("g", [whole], 0.1)])
    assert names(parts) == {"g": ["whole/part_0", "whole/part_1"]}


@pytest.mark.parametrize("multiplier", [0.1, 1.0])
def test_a_variable_in_two_groups(multiplier):
    (a,) = variables("a")
    groups = [VariableGroup("first", [a], multiplier), VariableGroup("second", [a], 0.2)]
    with pytest.raises(errors.ModelError) as caught:
        divide([a], groups)
    assert str(caught.value) == (
        "The variable 'a' is in two groups of variables, 'first' and 'second'. Train it in one of "
        "them."
    )


def test_two_groups_of_one_name():
    a, b = variables(*"ab")
    with pytest.raises(errors.ModelError) as caught:
        divide([a, b], [VariableGroup("g", [a], 0.1), VariableGroup("g", [b], 0.1)])
    assert str(caught.value) == (
        "Two groups of variables are called 'g'. Give each a name of its own."
    )


@pytest.mark.parametrize("dtype", [tf.int32, tf.int64])
def test_from_which_step_on_a_group_is_trained(dtype):
    group = VariableGroup("g", [], start_step=2)
    with tf1.Session() as session:
        trained = session.run(
            [group.is_training(tf.constant(step, dtype)) for step in (0, 1, 2, 3)]
        )
    assert trained == [False, False, True, True]
