"""Modules as reusable SavedModels, loaded without this package and by the peer's Keras layer."""

from __future__ import annotations

import importlib
import json
import os
import pathlib
import pickle
import shutil
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

import hub_estimator as hub
from hub_estimator.format import tf_errors
from hub_estimator.graph.reusable.export import SavedSignature, save_reusable
from tests import modules
from tests.modules import TRAIN, X23, tf1

PROGRAM = pathlib.Path(__file__).parent / "loading_program.py"
INFERENCE = frozenset()


@pytest.fixture(autouse=True)
def fresh_graph():
    """These tests execute eagerly."""


def _define(name, folder=""):
    with tf.Graph().as_default():
        return modules.define(hub, name, str(folder))


def _spec(module_fn, *args):
    with tf.Graph().as_default():
        return hub.create_module_spec(module_fn, *args)


def _look(folder, saved):
    """What a process of its own finds in SavedModels, which only imports TensorFlow."""
    (folder / "calls").write_bytes(pickle.dumps(saved))
    result = subprocess.run(  # noqa: PLW1510  what it wrote says more than its exit status
        [sys.executable, str(PROGRAM), str(folder / "calls")],
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        cwd=folder,
    )
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout.splitlines()[-1])


def _name(signatures, call):
    """The name under which the signature of a call was saved."""
    wanted = SavedSignature(call.tags, call.signature)
    return next(name for name, signature in signatures.items() if signature == wanted)


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    """What is found in the SavedModels of all cases, their modules being gone."""
    folder = tmp_path_factory.mktemp("saved")
    (folder / "files").mkdir()
    saved, expected = [], []
    for name, case in modules.CASES.items():
        path = modules.export(hub, _define(name, folder / "files" / name), folder / "module")
        spec = hub.load_module_spec(path)
        calls = [call for call in case.calls if call.tags not in spec.unusable]
        signatures = save_reusable(spec, folder / name)
        inputs = [(_name(signatures, call), dict(call.inputs)) for call in calls]
        saved.append((str(folder / name), inputs))
        expected.append(modules.outputs(hub, spec, calls))
        shutil.rmtree(path)
    shutil.rmtree(folder / "files")
    found = _look(folder, saved)
    return {
        name: (found[number], expected[number], saved[number][1])
        for number, name in enumerate(modules.CASES)
    }


@pytest.mark.parametrize("name", modules.CASES)
def test_signatures_compute_what_the_module_does(loaded, name):
    found, expected, _ = loaded[name]
    modules.assert_equal(expected, found["outputs"])


@pytest.mark.parametrize("name", modules.CASES)
def test_the_object_computes_the_default_signature(loaded, name):
    found, expected, calls = loaded[name]
    defaults = [
        outputs for (name, _), outputs in zip(calls, expected, strict=True) if name == "default"
    ]
    for (output, _), wanted in zip(found["calls"], defaults, strict=True):
        modules.assert_equal({"": wanted["default"]} if "default" in wanted else wanted, output)


def test_variables_have_the_names_of_the_module(loaded):
    found, _, _ = loaded["nested"]
    names = ["inner/embeddings:0", "middle/inner/embeddings:0", "middle/w:0"]
    assert found["variables"] == names
    assert found["trainable"] == names[1:]
    found, _, _ = loaded["partitioned"]
    assert [name for name in found["variables"] if not name.startswith("big")] == [
        *("one/part_0:0", "ref/part_0:0", "ref/part_1:0", "ref/part_2:0"),
        *("two/part_0:0", "two/part_1:0"),
    ]


def test_training_runs_updates_and_has_losses(loaded):
    found, _, _ = loaded["batch_norm"]
    assert found["trainable"] == ["w:0"]
    np.testing.assert_allclose(found["losses"], [0.5 * np.sum((np.arange(1, 10) * 0.1) ** 2)])
    # The program called it once with training=True.
    average = 0.9 * np.float32([0.1, 0.2, 0.3]) + 0.1 * X23.mean(0)
    np.testing.assert_allclose(found["values"]["average:0"], average, rtol=1e-6)
    (inference, training), *_ = found["calls"]
    assert inference != training


def test_variants_have_their_signatures(tmp_path):
    signatures = save_reusable(_define("batch_norm"), tmp_path / "saved")
    assert signatures == {
        "default": SavedSignature(INFERENCE, "default"),
        "default_train": SavedSignature(TRAIN, "default"),
    }
    found = tf.saved_model.load(str(tmp_path / "saved"))
    assert sorted(found.signatures) == ["default", "default_train"]
    before = found.variables[0].numpy()
    found.signatures["default_train"](tf.constant(X23))
    np.testing.assert_array_equal(found.variables[0], before)


