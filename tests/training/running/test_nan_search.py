"""A loss that is not a number because the data or a module is not."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

import hub_estimator as hub
from hub_estimator import errors
from hub_estimator.training.inputs.arrays import Arrays
from hub_estimator.training.model.encoders import Encoder
from tests.training import runs

START = "The loss is not a number any more, after the checkpoint of step 0. "


def export(path, module_fn):
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        module = hub.Module(hub.create_module_spec(module_fn))
        session.run(tf.compat.v1.global_variables_initializer())
        module.export(str(path), session)
    return str(path)


@pytest.fixture(scope="module")
def logarithms(tmp_path_factory):
    """A module of numbers `[B, 2]` that gives infinite values of 0, and NaN of less."""

    def module_fn():
        numbers = tf.compat.v1.placeholder(tf.float32, [None, 2])
        scale = tf.compat.v1.get_variable("scale", [2], initializer=tf.ones_initializer())
        hub.add_signature(inputs=numbers, outputs=scale * tf.math.log(numbers))

    return export(tmp_path_factory.mktemp("modules") / "logarithms", module_fn)


@pytest.fixture
def message(make_model, logarithms, tmp_path):
    """Trains with a module that does well and one that may not; gives the error."""

    def message(data, feature_cache=True):
        first = Encoder(logarithms, feature="fine", name="first")
        second = Encoder(logarithms, feature="numbers", name="second")
        model = make_model(encoders=[first, second], layers=None)
        with pytest.raises(errors.ModelError) as caught:
            runs.train(tmp_path / "model", model, data, data, 40, 40, feature_cache=feature_cache)
        return str(caught.value)

    return message


@pytest.mark.parametrize("feature_cache", [True, False])
def test_a_module_that_gives_none(message, logarithms, feature_cache):
    fine, numbers = np.ones([2, 16, 2], np.float32)
    numbers[5, 1] = -1
    data = Arrays({"numbers": numbers, "fine": fine}, np.arange(16) % 2, batch_size=4)
    assert message(data, feature_cache) == START + (
        "Encoder 'second' gives values that are not finite (NaN or infinite): the module "
        f"{logarithms!r} does so with the values that training goes on from. Choose another module, "
        "signature or output."
    )


class Unchecked(Arrays):
    """An input of somebody else, which looks at none of its values; ours refuse such ones."""

    def training_fn(self, spec, seed, start_step):
        input_fn = super().training_fn(spec, seed, start_step)

        def spoilt(features, labels):
            return {**features, "numbers": features["numbers"] * np.float32("nan")}, labels

        return lambda: input_fn().map(spoilt)


def test_data_that_is_none(message):
    fine, numbers = np.ones([2, 16, 2], np.float32)
    data = Unchecked({"numbers": numbers, "fine": fine}, np.arange(16) % 2, batch_size=4)
    assert message(data, feature_cache=False) == START + (
        "The feature 'numbers' of the training data has values that are not finite (NaN or "
        "infinite). Correct the data."
    )
