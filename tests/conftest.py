"""Shared by all tests: how TensorFlow is set up, the skip of the peer, a folder for other users."""

from __future__ import annotations

import importlib
import importlib.metadata
import os
import shutil
import tempfile

import pytest

from tests import stores

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ["CUDA_VISIBLE_DEVICES"] = ""


def _has_peer() -> bool:
    try:
        return importlib.metadata.version("tensorflow-hub") == "0.15.0"
    except importlib.metadata.PackageNotFoundError:
        return False


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if _has_peer():
        return
    skip = pytest.mark.skip(reason="tensorflow-hub 0.15.0, the peer, is not installed")
    for item in items:
        if "peer" in item.keywords:
            item.add_marker(skip)


@pytest.fixture(autouse=True, scope="session")
def own_cache_folder(tmp_path_factory):
    """No test, and no process that it starts, finds or leaves anything in the user's own cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("user_cache")))
        yield


@pytest.fixture(autouse=True, scope="session")
def keras_in_use():
    """`tf.keras` stays what it is: commands choose legacy Keras in a process that has used none.

    On TensorFlow 2.15 tf_slim brings tf-keras too, which would take the names of keras's classes.
    """
    import tensorflow as tf

    from hub_estimator import compat

    dir(tf.keras)
    if compat.ships_estimator():
        importlib.import_module("tf_keras")
    with compat.legacy_keras_names():
        yield


@pytest.fixture(autouse=True)
def fresh_graph():
    """Each test has a default graph of its own, as a TF1 program has."""
    import tensorflow as tf

    with tf.Graph().as_default():
        yield


@pytest.fixture
def open_folder():
    """A folder below which other users may look, unlike pytest's own."""
    folder = tempfile.mkdtemp(prefix="hub_estimator-test-")
    os.chmod(folder, 0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def store_server():
    """The address of a server of the S3 protocol, which all `s3://` is on from now on."""
    with stores.served() as address, pytest.MonkeyPatch.context() as patch:
        stores.use(address, patch)
        yield address


@pytest.fixture
def bucket(store_server):
    """An empty bucket of the test's own, `s3://...`."""
    return stores.new_bucket()


@pytest.fixture
def other_login(bucket, monkeypatch):
    """For tests that change the environment's login, and then call `stores.forget`."""
    yield monkeypatch
    monkeypatch.undo()
    stores.forget()
