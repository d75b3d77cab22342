"""Which Keras a layer is of, and what is said where it is used in a model of the other."""

from __future__ import annotations

import importlib
import sys

import numpy as np
import pytest
import tensorflow as tf

from hub_estimator import compat, errors
from tests.compat.programs import run
from tests.keras import saved_models
from tests.keras.saved_models import X

needs_both = pytest.mark.skipif(compat.ships_estimator(), reason="TensorFlow 2.15 has no Keras 3")

SAID = {
    "keras_3": "hub.keras.keras_3.KerasLayer is a layer of Keras 3, and a model of legacy Keras "
    "(tf-keras) uses it. Use hub.keras.legacy.KerasLayer there. (hub.KerasLayer is a layer of what "
    "tf.keras is in this process.)",
    "legacy": "hub.keras.legacy.KerasLayer is a layer of legacy Keras (tf-keras), and a model of Keras 3 "
    "uses it. Use hub.keras.keras_3.KerasLayer there. (hub.KerasLayer is a layer of what tf.keras is in "
    "this process.)",
}


def in_sequential(keras, made):
    keras.Sequential([keras.Input([3]), made])


def first_in_sequential(keras, made):
    keras.Sequential([made, keras.layers.Dense(1)])


def functional(keras, made):
    made(keras.Input([3]))


def subclassed(keras, made):
    class Model(keras.Model):
        def call(self, inputs):
            return made(inputs)

    Model()(tf.constant(X))


@needs_both
@pytest.mark.parametrize("use", [in_sequential, first_in_sequential, functional, subclassed])
def test_the_other_keras_is_told_which_layer_to_use(name, layer, numbers, use):
    [other] = set(saved_models.kerases()) - {name}
    keras = saved_models.keras_of(other)
    made = layer(numbers)
    with pytest.raises(errors.MixedKerasError) as caught:
        use(keras, made)
    assert SAID[name] in str(caught.value)
    np.testing.assert_allclose(made(X), X @ np.full([3, 2], 0.5))


@needs_both
def test_other_models_are_what_they_were(keras, name, layer, numbers):
    [other] = set(saved_models.kerases()) - {name}
    layer(numbers)
    with pytest.raises((TypeError, ValueError), match="(?i)instance"):
        saved_models.keras_of(other).Sequential([keras.layers.Dense(1)])


@pytest.mark.skipif(not compat.ships_estimator(), reason="the newest TensorFlow has Keras 3")
def test_keras_3_is_asked_for_where_there_is_none(monkeypatch):
    with pytest.raises(errors.KerasNotFoundError) as caught:
        importlib.import_module("hub_estimator.keras.keras_3")
    assert str(caught.value) == (
        "Keras 3, the package keras in a release from 3 on, is needed here, and this one is keras "
        "2.15.0. Install it beside TensorFlow 2.16 or newer: pip install 'keras>=3'. The layer of "
        "legacy Keras, which needs none of it, is hub.keras.legacy.KerasLayer."
    )
    assert isinstance(caught.value, ImportError)
    monkeypatch.setitem(sys.modules, "keras", None)
    with pytest.raises(errors.KerasNotFoundError) as caught:
        compat.import_keras_3()
    assert "and importing it failed: import of keras halted" in str(caught.value)


CHOSEN = """
import sys
import hub_estimator as hub
import hub_estimator.keras
assert not {"tensorflow", "keras", "tf_keras"} & set(sys.modules)
import tensorflow as tf
assert issubclass(hub.KerasLayer, tf.keras.layers.Layer)
assert hub.KerasLayer is hub.keras.KerasLayer
assert isinstance(hub.KerasLayer(abs), hub.KerasLayer)
print(hub.KerasLayer.__module__)
"""


@pytest.mark.parametrize("variable", [None, "1"])
def test_the_layer_is_of_what_tf_keras_is(variable):
    if variable is None and compat.ships_estimator():
        pytest.skip("the same as with the variable")
    result = run(CHOSEN, TF_USE_LEGACY_KERAS=variable)
    assert result.returncode == 0, result.stderr
    module = "legacy" if variable else "keras_3"
    assert result.stdout.split() == [f"hub_estimator.keras.{module}"]


