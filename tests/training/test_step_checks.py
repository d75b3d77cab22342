"""Checks within a step, and the errors that they become."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from hub_estimator import errors
from hub_estimator.training import step_checks


def failure(tensor) -> str:
    refused = pytest.raises(tf.errors.InvalidArgumentError)
    with tf.compat.v1.Session() as session, refused as caught:
        session.run(tensor)
    return caught.value.message


@pytest.mark.parametrize("error", [errors.DataFileError, errors.LabelError])
def test_the_error_of_a_check_comes_back(error):
    says = 'A label "\\ü" \x1b is wrong.'
    checked = step_checks.fail_unless(False, error, lambda: tf.constant(says))
    found = step_checks.marked(failure(checked))
    assert type(found) is error and str(found) == says


def test_other_errors_have_no_mark():
    assert step_checks.marked(failure(tf.strings.to_number("x"))) is None


def test_numbers_that_are_none():
    where = tf.constant(["here", "there"])
    for wrong in (np.nan, np.inf, -np.inf):
        values = tf.constant([[1.0, 2.0], [3.0, wrong]])
        checked = step_checks.finite(values, where, ("The size", " of it"), errors.DataFileError)
        found = step_checks.marked(failure(checked))
        assert str(found) == f"The size {wrong} of it in there is not a finite number."
    with tf.compat.v1.Session() as session:
        values = tf.constant([1.0, 2.0])
        checked = step_checks.finite(values, where, ("The size", ""), errors.DataFileError)
        assert session.run(checked).tolist() == [1, 2]


def test_texts_are_shown_quoted_and_cut():
    with tf.compat.v1.Session() as session:
        assert session.run(step_checks.shown(tf.constant("\x1b"))) == rb"'\x1b'"
        long = "a" * 5000
        assert session.run(step_checks.shown(tf.constant(long))).endswith(b"... (5,000 characters)")
        path = "a" * 4000
        assert session.run(step_checks.shown_path(tf.constant(path))) == f"'{path}'".encode()