def test_names_that_are_taken(tmp_path):
    def module_fn(is_training=False):
        hub.add_signature(outputs=tf.constant(1.0))
        hub.add_signature("default_train", outputs=tf.constant(3.0 if is_training else 2.0))

    signatures = save_reusable(_spec(module_fn, modules.BOTH_VARIANTS), tmp_path / "saved")
    assert signatures == {
        "default": SavedSignature(INFERENCE, "default"),
        "default_train": SavedSignature(INFERENCE, "default_train"),
        "default_train_": SavedSignature(TRAIN, "default"),
        "default_train_train": SavedSignature(TRAIN, "default_train"),
    }
    found = tf.saved_model.load(str(tmp_path / "saved")).signatures
    values = {name: float(found[name]()["default"]) for name in signatures}
    assert list(values.values()) == [1, 2, 1, 3]


def test_inputs_whose_names_no_argument_can_have(tmp_path):
    names = ["a b", "a_b", "self", "1st", "class", "x/y"]

    def module_fn():
        inputs = {
            name: tf1.placeholder(tf.float32, [], f"input{number}")
            for number, name in enumerate(names)
        }
        outputs = {
            name: value * (10.0**number) for number, (name, value) in enumerate(inputs.items())
        }
        hub.add_signature(inputs=inputs, outputs=outputs)

    save_reusable(_spec(module_fn), tmp_path / "saved")
    found = tf.saved_model.load(str(tmp_path / "saved"))
    arguments = ["a_b", "a_b_", "input_1st", "input_class", "input_self", "x_y"]
    outputs = found.signatures["default"](**dict.fromkeys(arguments, tf.constant(1.0)))
    assert {name: float(value) for name, value in outputs.items()} == {
        name: 10.0**number for number, name in enumerate(names)
    }
    outputs = found(dict.fromkeys(names, tf.constant(1.0)))
    assert sorted(outputs) == sorted(names)


def test_attached_messages(tmp_path):
    message = tf.train.BytesList(value=[b"some", b"thing"])

    def module_fn():
        hub.attach_message("about", message)
        hub.add_signature(outputs=tf.constant(1.0))

    save_reusable(_spec(module_fn), tmp_path / "saved")
    attached = tf.saved_model.load(str(tmp_path / "saved")).attached_messages()
    assert {
        key: tf.train.BytesList.FromString(value.numpy()) for key, value in attached.items()
    } == {"about": message}


def test_a_variant_without_values_is_left_out(tmp_path, caplog):
    path = modules.export(hub, _define("different_variables"), tmp_path / "module")
    caplog.clear()
    signatures = save_reusable(hub.load_module_spec(path), tmp_path / "saved")
    assert list(signatures) == ["default"]
    assert caplog.messages == [
        f"The module {path} has no values for the graph variants with the tags {{'disc'}}, "
        + "which are left out."
    ]


def test_a_chosen_variant(tmp_path):
    signatures = save_reusable(_define("different_variables"), tmp_path / "saved", tags={"disc"})
    assert signatures == {
        "default": SavedSignature(modules.DISCRIMINATOR, "default"),
        "default_": SavedSignature(INFERENCE, "default"),
    }
    found = tf.saved_model.load(str(tmp_path / "saved"))
    names = [variable.name for variable in found.trainable_variables]
    assert names == ["disc/w:0", "shared:0"]


def test_the_only_variant_is_called(tmp_path):
    def module_fn():
        hub.add_signature(outputs=tf.constant(1.0))

    spec = _spec(module_fn, [({"only"}, {})])
    assert list(save_reusable(spec, tmp_path / "saved")) == ["default"]
    assert float(tf.saved_model.load(str(tmp_path / "saved"))()) == 1


def test_without_a_default_signature(tmp_path):
    def module_fn():
        hub.add_signature("other", outputs=tf.constant(1.0))

    assert list(save_reusable(_spec(module_fn), tmp_path / "saved")) == ["other"]
    found = tf.saved_model.load(str(tmp_path / "saved"))
    assert not callable(found)
    assert float(found.signatures["other"]()["default"]) == 1


