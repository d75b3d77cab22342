"""TF1 Hub modules as layers: what is trained, updated and lost, in either Keras."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from hub_estimator import errors
from tests.keras.hub_modules import VECTORS

TEXTS = ["a", "other"]
EMBEDDED = [VECTORS[0], VECTORS[3]]
REGULARIZATION = 0.1 * float(np.sum(np.square(VECTORS)))


def names(weights):
    return [weight.name.partition(":")[0].replace("/", "_") for weight in weights]


def calls(made):
    return int(made.resolved_object.variables_by_name["calls"])


def test_a_frozen_layer_computes_inference(layer, hub_module):
    made = layer(hub_module)
    np.testing.assert_allclose(made(TEXTS), EMBEDDED)
    np.testing.assert_allclose(made(TEXTS, training=True), EMBEDDED)
    assert calls(made) == 0
    assert names(made.trainable_weights) == []


def test_a_trained_layer_computes_the_train_variant_and_updates_once(layer, hub_module):
    made = layer(hub_module, trainable=True)
    np.testing.assert_allclose(made(TEXTS), EMBEDDED)
    assert calls(made) == 0
    np.testing.assert_allclose(made(TEXTS, training=True), np.add(EMBEDDED, 1))
    assert calls(made) == 1
    made.trainable = False
    np.testing.assert_allclose(made(TEXTS, training=True), EMBEDDED)
    assert calls(made) == 1


def test_a_layer_may_be_trained_later(layer, hub_module):
    made = layer(hub_module)
    made.trainable = True
    np.testing.assert_allclose(made(TEXTS, training=True), np.add(EMBEDDED, 1))
    assert names(made.trainable_weights) == ["bias", "embedding_vectors"]


def test_weights_are_the_variables_of_the_module(layer, hub_module):
    made = layer(hub_module, trainable=True)
    assert names(made.trainable_weights) == ["bias", "embedding_vectors"]
    assert "calls" in names(made.non_trainable_weights)
    made.trainable_weights[0].assign([1.0, 1.0])
    np.testing.assert_allclose(made(TEXTS), np.add(EMBEDDED, 1))


def test_a_regular_expression_chooses_what_is_trained(layer, hub_module):
    made = layer(hub_module, trainable="embedding")
    assert names(made.trainable_weights) == ["embedding_vectors"]
    assert made.get_config()["trainable_pattern"] == "embedding"
    with pytest.raises(errors.NoTrainableVariablesError) as caught:
        layer(hub_module, trainable="calls")
    assert str(caught.value) == (
        "trainable='calls' is found in the name of no trainable variable. There are: 'bias', "
        "'embedding/vectors'."
    )


def dense_model(keras, made):
    dense = keras.layers.Dense(1, kernel_initializer="ones")
    return keras.Sequential([keras.Input([], dtype="string"), made, dense])


def test_losses_are_those_of_the_module(keras, layer, hub_module):
    made = layer(hub_module, trainable=True)
    model = dense_model(keras, made)
    with tf.GradientTape():
        model(tf.constant(TEXTS), training=True)
        total = sum(map(float, model.losses))
    np.testing.assert_allclose(total, REGULARIZATION + 0.002, rtol=1e-5)
    made.trainable = False
    model(tf.constant(TEXTS), training=True)
    assert sum(map(float, model.losses)) == 0


def test_training_may_be_a_tensor(layer, hub_module):
    made = layer(hub_module, trainable=True)

    @tf.function
    def call(training):
        return made(tf.constant(TEXTS), training=training), tf.add_n(made.losses)

    outputs, losses = call(tf.constant(True))
    np.testing.assert_allclose(outputs, np.add(EMBEDDED, 1))
    np.testing.assert_allclose(losses, REGULARIZATION + 0.002, rtol=1e-5)
    assert calls(made) == 1
    outputs, losses = call(tf.constant(False))
    np.testing.assert_allclose(outputs, EMBEDDED)
    np.testing.assert_allclose(losses, REGULARIZATION, rtol=1e-5)
    assert calls(made) == 1


def test_fit_is_a_step_of_gradient_descent(keras, layer, hub_module):
    made = layer(hub_module, trainable=True)
    model = dense_model(keras, made)
    model.compile(keras.optimizers.SGD(0.1), "mse")
    model.fit(tf.constant(TEXTS), np.zeros([2, 1], np.float32), verbose=0)
    assert calls(made) == 1
    output = np.sum(np.add(EMBEDDED, 1), axis=1)  # of the dense layer, whose weights are ones
    gradient = np.zeros([4, 2])
    gradient[[0, 3]] = output[:, np.newaxis]  # that of the mean of two squares
    expected = np.array(VECTORS) - 0.1 * (gradient + 0.2 * np.array(VECTORS))
    variables = made.resolved_object.variables_by_name
    np.testing.assert_allclose(variables["embedding/vectors"], expected, rtol=1e-5)
    np.testing.assert_allclose(variables["bias"], [-0.1 * np.sum(output)] * 2, rtol=1e-5)


def test_only_what_is_chosen_changes(keras, layer, hub_module):
    made = layer(hub_module, trainable="bias")
    model = dense_model(keras, made)
    model.compile("adam", "mse")
    model.fit(tf.constant(TEXTS), np.zeros([2, 1], np.float32), verbose=0)
    variables = made.resolved_object.variables_by_name
    np.testing.assert_allclose(variables["embedding/vectors"], VECTORS)
    assert np.all(variables["bias"].numpy() != 0)


def test_signatures_and_outputs(layer, hub_module):
    every = layer(hub_module, signature_outputs_as_dict=True)(TEXTS)
    assert sorted(every) == ["calls", "default"]
    assert int(layer(hub_module, output_key="calls")(TEXTS)) == 0
    scaled = layer(hub_module, signature="scaled", output_key="scaled", arguments={"scale": 2.0})
    np.testing.assert_allclose(scaled(TEXTS), np.multiply(EMBEDDED, 2))
    with_dict = layer(hub_module, True, signature="scaled", signature_outputs_as_dict=True)
    outputs = with_dict({"texts": tf.constant(TEXTS), "scale": tf.constant(2.0)}, training=True)
    np.testing.assert_allclose(outputs["scaled"], np.multiply(np.add(EMBEDDED, 1), 2))


def test_tags_choose_the_variant(layer, hub_module):
    np.testing.assert_allclose(layer(hub_module, tags=["train"])(TEXTS), np.add(EMBEDDED, 1))
    with pytest.raises(errors.TagsNotFoundError):
        layer(hub_module, tags=["other"])


def test_an_output_that_is_not_there(layer, hub_module):
    with pytest.raises(errors.OutputNotFoundError) as caught:
        layer(hub_module, signature="scaled")
    assert str(caught.value) == (
        f"The signature 'scaled' of {hub_module!r} has no output 'default'. Pass output_key=, one of: "
        "scaled, sum; or signature_outputs_as_dict=True for all."
    )
    with pytest.raises(errors.SignatureNotFoundError):
        layer(hub_module, signature="other")


def test_shapes_are_known_without_a_call(layer, hub_module):
    assert tuple(layer(hub_module).compute_output_shape((None,))) == (None, 2)


def test_mixed_precision(keras, layer, hub_module):
    made = layer(hub_module, trainable=True, dtype="mixed_float16")
    assert made(TEXTS).dtype == tf.float16
    assert all("float16" not in str(weight.dtype) for weight in made.weights)
