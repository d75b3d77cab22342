"""`hub.convert`: what is given, what is made of it, and that nothing is written otherwise."""

from __future__ import annotations

import importlib
import os

import pytest
import tensorflow as tf

import hub_estimator as hub
from hub_estimator import files
from tests import modules
from tests.conversion import objects
from tests.modules import X23, tf1


@pytest.fixture
def module(tmp_path):
    return modules.export(hub, modules.define(hub, "dense", ""), str(tmp_path / "module"))


def refused(error, tmp_path, *args, **kwargs):
    """Returns why something is refused; nothing is written then."""
    before = sorted(os.walk(tmp_path))
    with pytest.raises(error) as caught:
        hub.convert(*args, **kwargs)
    assert sorted(os.walk(tmp_path)) == before
    return str(caught.value)


def test_a_tf1_saved_model(tmp_path):
    source = str(tmp_path / "saved_model")
    with tf1.Session() as session:
        x = tf1.placeholder(tf.float32, [None, 3])
        y = x * modules.variable("w", [3])
        modules.initialize(session)
        tf1.saved_model.simple_save(session, source, {"x": x}, {"y": y})
        expected = session.run(y, {x: X23}).tolist()
    made = hub.convert(source, tmp_path / "made", to="tf1")
    [variant] = made.variants
    assert variant.tags == {"serve"}
    found = objects.outputs(made.path, {"x": X23}, "serving_default", frozenset({"serve"}))
    assert found == {"y": expected}


def test_a_spec(module, tmp_path):
    spec = hub.load_module_spec(module)
    assert hub.convert(spec, tmp_path / "served", to="serving").what == "SavedModel for serving"
    spec = modules.define(hub, "dense", "")
    made = hub.convert(spec, tmp_path / "defined", to="tf2")
    assert made.what == "TF2 SavedModel" and len(made.variables) == 2


def test_a_module_is_one_already(module, tmp_path):
    assert refused(hub.errors.NotConvertibleError, tmp_path, module, tmp_path / "m", to="tf1") == (
        f"The module {module} is a TF1 Hub module already. Give a checkpoint, to have it with the values "
        "of a training, or convert it to tf2 or serving."
    )


def test_what_is_of_tf2_already(tmp_path):
    source = objects.saved(objects.dense, tmp_path / "s")
    for to in ("tf2", "serving"):
        message = refused(hub.errors.NotConvertibleError, tmp_path, source, tmp_path / "m", to=to)
        assert message == (
            f"The SavedModel {source} is of TF2: programs call it, and TensorFlow Serving serves it, as "
            "it is once it is saved (model.export(...), tf.saved_model.save(...)). It can be converted "
            "to tf1."
        )


def test_a_checkpoint_for_what_takes_none(module, tmp_path):
    assert refused(
        hub.errors.NotConvertibleError,
        tmp_path,
        module,
        tmp_path / "m",
        to="tf2",
        checkpoint_path=tmp_path,
    ) == (
        "A checkpoint gives a TF1 Hub module the values of a training, to='tf1', but the module "
        f"{module} is to be converted to 'tf2'. Leave the checkpoint out, or make a TF1 Hub module of "
        "it first."
    )
    assert refused(
        hub.errors.NotConvertibleError, tmp_path, module, tmp_path / "m", to="tf1", scope="module"
    ) == ("A scope is of a checkpoint. Give that too, or leave it out.")


def test_targets(module, tmp_path):
    assert refused(hub.errors.InvalidSettingError, tmp_path, module, tmp_path / "m", to="tf3") == (
        "convert.to is 'tf3'; it must be one of 'tf1', 'tf2', 'serving'."
    )


def test_what_cannot_be_converted_at_all(tmp_path):
    message = refused(hub.errors.ConversionSourceError, tmp_path, 7, tmp_path / "m", to="tf1")
    assert message == (
        "hub.convert was given a int. Give a handle (a folder or a URL), a .keras file, a ModuleSpec, a "
        "Keras model or a tf.Module."
    )
    (tmp_path / "empty").mkdir()
    with pytest.raises(OSError):
        hub.convert(tmp_path / "empty", tmp_path / "m", to="tf1")


def test_an_object_that_does_more_than_compute(tmp_path):
    class Reading(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([], tf.string)])
        def __call__(self, path):
            return tf.io.read_file(path)

    message = refused(
        hub.errors.SideEffectsError,
        tmp_path,
        Reading(),
        tmp_path / "m",
        to="tf1",
        refuse_side_effects=True,
    )
    assert message.startswith("The Reading does more than compute its outputs: ")


def test_places(module, tmp_path):
    (tmp_path / "link").symlink_to(module)
    taken = "There is something at %r already. Give another export_path, or remove that."
    for place in (module, tmp_path / "link", tmp_path):
        message = refused(hub.errors.ExportError, tmp_path, module, place, to="tf2")
        assert message == taken % str(place)
    for place in (f"{module}/inner", tmp_path / "link" / "inner"):
        message = refused(hub.errors.OutputIsInputError, tmp_path, module, place, to="tf2")
        assert message == (
            f"The output {str(place)!r} is in the source, {module!r}, which is read and must stay as it "
            "is. Choose another place."
        )
    assert refused(hub.errors.ExportError, tmp_path, module, "/", to="tf2") == (
        "The export_path is empty, or the root of all. Give it a path."
    )


def test_two_at_once(module, tmp_path, monkeypatch):
    """Another process has made the folder, once this one is done."""
    from hub_estimator.conversion import converting

    write = converting.write_servable

    def slowly(spec, folder):
        write(spec, folder)
        files.make_folder(str(tmp_path / "m"))
        files.write_text(str(tmp_path / "m" / "saved_model.pb"), "another's")

    monkeypatch.setattr(converting, "write_servable", slowly)
    with pytest.raises(hub.errors.ExportError) as caught:
        hub.convert(module, tmp_path / "m", to="serving")
    assert str(caught.value) == (
        f"There is something at '{tmp_path}/m' already. Give another export_path, or remove that."
    )
    assert files.listing(str(tmp_path)) == ["m", "module"]
    assert files.listing(str(tmp_path / "m")) == ["saved_model.pb"]


def test_the_command_and_the_function_have_one_name(module, tmp_path):
    """Python gives the package's attribute to the command, once a program imports that."""
    command = importlib.import_module("hub_estimator.convert")
    assert command.run and callable(hub.convert)
    hub.__dict__.pop("convert", None)
    hub.__dict__["convert"] = command
    try:
        assert hub.convert(module, tmp_path / "m", to="serving").path == str(tmp_path / "m")
    finally:
        del hub.__dict__["convert"]
