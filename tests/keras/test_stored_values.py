"""The values of variables as Keras's files have them."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from hub_estimator import errors
from hub_estimator.keras.stored_values import assign_stored, stored_values


def variables():
    return [
        tf.Variable([1.5, 2.5], name="floats"),
        tf.Variable(True, name="flag"),
        tf.Variable(["a", "b\0"], name="texts"),
        tf.Variable(tf.constant([0.5], tf.bfloat16), name="halves"),
    ]


def test_values_come_back():
    stored = stored_values(variables())
    assert list(stored) == ["0", "1", "2", "3"]
    assert [stored[place].dtype.name for place in "0123"] == ["float32", "bool", "uint8", "uint8"]
    others = [tf.Variable(tf.zeros_like(variable)) for variable in variables()]
    assign_stored(others, stored, "a module")
    for one, other in zip(variables(), others, strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy())


def message(others, stored):
    with pytest.raises(errors.CheckpointMismatchError) as caught:
        assign_stored(others, stored, "'/module'")
    return str(caught.value)


def test_values_of_another_module_are_refused():
    one, other = tf.Variable([1.0], name="one"), tf.Variable([[2.0]], name="other")
    assert message([one], {"0": np.ones([1]), "1": np.ones([1])}) == (
        "The file has values of 2 variables, and the layer around '/module' has 1: one. They were saved "
        "with another module: make the layer with that one."
    )
    assert message([], {"0": np.ones([1])}) == (
        "The file has values of 1 variables, and the layer around '/module' has 0: none. They were saved "
        "with another module: make the layer with that one."
    )
    assert message(
        [one, other], {"0": np.full([1], 5, np.float32), "1": np.ones([3], np.float32)}
    ) == (
        "The file has a value of the shape [3] for the variable other of '/module', whose shape is "
        "(1, 1). It was saved with another module: make the layer with that one."
    )
    assert message([one, other], {"0": np.ones([1]) * 5, "a": np.ones([1, 1])}) == (
        "The file has no values under 1 for the layer around '/module': it was saved by another layer, "
        "or is damaged. Save the model again."
    )
    assert one.numpy().tolist() == [1.0]


def test_values_of_other_types_are_refused():
    floats, _, names, _ = variables()
    texts = stored_values([names])["0"]
    assert message([floats, names], {"0": np.array([5, 6]), "1": texts}) == (
        "The file has a value of the type int64 for the variable floats of '/module', whose type is "
        "float32. It was saved with another module, or is damaged: make the layer with that module, or "
        "save the model again."
    )
    assert message([floats, names], {"0": np.ones([2], np.float32), "1": np.ones([3])}) == (
        "The file has a value of the type float64 for the variable texts of '/module', whose type is "
        "string. It was saved with another module, or is damaged: make the layer with that module, or "
        "save the model again."
    )
    assert floats.numpy().tolist() == [1.5, 2.5]
