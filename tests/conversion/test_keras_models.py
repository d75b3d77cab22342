"""Models of Keras 3 and of legacy Keras as TF1 Hub modules: objects, files, and what is refused."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

import hub_estimator as hub
from hub_estimator import compat, files
from tests import modules
from tests.conversion import objects
from tests.modules import TRAIN

A, B = (np.arange(8, dtype=np.float32).reshape([2, 4]) / 10 + number for number in (0, 1))
TEXTS = np.array([["a b"], ["q c"]])
KERAS = ["legacy"] if compat.ships_estimator() else ["legacy", "keras_3"]


@pytest.fixture(params=KERAS)
def keras(request):
    """Each Keras that is there, in eager mode."""
    with compat.eagerly():
        yield compat.legacy_keras() if request.param == "legacy" else compat.keras_3_on_tensorflow()


def two_inputs(keras):
    """A model with all that training changes, and inputs and outputs by name."""
    a, b = (keras.Input((4,), name=name) for name in "ab")
    x = keras.layers.Dense(3, kernel_regularizer="l2", name="body")(a)
    x = keras.layers.Dropout(0.5)(keras.layers.BatchNormalization(name="norm")(x))
    y = keras.layers.Dense(1, name="head", activation="swish")(keras.layers.Concatenate()([x, b]))
    return keras.Model({"a": a, "b": b}, {"score": y, "features": x})


def of_text(keras):
    vectorize = keras.layers.TextVectorization(output_sequence_length=4)
    vectorize.adapt(["a b c", "c d e"])
    return keras.Sequential(
        [
            keras.Input((1,), dtype="string"),
            vectorize,
            keras.layers.Embedding(10, 3, name="embedding"),
            keras.layers.LSTM(3, name="lstm"),
            keras.layers.Dense(2, name="dense"),
        ]
    )


def plain(value):
    return modules.plain(np.asarray(value))


def test_a_model_with_inputs_and_outputs_by_name(keras, tmp_path):
    model = two_inputs(keras)
    inputs = {"a": A, "b": B}
    expected = {name: plain(value) for name, value in model(inputs).items()}
    loss = 0.01 * np.sum(np.square(model.get_layer("body").get_weights()[0]))
    module = hub.convert(model, tmp_path / "module", to="tf1").path
    modules.assert_equal(expected, objects.outputs(module, inputs))
    assert files.listing(str(tmp_path)) == ["module"]
    trained = {"body/kernel", "body/bias", "head/kernel", "head/bias", "norm/gamma", "norm/beta"}
    for library in (hub, peer()):
        changed, losses = objects.step(module, inputs, library=library)
        assert changed == trained and losses == pytest.approx([loss], rel=1e-5)
        changed, _ = objects.step(module, inputs, TRAIN, library)
        seeds = {name for name in changed if "seed" in name}  # Keras 3's, of the noise
        # A batch's mean takes the bias away again: rounding alone decides whether it changes.
        assert (changed | {"body/bias"}) - seeds == trained | {
            "norm/moving_mean", "norm/moving_variance",
        }  # fmt: skip


def peer():
    """The peer, or ours in its place."""
    if not compat.ships_estimator():
        return hub
    import tensorflow_hub

    return tensorflow_hub


def test_a_model_of_text(keras, tmp_path):
    model = of_text(keras)
    expected = plain(model(tf.constant(TEXTS)))
    module = hub.convert(model, tmp_path / "module", to="tf1").path
    [name] = hub.load_module_spec(module).get_input_info_dict()
    modules.assert_equal({"default": expected}, objects.outputs(module, {name: TEXTS}))
    for library in (hub, peer()):
        changed, _ = objects.step(module, {name: TEXTS}, TRAIN, library)
        assert {name for name in changed if "seed" not in name} == {
            "dense/bias", "dense/kernel", "embedding/embeddings", "lstm/lstm_cell/bias",
            "lstm/lstm_cell/kernel", "lstm/lstm_cell/recurrent_kernel",
        }  # fmt: skip


def test_a_keras_file(keras, tmp_path):
    model = two_inputs(keras)
    path = tmp_path / "model.keras"
    model.save(path)
    module = hub.convert(path, tmp_path / "module", to="tf1").path
    expected = {name: plain(value) for name, value in model({"a": A, "b": B}).items()}
    modules.assert_equal(expected, objects.outputs(module, {"a": A, "b": B}))
    assert files.listing(str(tmp_path)) == ["model.keras", "module"]


def test_a_file_where_two_legacy_kerases_are_in_the_process(tmp_path):
    """Keras 2.15 alone would look for the inputs of the other one's layers for ever."""
    program = (
        "import tensorflow as tf, tf_keras, hub_estimator as hub\n"
        "from hub_estimator import compat\n"
        "from tensorflow.python.util import tf_export\n"
        "keras = compat.legacy_keras()\n"
        "x = keras.Input((4,), name='x')\n"
        "keras.Model(x, keras.layers.Dense(2)(x)).save('model.keras')\n"
        "before = tf_export.get_symbol_from_name('keras.layers.Dense')\n"
        "print(hub.convert('model.keras', 'module', to='tf1').path)\n"
        "assert tf_export.get_symbol_from_name('keras.layers.Dense') is before\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program],
        check=False, cwd=tmp_path, capture_output=True, text=True, timeout=200,
    )  # fmt: skip
    assert ended.stdout == "module\n", ended.stderr


