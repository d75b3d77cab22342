"""Models with our layers, saved in all ways that their Keras has, and loaded again."""

from __future__ import annotations

import importlib
import json
import shutil

import numpy as np
import pytest
import tensorflow as tf

import hub_estimator as hub
from hub_estimator import compat, errors
from tests.compat.programs import run
from tests.keras import saved_models

TEXTS = tf.constant(["a", "other"])


def make(keras, layer, handle, trainable=True):
    made = layer(handle, trainable=trainable, name="module")
    model = keras.Sequential([keras.Input([], dtype="string"), made, keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(TEXTS, np.ones([2, 1], np.float32), epochs=2, verbose=0)
    return model


def predicted(model):
    return model.predict(TEXTS, verbose=0)


@pytest.fixture(params=["text", "hub_module"])
def handle(request, tmp_path):
    """A module that a test may move: a TF2 SavedModel, or a TF1 Hub module."""
    copied = tmp_path / "module"
    shutil.copytree(request.getfixturevalue(request.param), copied)
    return str(copied)


def test_a_keras_file_brings_the_fine_tuned_values_back(keras, layer, handle, tmp_path):
    model = make(keras, layer, handle)
    path = str(tmp_path / "model.keras")
    model.save(path)
    loaded = keras.models.load_model(path)
    np.testing.assert_allclose(predicted(loaded), predicted(model), rtol=1e-6)
    for one, other in zip(loaded.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_model_is_loaded_where_its_module_was_moved(keras, layer, handle, tmp_path):
    model = make(keras, layer, handle)
    path, moved = str(tmp_path / "model.keras"), str(tmp_path / "moved")
    model.save(path)
    shutil.move(handle, moved)
    with pytest.raises(errors.LayerHandleError) as caught:
        keras.models.load_model(path)
    assert str(caught.value) == (
        f"The saved layer 'module' computes with the module {handle!r}, which cannot be had: There is "
        f"nothing at {handle!r}: check the path of the module. If it is in another place now, load the "
        f"model in the context `with hub.keras.moved_handles({{{handle!r}: <new handle>}}):`."
    )
    with hub.keras.moved_handles({handle: tmp_path / "moved"}):
        loaded = keras.models.load_model(path)
    np.testing.assert_allclose(predicted(loaded), predicted(model), rtol=1e-6)
    assert loaded.layers[0].get_config()["handle"] == moved
    with pytest.raises(errors.LayerHandleError):
        keras.models.load_model(path)


def test_contexts_of_moved_handles_add_up():
    from hub_estimator.keras.handles import current_handle

    with hub.keras.moved_handles({"/a": "/b", "/c": "/d"}), hub.keras.moved_handles({"/a": "/e"}):
        assert [current_handle(place) for place in ("/a", "/c", "/f")] == ["/e", "/d", "/f"]
    assert current_handle("/a") == "/a"


def test_weights_alone(keras, layer, handle, tmp_path):
    model = make(keras, layer, handle)
    path = str(tmp_path / "model.weights.h5")
    model.save_weights(path)
    other = make(keras, layer, handle, trainable=False)
    other.load_weights(path)
    np.testing.assert_allclose(predicted(other), predicted(model), rtol=1e-6)


def test_checkpoints_of_tensorflow(keras, layer, handle, tmp_path):
    model = make(keras, layer, handle)
    path = tf.train.Checkpoint(model=model).write(str(tmp_path / "checkpoint"))
    other = make(keras, layer, handle)
    tf.train.Checkpoint(model=other).read(path)
    np.testing.assert_allclose(predicted(other), predicted(model), rtol=1e-6)


def test_a_copy_of_a_model_has_a_copy_of_the_module(keras, layer, handle):
    model = make(keras, layer, handle)
    copied = keras.models.clone_model(model)
    copied.set_weights(model.get_weights())
    np.testing.assert_allclose(predicted(copied), predicted(model), rtol=1e-6)
    assert copied.layers[0].resolved_object is not model.layers[0].resolved_object


def test_variables_that_are_no_weights_are_saved_too(keras, layer, numbers, tmp_path):
    model = keras.Sequential([keras.Input([3]), layer(numbers, name="module")])
    model.layers[0].resolved_object.words.assign(["x", "y", "zz"])
    model.layers[0].resolved_object.count.assign(7)
    model.save(str(tmp_path / "model.keras"))
    loaded = keras.models.load_model(str(tmp_path / "model.keras")).layers[0].resolved_object
    assert loaded.words.numpy().tolist() == [b"x", b"y", b"zz"]
    assert int(loaded.count) == 7


@pytest.mark.parametrize("suffix", [".h5", ""])
def test_the_older_files_of_legacy_keras(layer, name, handle, tmp_path, suffix):
    if name != "legacy":
        pytest.skip("Keras 3 neither writes folders nor reads its own h5 files of such models")
    keras = compat.legacy_keras()
    model = make(keras, layer, handle)
    path = str(tmp_path / f"model{suffix}")
    model.save(path)
    loaded = keras.models.load_model(path)
    np.testing.assert_allclose(predicted(loaded), predicted(model), rtol=1e-6)


SERVE = """
import json, sys
import tensorflow as tf
for path in sys.argv[1:]:
    loaded = tf.saved_model.load(path)
    outputs = loaded.signatures["serving_default"](tf.constant(["a", "other"]))
    [output] = outputs.values()
    print(json.dumps(output.numpy().tolist()))
assert "hub_estimator" not in sys.modules
"""


def ways(name):
    """The ways to save for serving that a Keras has."""
    # `Model.export` of legacy Keras carries the tables of its own layers alone.
    return ["save"] if name == "legacy" else ["export", "save"]


def test_what_is_exported_needs_neither_us_nor_the_module(text, hub_module, tmp_path):
    expected = {}
    for place, source in enumerate((text, hub_module)):
        handle = str(tmp_path / f"module-{place}")
        shutil.copytree(source, handle)
        for name in saved_models.kerases():
            layer = importlib.import_module(f"hub_estimator.keras.{name}").KerasLayer
            model = make(saved_models.keras_of(name), layer, handle)
            for way in ways(name):
                path = str(tmp_path / f"{place}-{name}-{way}")
                model.export(path) if way == "export" else tf.saved_model.save(model, path)
                expected[path] = predicted(model)
        shutil.rmtree(handle)
    result = run(SERVE, *expected)
    assert result.returncode == 0, result.stderr
    for line, outputs in zip(result.stdout.splitlines(), expected.values(), strict=True):
        np.testing.assert_allclose(json.loads(line), outputs, rtol=1e-5)
