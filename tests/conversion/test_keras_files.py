"""`.keras` files from strangers: looked at before Keras opens them."""

from __future__ import annotations

import json
import os
import zipfile

import h5py
import numpy as np
import pytest

import hub_estimator as hub
from hub_estimator.conversion.keras_files import keras_version

ASK = "Do not use this file: ask its publisher."


@pytest.fixture
def write(tmp_path):
    """Writes a file with a configuration and further entries; returns its path."""

    def write(config, entries=None, metadata='{"keras_version": "3.9.0"}'):
        path = tmp_path / "m.keras"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(
                "config.json", config if isinstance(config, str) else json.dumps(config)
            )
            archive.writestr("metadata.json", metadata)
            for name, content in (entries or {}).items():
                archive.writestr(name, content)
        return str(path)

    return write


def refused(path):
    with pytest.raises(hub.errors.KerasFileError) as caught:
        keras_version(path)
    message = str(caught.value)
    assert message.count(path) == 1
    return message.replace(path, "FILE")


def layer(**kwargs):
    return {"class_name": "Functional", "module": "keras", "config": {"layers": [kwargs]}}


def test_a_harmless_file(write):
    config = layer(class_name="Dense", module="keras.layers", config={"activation": "relu"})
    assert keras_version(write(config)) == "3.9.0"
    assert keras_version(write(config, metadata="[]")) == ""
    named = {"class_name": "function", "module": "builtins", "config": "swish"}
    assert keras_version(write(layer(config={"activation": named}))) == "3.9.0"


@pytest.mark.parametrize("kind", ["Lambda", "__lambda__", "TorchModuleWrapper"])
def test_code_in_the_configuration(write, kind):
    assert refused(write(layer(class_name=kind, config={}))) == (
        f"FILE has a {kind} layer, which brings Python code of its own, and opening a file runs no code "
        "of others. If the model is yours, load it in Python and pass the model to hub.convert."
    )


@pytest.mark.parametrize(
    ("module", "name"), [("os", "system"), ("builtins", "exec"), ("keras_evil.x", "f")]
)
def test_a_module_that_would_be_imported(write, module, name):
    activation = {"class_name": "function", "module": module, "config": name}
    assert refused(write(layer(class_name="Dense", config={"activation": activation}))) == (
        f"FILE has an object {name!r} of the Python module {module!r}, and opening a file imports no "
        "modules that it names. If the model is yours, load it in Python and pass the model to "
        "hub.convert."
    )


def test_code_under_another_name(write):
    hidden = layer(class_name="X", registered_name="Lambda", module="keras.layers", config={})
    assert refused(write(hidden)).startswith("FILE has a Lambda layer, which brings Python code")


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("keras.utils", "get_file"),
        ("keras.src.saving.saving_api", "load_model"),
        ("tf_keras.applications", "ResNet50"),
    ],
)
def test_functions_of_keras_that_no_model_is_made_of(write, module, name):
    expected = f"FILE has an object {name!r} of {module!r}, which is no part of models. {ASK}"
    as_function = {"class_name": "function", "module": module, "config": name}
    assert refused(write(layer(class_name="Dense", config={"activation": as_function}))) == expected
    assert refused(write(layer(class_name=name, module=module, config={}))) == expected


@pytest.mark.parametrize(
    ("kind", "config"),
    [("TFSMLayer", {"filepath": "/x"}), ("StringLookup", {"vocabulary": "/etc/passwd"})],
)
def test_layers_that_read_other_files(write, kind, config):
    assert refused(write(layer(class_name=kind, module="keras.layers", config=config))) == (
        f"FILE has a {kind} layer, which reads what is not in the file, and opening it follows no paths "
        "that it names. If the model is yours, load it in Python and pass the model to hub.convert."
    )
    lookup = layer(class_name=kind, module="keras.layers", config={"vocabulary": ["a"]})
    if kind != "TFSMLayer":
        assert keras_version(write(lookup)) == "3.9.0"


def test_entries_that_lead_out(write):
    assert refused(write(layer(), {"../evil": "x"})) == (
        f"FILE has an entry '../evil', which leads out of it. {ASK}"
    )


@pytest.mark.parametrize("how", ["external", "link", "virtual"])
def test_weights_in_other_files(write, tmp_path, how):
    with h5py.File(tmp_path / "w.h5", "w") as file:
        group = file.create_group("layers/dense")
        if how == "external":
            group.create_dataset("0", (4,), "u1", external=[("/etc/passwd", 0, 4)])
        elif how == "link":
            group["0"] = h5py.ExternalLink("/etc/other.h5", "/x")
        else:
            layout = h5py.VirtualLayout((4,), "u1")
            layout[:] = h5py.VirtualSource("/etc/other.h5", "x", (4,))
            group.create_virtual_dataset("0", layout)
    content = (tmp_path / "w.h5").read_bytes()
    assert refused(write(layer(), {"model.weights.h5": content})) == (
        f"The weights '0' in FILE are in another file, which is not followed. {ASK}"
    )


def test_weights_that_hold_themselves(write, tmp_path):
    with h5py.File(tmp_path / "w.h5", "w") as file:
        group = file.create_group("layers")
        group["again"] = group
        group["type"] = np.dtype("f4")
    content = (tmp_path / "w.h5").read_bytes()
    assert keras_version(write(layer(), {"model.weights.h5": content})) == "3.9.0"


def test_no_such_file_of_keras(write, tmp_path):
    again = "Save the model again: model.save('model.keras')."
    assert refused(write("{")) == (
        "config.json in FILE is no JSON (Expecting property name enclosed in double quotes: line 1 "
        f"column 2 (char 1)). {again}"
    )
    assert refused(write("[" * 100_000)) == (
        f"config.json in FILE is no JSON (it is nested too deeply). {again}"
    )
    assert refused(write(layer(), {"model.weights.h5": b"no hdf5"})).startswith(
        "FILE is no file that Keras wrote, or is damaged: "
    )
    path = tmp_path / "n.keras"
    path.write_text("no zip")
    assert refused(str(path)) == (
        f"FILE is no file that Keras wrote, or is damaged: File is not a zip file. {again}"
    )
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("metadata.json", "{}")
    assert refused(str(path)) == (
        "FILE is no file that Keras wrote, or is damaged: \"There is no item named 'config.json' in the "
        f'archive". {again}'
    )


def test_a_pipe_is_not_opened(tmp_path):
    os.mkfifo(tmp_path / "p.keras")
    with pytest.raises(hub.errors.NotAFileError):
        hub.convert(tmp_path / "p.keras", tmp_path / "module", to="tf1")


def test_nothing_there(tmp_path):
    with pytest.raises(hub.errors.HandleNotFoundError) as caught:
        hub.convert(tmp_path / "n.keras", tmp_path / "module", to="tf1")
    assert str(caught.value) == (
        f"There is no file '{tmp_path}/n.keras'. Give the path of a .keras file."
    )
    with pytest.raises(hub.errors.ConversionSourceError) as caught:
        hub.convert("ram://n.keras", tmp_path / "module", to="tf1")
    assert str(caught.value) == (
        "ram://n.keras is not on the local disk, where Keras reads files. Copy it here first."
    )