@pytest.mark.parametrize("in_function", [False, True])
def test_python_is_refused_before_anything_is_written(tmp_path, in_function):
    def module_fn(is_training=False):
        x = modules.placeholder()

        def call(value):
            return tf1.py_func(lambda array: array, [value], tf.float32)

        y = x
        if is_training:
            y = tf.map_fn(call, x, fn_output_signature=tf.float32) if in_function else call(x)
        hub.add_signature(inputs=x, outputs=y)

    with modules.control_flow(v2=True):
        spec = _spec(module_fn, modules.BOTH_VARIANTS)
    with pytest.raises(hub.errors.NotConvertibleError) as caught:
        save_reusable(spec, tmp_path / "below" / "saved")
    assert not (tmp_path / "below").exists()
    text = str(caught.value)
    assert text.startswith(
        "The module of test_python_is_refused_before_anything_is_written.<locals>.module_fn cannot be "
        "a SavedModel of TensorFlow 2: the operation '"
    )
    assert text.endswith(
        "' (PyFunc) of its graph variant with the tags {'train'} calls Python, which no file holds. "
        "Define the module without it."
    )


def test_what_is_there_is_not_overwritten(tmp_path):
    spec = _define("dense")
    save_reusable(spec, tmp_path / "saved")
    before = (tmp_path / "saved" / "saved_model.pb").read_bytes()
    with pytest.raises(tf_errors.ModuleExistsError) as caught:
        save_reusable(spec, tmp_path / "saved")
    assert str(caught.value) == (
        f"There is a SavedModel of TF1 or TF2 at {tmp_path}/saved already, and it is never "
        "overwritten. Give another folder, or remove that one first."
    )
    assert (tmp_path / "saved" / "saved_model.pb").read_bytes() == before


def test_a_folder_with_other_files(tmp_path):
    (tmp_path / "saved" / "assets").mkdir(parents=True)
    with pytest.raises(hub.errors.ExportError) as caught:
        save_reusable(_define("dense"), tmp_path / "saved")
    assert str(caught.value).startswith(f"A SavedModel cannot be written to {tmp_path}/saved: ")
    assert os.listdir(tmp_path / "saved") == ["assets"] and os.listdir(tmp_path) == ["saved"]


def test_an_asset_that_is_gone(tmp_path):
    spec = _define("asset_content", tmp_path / "files")
    path = modules.export(hub, spec, tmp_path / "module")
    spec = hub.load_module_spec(path)
    shutil.rmtree(tmp_path / "module" / "assets")
    with pytest.raises(hub.errors.ExportError) as caught:
        save_reusable(spec, tmp_path / "saved")
    assert str(caught.value) == (
        f"The module's asset 'data.txt' is not at {path}/assets/data.txt any more. Its file must be "
        "there until the module is converted."
    )
    assert sorted(os.listdir(tmp_path)) == ["files", "module"]


def _train(layer, x):
    """One training step of a peer's layer; the gradients by variable names."""
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(x, training=True) ** 2) + sum(layer.losses)
    gradients = tape.gradient(loss, layer.trainable_weights)
    names = [variable.name for variable in layer.trainable_weights]
    return dict(zip(names, gradients, strict=True))


@pytest.mark.peer
def test_the_peers_keras_layer_trains_it(tmp_path):
    spec = _define("batch_norm")
    save_reusable(spec, tmp_path / "saved")
    layer = importlib.import_module("tensorflow_hub").KerasLayer(
        str(tmp_path / "saved"), trainable=True
    )
    layer(X23)
    weights = {weight.name: weight for weight in layer.weights}
    assert sorted(weights) == ["average:0", "w:0"]
    gradients = _train(layer, tf.constant(X23))
    with tf.Graph().as_default(), tf1.Session() as session:
        module = hub.Module(spec, trainable=True, tags=TRAIN)
        loss = tf.reduce_sum(module(X23) ** 2) + tf1.losses.get_regularization_loss()
        expected = tf.gradients(loss, tf1.trainable_variables())
        modules.initialize(session)
        expected = session.run(expected)
        session.run(tf1.get_collection(tf1.GraphKeys.UPDATE_OPS))
        average = session.run(module.variable_map["average"])
    assert list(gradients) == ["w:0"]
    np.testing.assert_allclose(gradients["w:0"], expected[0], rtol=1e-5)
    np.testing.assert_allclose(weights["average:0"], average, rtol=1e-6)
    layer(X23)
    np.testing.assert_allclose(weights["average:0"], average, rtol=1e-6)


@pytest.mark.peer
@pytest.mark.parametrize("name", ["file_table", "ref_variables", "partitioned", "nested"])
def test_the_peers_keras_layer_computes_the_same(tmp_path, name):
    case, spec = modules.CASES[name], _define(name, tmp_path)
    save_reusable(spec, tmp_path / "saved")
    layer = importlib.import_module("tensorflow_hub").KerasLayer(
        str(tmp_path / "saved"), trainable=True
    )
    (inputs,) = case.calls[0].inputs.values()
    found = modules.plain(layer(tf.constant(inputs)).numpy())
    (expected,) = modules.outputs(hub, spec, case.calls[:1])
    modules.assert_equal(expected["default"], found)
