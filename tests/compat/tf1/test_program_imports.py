"""Whose `import tensorflow` is that of TensorFlow 1."""

from __future__ import annotations

import builtins
import os

import pytest

from hub_estimator.compat.tf1 import program_imports
from hub_estimator.compat.tf1.program_imports import ProgramImports, is_program

INSTALLED = "/venv/lib/python3.11/site-packages"


@pytest.mark.parametrize(
    ("importer", "package", "expected"),
    [
        ({"__name__": "__main__", "__file__": "/home/me/train.py"}, "", True),
        ({"__name__": "__main__"}, "", True),  # `python -c`, a notebook
        ({"__name__": "__main__", "__file__": f"{INSTALLED}/trainer/task.py"}, "trainer", True),
        ({"__name__": "models.cnn", "__file__": "/home/me/models/cnn.py"}, "", True),
        ({"__name__": "trainer.model", "__file__": f"{INSTALLED}/trainer/model.py"}, "trainer", True),
        ({"__name__": "trainer.model", "__file__": f"{INSTALLED}/trainer/model.py"}, "", False),
        ({"__name__": "trainers", "__file__": f"{INSTALLED}/trainers.py"}, "trainer", False),
        ({"__name__": "keras.src.backend", "__file__": f"{INSTALLED}/keras/src/b.py"}, "", False),
        ({"__name__": "apt", "__file__": "/usr/lib/python3/dist-packages/apt.py"}, "", False),
        ({"__name__": "pdb", "__file__": os.path.join(os.path.dirname(os.__file__), "pdb.py")}, "", False),
        ({"__name__": "hub_estimator.graph.module", "__file__": "/home/me/hub/module.py"}, "", False),
        ({"__name__": "hub_estimator.train", "__file__": "/h/train.py"}, "hub_estimator", False),
        ({"__name__": "namespace_without_file"}, "", False),
        ({}, "", False),
        (None, "", False),
    ],
)  # fmt: skip
def test_who_is_the_program(importer, package, expected):
    assert is_program(importer, package) is expected


@pytest.fixture
def asked():
    """What is handed on, and how often the preparation was called."""
    calls = []

    def import_(name, *arguments):
        calls.append(name)
        return name

    def prepare():
        calls.append("prepared")
        imports("tensorflow", {"__name__": "hub_estimator.compat.installation"})

    imports = ProgramImports(import_, prepare, "")
    return imports, calls


def test_nothing_is_prepared_before_tensorflow_is_imported(asked):
    imports, calls = asked
    imports("os")
    imports("tensorflowjs")
    imports("tensorflow", {}, {}, (), 1)  # `from . import tensorflow`
    assert calls == ["os", "tensorflowjs", "tensorflow"]


@pytest.mark.parametrize(
    "name", ["tensorflow.python.ops", "tensorflow_hub", "tensorflow_estimator"]
)
def test_all_is_prepared_once_and_before(asked, name):
    imports, calls = asked
    library = {"__name__": "keras", "__file__": f"{INSTALLED}/keras/__init__.py"}
    assert imports(name, library) == name
    imports(name, library)
    assert calls == ["prepared", "tensorflow", name, name]


def test_the_hook_is_put_in_place_once(monkeypatch):
    monkeypatch.setattr(builtins, "__import__", builtins.__import__)
    program_imports.give_programs_tf1()
    hook = builtins.__import__
    assert isinstance(hook, ProgramImports)
    program_imports.give_programs_tf1()
    assert builtins.__import__ is hook
