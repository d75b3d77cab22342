"""The modules that a model was trained on."""

from __future__ import annotations

import json
import os
import shutil

import pytest
import tensorflow as tf

import hub_estimator as hub
from hub_estimator import errors
from hub_estimator.graph.origins import origins
from hub_estimator.training.model_folder import trained_modules
from tests import modules


@pytest.fixture(scope="module")
def dense(tmp_path_factory):
    """A module with a vocabulary, variables and two graph variants."""
    folder = tmp_path_factory.mktemp("dense")
    return modules.export(hub, modules.define(hub, "file_table", str(folder)), str(folder / "m"))


def found(*paths):
    with tf.Graph().as_default() as graph:
        for path in paths:
            hub.Module(path)
        return trained_modules.of(origins(graph))


def test_a_module_that_moved_is_the_same(dense, tmp_path):
    before, copy = found(dense), str(tmp_path / "copy")
    shutil.copytree(dense, copy)
    assert before["module"].handle == dense and found(copy)["module"].handle == copy
    trained_modules.check("modules.json", before, found(copy))


@pytest.mark.parametrize("part", ["saved_model.pb", "assets"])
def test_a_module_that_changed_is_another(dense, tmp_path, part):
    copy = str(tmp_path / "copy")
    shutil.copytree(dense, copy)
    before = found(copy)
    path = os.path.join(copy, part)
    path = os.path.join(path, os.listdir(path)[0]) if part == "assets" else path
    with open(path, "ab") as file:
        file.write(b"\x1a\x00" if part == "saved_model.pb" else b"\n")
    with pytest.raises(errors.ModuleChangedError) as caught:
        trained_modules.check("m/modules.json", before, found(copy))
    assert str(caught.value) == (
        f"The model was trained on another module 'module': that at {copy!r} has changed since. "
        "Give it the module that it was trained on, or train in another model folder. To use this "
        "one with the values that the checkpoints have all the same, remove 'm/modules.json'."
    )


def test_two_modules_that_changed_places(text_module, dense):
    with pytest.raises(errors.ModuleChangedError, match="another module 'module': it was "):
        trained_modules.check("p", found(text_module, dense), found(dense, text_module))


def test_modules_of_which_nothing_is_known_may_be_any(text_module, dense):
    trained_modules.check("p", {}, found(dense))
    trained_modules.check("p", found(dense), found(dense, text_module))
    trained_modules.check("p", found(dense, text_module), found(dense))


def test_what_is_kept(tmp_path, dense):
    path = str(tmp_path / "modules.json")
    assert trained_modules.read(path) == {}
    trained_modules.write(path, {})
    assert not os.path.exists(path)
    modules_now = found(dense)
    trained_modules.write(path, modules_now)
    assert trained_modules.read(path) == modules_now
    assert json.loads((tmp_path / "modules.json").read_text()) == {
        "module": {"handle": dense, "sha256": modules_now["module"].sha256}
    }
    before = os.stat(path).st_mtime_ns
    trained_modules.write(path, modules_now)
    assert os.stat(path).st_mtime_ns == before


@pytest.mark.parametrize("text", ["", "[]", "3", '{"a": 1}', '{"a": {"handle": "x"}}', "[" * 9999])
def test_a_damaged_file(tmp_path, text):
    path = tmp_path / "modules.json"
    path.write_text(text)
    with pytest.raises(errors.ModelFolderError) as caught:
        trained_modules.read(str(path))
    assert str(caught.value) == (
        f"{str(path)!r} does not name the modules of a training. Correct or remove it."
    )