def test_a_model_that_was_called(keras, tmp_path):
    class Doubled(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = keras.layers.Dense(2)

        def call(self, inputs):
            return self.dense(2 * inputs)

    model = Doubled()
    expected = plain(model(A))
    module = hub.convert(model, tmp_path / "module", to="tf1").path
    [name] = hub.load_module_spec(module).get_input_info_dict()
    modules.assert_equal({"default": expected}, objects.outputs(module, {name: A}))
    changed, _ = objects.step(module, {name: A})
    assert {name.rpartition("/")[2] for name in changed} == {"kernel", "bias"}


def test_several_outputs_in_a_list_have_the_layers_names(keras, tmp_path):
    x = keras.Input((4,), name="x")
    outputs = [keras.layers.Dense(1, name="left")(x), keras.layers.Dense(2, name="right")(x)]
    module = hub.convert(keras.Model(x, outputs), tmp_path / "module", to="tf1").path
    spec = hub.load_module_spec(module)
    names = sorted(spec.get_output_info_dict())
    assert names == (["left", "right"] if keras.__name__ == "keras" else ["output_0", "output_1"])


def test_a_model_that_was_never_called(keras, tmp_path):
    class Unknown(keras.Model):
        def call(self, inputs):
            return inputs

    with pytest.raises(hub.errors.NotConvertibleError) as caught:
        hub.convert(Unknown(name="unknown"), tmp_path / "module", to="tf1")
    assert str(caught.value) == (
        "What the model 'unknown' takes is not known. Call the model once on a batch before, or build it of keras.Input. Or save it with an "
        "input_signature of your own, model.export(folder, input_signature=...), and convert that "
        "folder."
    )
    assert files.listing(str(tmp_path)) == []


def test_a_lambda_layer_calls_what_its_program_has(keras, tmp_path):
    """In Python the code is there; a `.keras` file of it is refused."""
    x = keras.Input((4,), name="x")
    model = keras.Model(x, keras.layers.Lambda(lambda value: 2 * value)(x))
    module = hub.convert(model, tmp_path / "module", to="tf1").path
    [name] = hub.load_module_spec(module).get_input_info_dict()
    modules.assert_equal({"default": (2 * A).tolist()}, objects.outputs(module, {name: A}))
    model.save(tmp_path / "model.keras")
    with pytest.raises(hub.errors.KerasFileError) as caught:
        hub.convert(tmp_path / "model.keras", tmp_path / "other", to="tf1")
    assert str(caught.value) == (
        f"{tmp_path}/model.keras has a Lambda layer, which brings Python code of its own, and opening a "
        "file runs no code of others. If the model is yours, load it in Python and pass the model to "
        "hub.convert."
    )
    assert not (tmp_path / "other").exists()


@pytest.mark.skipif(compat.ships_estimator(), reason="TensorFlow 2.15 has no Keras 3")
def test_a_layer_of_ones_own_needs_the_program(tmp_path):
    program = (
        "import keras\n"
        "class Mine(keras.layers.Layer):\n"
        "    def call(self, x): return 2 * x\n"
        "x = keras.Input((4,)); keras.Model(x, Mine()(x)).save('mine.keras')\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=tmp_path, capture_output=True)
    with pytest.raises(hub.errors.KerasFileError) as caught:
        hub.convert(tmp_path / "mine.keras", tmp_path / "module", to="tf1")
    assert str(caught.value).startswith(f"Keras cannot open {tmp_path}/mine.keras (TypeError: ")
    assert str(caught.value).endswith(
        "If it has layers of your own, load it in Python, where they are known, and pass the model to "
        "hub.convert."
    )