@needs_both
def test_other_backends_are_refused(monkeypatch, numbers):
    from hub_estimator.keras.keras_3 import KerasLayer

    monkeypatch.setattr(compat.import_keras_3().config, "backend", lambda: "jax")
    with pytest.raises(errors.KerasBackendError) as caught:
        KerasLayer(numbers)
    assert str(caught.value) == (
        "Keras runs on the backend 'jax' in this process, and modules compute with TensorFlow: their "
        "operations are no part of what jax differentiates. Start the program with "
        "KERAS_BACKEND=tensorflow."
    )
    assert isinstance(caught.value, NotImplementedError)


# Each device gets half of each batch.
TWO_DEVICES = """
import importlib, sys
import numpy as np
import tensorflow as tf
from tests.keras import saved_models

cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
x = np.sin(np.arange(24, dtype=np.float32)).reshape([8, 3])
y = np.arange(8, dtype=np.float32)[:, np.newaxis]
saved_model, hub_module = sys.argv[1:]
handles = {name: [hub_module] for name in saved_models.kerases()}
handles[saved_models.kerases()[0]].append(saved_model)
for name in saved_models.kerases():
    keras = saved_models.keras_of(name)
    layer = importlib.import_module("hub_estimator.keras." + name).KerasLayer
    for handle in handles[name]:
        trained = []
        for devices in (["/cpu:0"], ["/cpu:0", "/cpu:1"]):
            with tf.distribute.MirroredStrategy(devices).scope():
                made = layer(handle, trainable=True)
                dense = keras.layers.Dense(1, kernel_initializer="ones")
                model = keras.Sequential([keras.Input([3]), made, dense])
                model.compile(keras.optimizers.SGD(0.01), "mse")
            data = tf.data.Dataset.from_tensor_slices((x, y)).batch(4)
            model.fit(data, shuffle=False, verbose=0)
            trained.append([weight.numpy() for weight in model.trainable_weights])
        assert not np.allclose(trained[0][0], layer(handle).get_weights()[0])
        for one, two in zip(*trained, strict=True):
            np.testing.assert_allclose(one, two, rtol=1e-5)
print("trained")
"""


def test_two_devices_train_as_one_does(numbers, hub_numbers):
    result = run(TWO_DEVICES, numbers, hub_numbers)
    assert result.stdout.endswith("trained\n"), result.stderr


BESIDE_ESTIMATORS = """
import sys
import numpy as np
import hub_estimator as hub
import tensorflow as tf

handle, folder, order = sys.argv[1:]
texts = np.array(["a", "b", "c", "d"], dtype=object)

def estimators():
    from hub_estimator import compat
    estimator = hub.estimator
    column = hub.text_embedding_column("text", handle, trainable=True)
    classifier = estimator.DNNClassifier([4], [column], folder + "/dnn")
    def input_fn():
        return tf.data.Dataset.from_tensors(({"text": texts.tolist()}, [0, 1, 0, 1])).repeat()
    classifier.train(input_fn, steps=2)
    def model_fn(features, labels, mode):
        embedded = hub.Module(handle)(features["text"])
        logits = compat.legacy_layers().dense(embedded, 1)
        loss = tf.reduce_mean(tf.square(logits))
        step = tf.compat.v1.train.get_or_create_global_step()
        train_op = tf.compat.v1.train.GradientDescentOptimizer(0.1).minimize(loss, step)
        return estimator.EstimatorSpec(mode, loss=loss, train_op=train_op)
    estimator.Estimator(model_fn, folder + "/layers").train(input_fn, steps=2)

def layers():
    import keras
    assert keras.__version__.startswith("3.")
    assert issubclass(hub.KerasLayer, keras.Layer)
    model = keras.Sequential()
    model.add(hub.KerasLayer(handle, input_shape=[], dtype=tf.string, trainable=True))
    model.add(keras.layers.Dense(1))
    model.compile("adam", "mse")
    model.fit(tf.constant(texts), np.ones([4, 1]), epochs=2, verbose=0)
    model.save(folder + "/model.keras")
    loaded = keras.models.load_model(folder + "/model.keras")
    expected = model.predict(tf.constant(texts), verbose=0)
    np.testing.assert_allclose(loaded.predict(tf.constant(texts), verbose=0), expected, rtol=1e-6)

for part in order.split(","):
    {"estimators": estimators, "layers": layers}[part]()
print("done")
"""


@needs_both
@pytest.mark.parametrize("order", ["layers,estimators", "estimators,layers"])
def test_keras_3_and_estimators_work_in_one_process(hub_module, tmp_path, order):
    result = run(BESIDE_ESTIMATORS, hub_module, str(tmp_path), order)
    assert result.stdout.endswith("done\n"), result.stderr
