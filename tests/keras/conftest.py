"""Layers of Keras are used where TensorFlow executes eagerly, once for each Keras there is."""

from __future__ import annotations

import importlib

import pytest

from tests.keras import hub_modules, saved_models


@pytest.fixture(autouse=True)
def fresh_graph():
    """Leaves these tests in eager mode, where other tests have a graph."""


@pytest.fixture(params=saved_models.kerases())
def name(request):
    """The name of a Keras: of a module of `hub_estimator.keras`."""
    return request.param


@pytest.fixture
def keras(name):
    """The API of that Keras, and afterwards its policy as before."""
    api = saved_models.keras_of(name)
    policy = api.mixed_precision.global_policy() if name == "legacy" else api.config.dtype_policy()
    yield api
    saved_models.set_policy(api, policy)


@pytest.fixture
def layer(name):
    """The layer class for that Keras."""
    return importlib.import_module(f"hub_estimator.keras.{name}").KerasLayer


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("saved_models")


@pytest.fixture(scope="session")
def numbers(folder):
    return saved_models.numbers(folder / "numbers")


@pytest.fixture(scope="session")
def text(folder):
    return saved_models.text(folder / "text")


@pytest.fixture(scope="session")
def nested(folder):
    return saved_models.nested(folder / "nested")


@pytest.fixture(scope="session")
def hub_module(folder):
    return hub_modules.texts(folder / "texts")


@pytest.fixture(scope="session")
def hub_numbers(folder):
    return hub_modules.numbers(folder / "numbers_module")
