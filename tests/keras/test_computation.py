"""Outputs and inputs of computations that layers are made around."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from hub_estimator import errors
from hub_estimator.keras.computation import Computation
from hub_estimator.keras.layer_settings import LayerSettings

ONES = tf.ones([2, 3])


def compute(handle, inputs=ONES, **settings):
    computed = Computation(LayerSettings(handle, **settings))(inputs, False, "float32")
    return computed.outputs


def message(kind, *args, **kwargs):
    with pytest.raises(kind) as caught:
        compute(*args, **kwargs)
    return str(caught.value)


def identity(x):
    return x


def both(x):
    return {"a": x, "b": x}


def test_outputs_by_name():
    assert message(errors.LayerSettingsError, identity, output_key="a") == (
        "output_key='a' chooses among outputs by name, and a function gives one tensor, float32 of the "
        "shape (2, 3). Leave output_key out."
    )
    assert message(errors.OutputNotFoundError, both, output_key="c") == (
        "a function has no output 'c'. It has: a, b."
    )


@pytest.mark.parametrize(
    ("function", "described"),
    [
        (both, "a dict with a, b"),
        (lambda x: {}, "a dict with nothing"),
        (lambda x: [x, x], "a list of 2"),
        (lambda x: "text", "a str"),
    ],
)
def test_an_output_shape_is_nested_as_the_outputs(function, described):
    assert message(errors.LayerSettingsError, function, output_shape=[[3], [3], [3]]) == (
        f"output_shape=[[3], [3], [3]] is not nested as the outputs of a function are: {described}."
    )


def test_an_output_shape_that_is_wrong():
    expected = (
        "output_shape=[4], without the batch size, does not fit the output of a function, which is one "
        "tensor, float32 of the shape (2, 3)."
    )
    assert message(errors.LayerSettingsError, identity, output_shape=[4]) == expected
    ragged = tf.ragged.constant([[1.0], [2.0, 3.0]])
    assert message(errors.LayerSettingsError, identity, ragged, output_shape=[4, 5]) == (
        "output_shape=[4, 5], without the batch size, does not fit the output of a function, which is one "
        "tensor, float32 of the shape (2, None)."
    )


def test_an_output_shape_is_checked_where_values_are_computed():
    @tf.function(autograph=False)
    def call():
        unknown = tf.numpy_function(lambda: np.ones([2, 3], np.float32), [], tf.float32)
        return compute(identity, unknown, output_shape=[4])

    with pytest.raises(tf.errors.InvalidArgumentError):
        call()


def test_several_inputs_need_names(numbers):
    assert message(errors.InputError, numbers, signature="pair", output_key="sum") == (
        "The signature takes the inputs x, y, and the layer got one value without a name. Call the layer "
        "with a dict that has them all."
    )


def test_losses_are_functions():
    class Wrong(tf.Module):
        regularization_losses = (1.0,)

        def __call__(self, x):
            return x

    assert message(errors.LayerSettingsError, Wrong()) == (
        "regularization_losses of a Wrong has what is not callable. Each must be a function without "
        "arguments that gives a scalar."
    )
