"""What a layer computes, trains and says of itself, in either Keras."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from hub_estimator import errors
from tests.keras.saved_models import X, set_policy

Y = np.zeros([2, 1], np.float32)
PRODUCT = X @ np.full([3, 2], 0.5, np.float32)


def names(weights):
    return [weight.name.partition(":")[0].replace("/", "_") for weight in weights]


def test_a_layer_computes_inference_unless_it_is_trained(layer, numbers):
    np.testing.assert_allclose(layer(numbers)(X), PRODUCT)
    np.testing.assert_allclose(layer(numbers)(X, training=True), PRODUCT)
    np.testing.assert_allclose(layer(numbers, trainable=True)(X), PRODUCT)
    trained = layer(numbers, trainable=True)
    np.testing.assert_allclose(trained(X, training=True), PRODUCT + 1)
    assert trained.resolved_object.count.numpy() == 1
    trained.trainable = False
    np.testing.assert_allclose(trained(X, training=True), PRODUCT)
    assert trained.resolved_object.count.numpy() == 1


def test_training_may_be_a_tensor(layer, numbers):
    trained = layer(numbers, trainable=True)

    @tf.function
    def call(training):
        return trained(X, training=training)

    np.testing.assert_allclose(call(tf.constant(True)), PRODUCT + 1)
    np.testing.assert_allclose(call(tf.constant(False)), PRODUCT)


def test_a_tensor_may_tell_what_cannot_be_told(layer, text):
    trained = layer(text, trainable=True)

    @tf.function
    def call(training):
        return trained(tf.constant(["a"]), training=training)

    assert call(tf.constant(True)).numpy().tolist() == [[0, 1]]


def test_weights_are_those_of_the_module(layer, numbers):
    made = layer(numbers, trainable=True)
    assert names(made.trainable_weights) == ["linear_w"]
    assert names(made.non_trainable_weights)[0] == "count"
    made.trainable = False
    assert names(made.trainable_weights) == []
    assert names(made.weights)[:2] == ["linear_w", "count"]
    made.trainable = True
    assert names(made.trainable_weights) == ["linear_w"]
    assert names(layer(numbers).trainable_weights) == []


def test_a_weight_has_the_value_of_the_variable(layer, numbers):
    made = layer(numbers, trainable=True)
    made.trainable_weights[0].assign(np.ones([3, 2]))
    np.testing.assert_allclose(made(X), X @ np.ones([3, 2]))
    made.resolved_object.w.assign(np.zeros([3, 2]))
    np.testing.assert_allclose(made.get_weights()[0], np.zeros([3, 2]))


def test_losses_are_added_while_the_layer_is_trained(keras, layer, numbers):
    made = layer(numbers, trainable=True)
    model = keras.Sequential([keras.Input([3]), made])
    model.compile(keras.optimizers.SGD(0.0), "mse")
    loss = model.evaluate(X, PRODUCT, verbose=0)
    np.testing.assert_allclose(loss, 0.1 * 6 * 0.25, rtol=1e-6)
    made.trainable = False
    model.compile(keras.optimizers.SGD(0.0), "mse")
    assert model.evaluate(X, PRODUCT, verbose=0) == 0


def test_fit_changes_the_module(keras, layer, numbers):
    made = layer(numbers, trainable=True)
    model = keras.Sequential(
        [keras.Input([3]), made, keras.layers.Dense(1, kernel_initializer="ones")]
    )
    model.compile(keras.optimizers.SGD(0.01), "mse")
    model.fit(X, Y, epochs=2, verbose=0)
    assert made.resolved_object.count.numpy() == 2
    assert np.all(made.resolved_object.w.numpy() < 0.5)


def test_a_regular_expression_chooses_what_is_trained(layer, numbers):
    made = layer(numbers, trainable="^lin")
    assert made.trainable is True
    assert names(made.trainable_weights) == ["linear_w"]
    config = made.get_config()
    assert (config["trainable"], config["trainable_pattern"]) == (True, "^lin")
    made.trainable = False
    again = layer.from_config(made.get_config())
    assert names(again.trainable_weights) == []
    again.trainable = True
    assert names(again.trainable_weights) == ["linear_w"]
    with pytest.raises(errors.NoTrainableVariablesError) as caught:
        layer(numbers, trainable="count")
    assert str(caught.value) == (
        "trainable='count' is found in the name of no trainable variable. There are: linear/w."
    )
    with pytest.raises(errors.NoTrainableVariablesError) as caught:
        layer(numbers, trainable="(")
    assert str(caught.value) == (
        "trainable='(' is not a regular expression: missing ), unterminated subpattern at position 0."
    )


def test_signatures(layer, numbers):
    one = layer(numbers, signature="parts", output_key="product", trainable=True)
    np.testing.assert_allclose(one(X), PRODUCT)
    np.testing.assert_allclose(one({"x": X}, training=True), PRODUCT)
    assert names(one.trainable_weights) == ["linear_w"]
    every = layer(numbers, signature="parts", signature_outputs_as_dict=True)(X)
    assert sorted(every) == ["input", "product"]
    pair = layer(numbers, signature="pair", output_key="sum")
    np.testing.assert_allclose(pair({"x": X, "y": np.ones([2, 1], np.float64)}), PRODUCT + 1)


def test_callables(layer):
    def scaled(x, factor, training=False):
        return {"scaled": x * factor, "trains": tf.constant(training)}

    made = layer(scaled, True, {"factor": 5.0}, output_key="scaled")
    np.testing.assert_allclose(made(X), X * 5)
    assert made.weights == []
    assert made.resolved_object is scaled
    both = layer(scaled, trainable=True, arguments={"factor": 5.0})
    assert bool(both(X, training=True)["trains"])
    assert not bool(both(X)["trains"])


def test_a_traced_function_and_a_module_are_callables(layer):
    class Twice(tf.Module):
        def __init__(self):
            super().__init__()
            self.factor = tf.Variable(2.0)

        @tf.function(input_signature=[tf.TensorSpec([None], tf.float32)])
        def __call__(self, x):
            return x * self.factor

    made = layer(Twice(), trainable=True)
    np.testing.assert_allclose(made(np.ones([2], np.float64)), [2, 2])
    assert len(made.trainable_weights) == 1
    np.testing.assert_allclose(layer(tf.function(lambda x: x + 1))(X), X + 1)


@pytest.mark.parametrize("traced", [True, False])
def test_what_was_saved_with_one_value_of_training_is_told_that(layer, tmp_path, traced):
    class Added(tf.Module):
        @tf.function
        def __call__(self, x, training=False):
            return x + (1.0 if training else 0.0)

    module = Added()
    module(X, training=traced)
    tf.saved_model.save(module, tmp_path / "saved")
    made = layer(str(tmp_path / "saved"), trainable=True)
    np.testing.assert_allclose(made(X), X + float(traced))
    np.testing.assert_allclose(made(X, training=True), X + float(traced))


def test_a_loaded_object_is_shared_by_layers(layer, numbers):
    loaded = tf.saved_model.load(numbers)
    first, second = layer(loaded, trainable=True), layer(loaded)
    first.trainable_weights[0].assign(np.zeros([3, 2]))
    np.testing.assert_allclose(second(X), np.zeros([2, 2]))


def test_texts_need_not_be_tensors(keras, layer, text):
    made = layer(text)
    expected = [[0, 1], [6, 7]]
    assert made(["a", "other"]).numpy().tolist() == expected
    assert made(tf.constant(["a", "other"])).numpy().tolist() == expected
    assert made(np.array(["a", "other"], dtype=object)).numpy().tolist() == expected


def sequential(keras, layer, text):
    model = keras.Sequential()
    model.add(layer(text, input_shape=[], dtype=tf.string, trainable=True))
    model.add(keras.layers.Dense(1))
    return model


def sequential_that_is_told_nothing(keras, layer, text):
    return keras.Sequential([layer(text, trainable=True), keras.layers.Dense(1)])


def functional(keras, layer, text):
    inputs = keras.Input([], dtype="string")
    return keras.Model(inputs, keras.layers.Dense(1)(layer(text, trainable=True)(inputs)))


def subclassed(keras, layer, text):
    class Model(keras.Model):
        def __init__(self):
            super().__init__()
            self.texts = layer(text, trainable=True)
            self.dense = keras.layers.Dense(1)

        def call(self, inputs):
            return self.dense(self.texts(inputs))

    return Model()


@pytest.mark.parametrize(
    "make", [sequential, sequential_that_is_told_nothing, functional, subclassed]
)
def test_models_of_texts_train(keras, layer, text, make):
    model = make(keras, layer, text)
    model.compile("sgd", "mse")
    data = tf.data.Dataset.from_tensor_slices((["a", "b"], Y)).batch(2)
    model.fit(data, epochs=2, shuffle=False, verbose=0)
    assert len(model.trainable_weights) == 3
    made = next(part for part in model.layers if isinstance(part, layer))
    assert not np.allclose(made.resolved_object.vectors[0], [0, 1])
    np.testing.assert_allclose(made.resolved_object.vectors[3], [6, 7])
    assert model.predict(tf.constant(["a"]), verbose=0).shape == (1, 1)
    lines = []
    model.summary(print_fn=lambda line, **kwargs: lines.append(line))
    assert "keras_layer" in "\n".join(lines)


def test_no_xla_is_asked_for_texts(keras, name, layer, text):
    if name == "legacy":
        pytest.skip("legacy Keras compiles nothing by XLA that does not ask for it")
    model = sequential(keras, layer, text)
    with pytest.warns(UserWarning, match="doesn't support `jit_compile=True`"):
        model.compile("sgd", "mse", jit_compile=True)
    model.fit(tf.constant(["a", "b"]), Y, verbose=0)


def test_nested_ragged_and_sparse_inputs(keras, layer, nested):
    made = layer(nested)
    values = {
        "ragged": tf.ragged.constant([[1, 2], [3]], dtype=tf.int64),
        "sparse": tf.sparse.from_dense(np.eye(2, 4, dtype=np.float32)),
        "dense": tf.zeros([2, 2], tf.float64),
    }
    outputs = made(values)
    assert isinstance(outputs["ragged"], tf.RaggedTensor)
    assert isinstance(outputs["sparse"], tf.SparseTensor)
    assert outputs["dense"].dtype == tf.float32
    inputs = {
        "ragged": keras.Input([None], dtype="int64", ragged=True, name="ragged"),
        "sparse": keras.Input([4], sparse=True, name="sparse"),
        "dense": keras.Input([2], name="dense"),
    }
    outputs = made(inputs)
    model = keras.Model(inputs, [outputs["lengths"], outputs["sum"]])
    lengths, total = model({**values, "dense": tf.zeros([2, 2])})
    np.testing.assert_allclose(lengths, [[2], [1]])
    np.testing.assert_allclose(total, [[1], [1]])


def test_shapes_are_known_without_a_call(keras, layer, numbers, text, nested):
    def shape(found):
        return tuple(found)

    assert shape(layer(text).compute_output_shape((None,))) == (None, 2)
    assert shape(layer(text).compute_output_shape(tf.TensorShape([5])))[1] == 2
    parts = layer(numbers, signature="parts", signature_outputs_as_dict=True)
    assert {key: shape(found) for key, found in parts.compute_output_shape((7, 3)).items()} == {
        "input": (7, 3),
        "product": (7, 2),
    }
    pair = layer(numbers, signature="pair", output_key="sum")
    assert shape(pair.compute_output_shape({"x": (None, 3), "y": (None, 1)})) == (None, 2)

    def several(values):
        return [values[0], values[1] + 1]

    found = layer(several).compute_output_shape([(None, 3), (None, 4)])
    assert list(map(shape, found)) == [(None, 3), (None, 4)]


def test_an_output_shape_tells_what_tensorflow_does_not_know(keras, layer):
    def unknown(x):
        return tf.numpy_function(lambda values: values, [x], tf.float32)

    made = layer(unknown, output_shape=[3])
    assert tuple(made.compute_output_shape((None, 3))) == (None, 3)
    assert tuple(made(keras.Input([3])).shape) == (None, 3)
    both = layer(lambda x: {"a": unknown(x), "b": [x]}, output_shape={"a": 3, "b": [[3]]})
    assert tuple(both.compute_output_shape((2, 3))["a"])[1:] == (3,)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "float64"])
def test_other_types_than_float32(keras, layer, numbers, text, policy):
    set_policy(keras, policy)
    compute = policy.removeprefix("mixed_")
    model = keras.Sequential(
        [keras.Input([3]), layer(numbers, trainable=True), keras.layers.Dense(1)]
    )
    model.compile("sgd", "mse")
    model.fit(X, Y, verbose=0)
    made = model.layers[0]
    assert made.resolved_object.w.dtype == tf.float32
    assert made(X).dtype.name == compute
    assert layer(text)(["a"]).dtype.name == compute
    assert layer(numbers, dtype="float32")(X).dtype == tf.float32


def test_what_a_module_takes_counts_rather_than_what_is_given(layer, numbers):
    assert layer(numbers)(X.astype(np.float64)).dtype == tf.float32
    assert layer(lambda x: x)(X.astype(np.float64)).dtype == tf.float32


def test_configurations(layer, numbers):
    made = layer(
        numbers,
        name="numbers",
        trainable=True,
        tags="serve",
        signature="parts",
        output_key="product",
        output_shape=(2,),
        load_options=tf.saved_model.LoadOptions(),
    )
    config = made.get_config()
    base = {key: config.pop(key) for key in ("name", "trainable", "dtype")}
    assert (base["name"], base["trainable"]) == ("numbers", True)
    assert config == {
        "handle": numbers,
        "tags": ["serve"],
        "signature": "parts",
        "output_key": "product",
        "output_shape": [2],
    }
    again = layer.from_config({**base, **config})
    np.testing.assert_allclose(again(X), PRODUCT)
    assert again.get_config() == made.get_config()
    with pytest.raises(errors.LayerConfigError) as caught:
        layer(np.abs).get_config()
    assert str(caught.value) == (
        "A layer made with an object, a ufunc, has no configuration: a saved model could not make it "
        "again. Make it with a handle, hub.KerasLayer('/path/or/url'), or save weights alone: "
        "model.save_weights(...)."
    )
    assert isinstance(caught.value, NotImplementedError)


def settings_error(layer, *args, **kwargs):
    with pytest.raises(errors.LayerSettingsError) as caught:
        layer(*args, **kwargs)
    return str(caught.value)


def test_arguments_that_contradict_one_another(layer, numbers):
    shown = repr(numbers)
    assert settings_error(
        layer, numbers, signature="parts", signature_outputs_as_dict=True, output_key="product"
    ) == (
        "signature_outputs_as_dict=True gives all outputs, and output_key='product' one of them. Pass "
        "one of the two."
    )
    assert settings_error(layer, numbers, signature="parts") == (
        "A call of the signature 'parts' gives its outputs by name. Pass output_key= for one of them, or "
        "signature_outputs_as_dict=True for all."
    )
    assert settings_error(layer, numbers, signature_outputs_as_dict=True) == (
        "signature_outputs_as_dict=True is for signatures, and none is chosen: pass signature=, one of: "
        "pair, parts."
    )
    assert settings_error(layer, np.abs, tags=["serve"]) == (
        "tags is for loading what a handle names, and a ufunc is loaded already. Leave tags out, or pass "
        "the handle."
    )
    assert settings_error(layer, np.abs, load_options=tf.saved_model.LoadOptions()) == (
        "load_options is for loading what a handle names, and a ufunc is loaded already. Leave "
        "load_options out, or pass the handle."
    )
    with pytest.raises(errors.SignatureNotFoundError) as caught:
        layer(numbers, signature="none", output_key="x")
    assert str(caught.value) == f"{shown} has no signature 'none'. It has: pair, parts."


def test_what_cannot_be_called(layer, folder):
    root = tf.train.Checkpoint()
    root.serve = tf.function(lambda x: {"x": x}, input_signature=[tf.TensorSpec([None])])
    path = str(folder / "uncallable")
    tf.saved_model.save(root, path, signatures={"serve": root.serve})
    assert settings_error(layer, path) == (
        f"{path!r} is not callable as a whole. Pass signature=, one of: serve; with it output_key=, or "
        "signature_outputs_as_dict=True."
    )
    assert settings_error(layer, 3) == (
        "handle is a int, which is neither a handle nor callable. Give the folder or the URL of a module, "
        "or a callable."
    )
