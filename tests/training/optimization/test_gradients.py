"""The norm of gradients, whatever the types of their variables."""

from __future__ import annotations

import pytest
import tensorflow as tf

from hub_estimator import compat
from hub_estimator.training.optimization import gradients
from hub_estimator.training.optimization.groups import VariableGroup


def test_variables_of_several_types():
    variables = [
        tf.compat.v1.get_variable(kind.name, [1], kind)
        for kind in (tf.float32, tf.float64, tf.float16)
    ]
    values = [
        tf.constant([value], each.dtype.base_dtype)
        for value, each in zip((2, 3, 6), variables, strict=True)
    ]
    pairs = list(zip(values, variables, strict=True))
    norm = gradients.norm(pairs, [VariableGroup("", tuple(variables))], tf.constant(0, tf.int64))
    clipped = gradients.clip(pairs, 3.5, norm)
    assert [each.dtype for each, _ in clipped] == [each.dtype for each in values]
    with tf.compat.v1.Session() as session:
        assert session.run(norm) == pytest.approx(7)
        found = session.run([each for each, _ in clipped])
    assert [float(each[0]) for each in found] == pytest.approx([1, 1.5, 3])


def test_rows_that_workers_cannot_add_up_become_the_whole_table(monkeypatch):
    table = tf.compat.v1.get_variable("table", [4, 2])
    looked_up = tf.gather(table, [2, 0, 2])
    [rows] = tf.gradients(looked_up, [table])
    assert gradients.added_up(rows, table) is rows
    monkeypatch.setattr(compat, "adds_up_rows", lambda strategy: False)
    assert gradients.added_up(looked_up, table) is looked_up
    whole = gradients.added_up(rows, table)
    assert whole.shape == [4, 2]
    with tf.compat.v1.Session() as session:
        assert session.run(whole).tolist() == [[1, 1], [0, 0], [2, 2], [0, 0]]
