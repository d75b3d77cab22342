"""TF1 Hub modules as SavedModels for serving: every small module, and what is refused."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

import hub_estimator as hub
from hub_estimator import files
from hub_estimator.format.tensor_infos import component_names
from tests import modules
from tests.modules import tf1

# One needs the path of a file when it is called.
NAMES = sorted(set(modules.CASES) - {"asset_content"})


def exported(name, folder):
    spec = modules.define(hub, name, str(folder / "of_the_author"))
    return modules.export(hub, spec, str(folder / "module"))


def served(path, call):
    """Returns the outputs of a call as a server computes them: tables filled by the main operation."""
    with tf.Graph().as_default() as graph, tf1.Session() as session:
        found = tf1.saved_model.load(session, ["serve"], path)
        signature = found.signature_def[call.signature]
        feeds = {}
        for name, value in call.inputs.items():
            if isinstance(value, tf1.ragged.RaggedTensorValue):
                value = (value.flat_values, *value.nested_row_splits)
            is_one = not isinstance(value, tuple)
            names = component_names(signature.inputs[name])
            feeds |= dict(zip(names, (value,) if is_one else value, strict=True))
        fetches = {
            name: [graph.get_tensor_by_name(part) for part in component_names(info)]
            for name, info in signature.outputs.items()
        }
        return {
            name: [modules.plain(part) for part in parts]
            for name, parts in session.run(fetches, feeds).items()
        }


def components(value):
    """Returns the parts of a plain output, as a server has them."""
    if not isinstance(value, dict):
        return [value]
    if "ragged" in value:
        flat = [number for row in value["ragged"] for number in row]
        return [flat, np.cumsum([0, *map(len, value["ragged"])]).tolist()]
    return [value["indices"], value["values"], value["dense_shape"]]


@pytest.mark.parametrize("name", NAMES)
def test_outputs_are_those_of_the_module(name, tmp_path):
    calls = [call for call in modules.CASES[name].calls if not call.tags]
    source = exported(name, tmp_path)
    expected = modules.outputs(hub, source, calls)
    made = hub.convert(source, tmp_path / "served" / "1", to="serving")
    for folder in ("module", "of_the_author"):
        shutil.rmtree(tmp_path / folder, ignore_errors=True)
    content = files.read_bytes(files.join(made.path, "saved_model.pb"))
    assert b"of_the_author" not in content and os.fsencode(tmp_path) not in content
    for call, outputs in zip(calls, expected, strict=True):
        wanted = {key: components(value) for key, value in outputs.items()}
        modules.assert_equal(wanted, served(made.path, call))


def test_the_default_signature_has_both_names(tmp_path):
    made = hub.convert(exported("several", tmp_path), tmp_path / "served", to="serving")
    assert made.what == "SavedModel for serving"
    [variant] = made.variants
    assert variant.tags == {"serve"}
    assert sorted(variant.inputs) == ["default", "second", "serving_default", "with:colon"]
    assert variant.inputs["default"] == variant.inputs["serving_default"]


def test_saved_model_cli_runs_it(tmp_path):
    hub.convert(exported("file_table", tmp_path), tmp_path / "served", to="serving")
    program = (
        "import sys; from tensorflow.python.tools import saved_model_cli; "
        "from absl import app; sys.exit(saved_model_cli.main())"
    )
    flags = ["--dir", str(tmp_path / "served"), "--tag_set", "serve"]
    flags += ["--signature_def", "serving_default", "--input_exprs", "default=['b','zzz','a']"]
    ran = subprocess.run(
        [sys.executable, "-c", program, "run", *flags],
        check=False, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert "Result for output key rows:\n[ 1 -1  0]\n" in ran.stdout


def test_a_signature_that_needs_the_path_of_a_file(tmp_path):
    source = exported("asset_content", tmp_path)
    with pytest.raises(hub.errors.NotConvertibleError) as caught:
        hub.convert(source, tmp_path / "served", to="serving")
    assert str(caught.value) == (
        f"The signature 'content' of the module {source} needs the path of 'data.txt' when it is called. "
        "A SavedModel for serving gives the paths of its files only to what fills its tables. Convert "
        "the module to tf2."
    )
    assert not (tmp_path / "served").exists()


def test_a_module_without_a_variant_for_inference(tmp_path):
    def module_fn(factor):
        x = tf1.placeholder(tf.float32, [None])
        hub.add_signature(inputs=x, outputs=x * factor)

    spec = hub.create_module_spec(module_fn, [({"a"}, {"factor": 2.0}), ({"b"}, {"factor": 3.0})])
    source = modules.export(hub, spec, str(tmp_path / "two"), tags={"a"})
    with pytest.raises(hub.errors.TagsNotFoundError) as caught:
        hub.convert(source, tmp_path / "served", to="serving")
    assert str(caught.value) == (
        f"The module {source} has no graph variant with the tags set(). It has: {{'a'}}, {{'b'}}."
    )
    spec = hub.create_module_spec(module_fn, [({"a"}, {"factor": 2.0})])
    source = modules.export(hub, spec, str(tmp_path / "one"), tags={"a"})
    made = hub.convert(source, tmp_path / "served", to="serving")
    call = modules.Call({"default": np.float32([1])}, "serving_default")
    assert served(made.path, call) == {"default": [[2]]}
