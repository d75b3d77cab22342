"""`tf.contrib`: what is elsewhere is there, the rest says what to use."""

from __future__ import annotations

import importlib

import numpy as np
import pytest
import tensorflow as tf

from hub_estimator import compat, errors
from hub_estimator.compat.tf1 import contrib, contrib_names, layers
from hub_estimator.compat.tf1.contrib import CONTRIB
from tests.compat.programs import ROOT

tf1 = tf.compat.v1


@pytest.fixture(autouse=True, scope="module")
def installed():
    compat.install()


def find(path):
    value = CONTRIB
    for name in path.split("."):
        value = getattr(value, name)
    return value


def _named():
    for namespace, places in contrib_names.NAMES.items():
        for place, names in places.items():
            for name, there in contrib._names(names).items():
                if name != "*":
                    yield f"{namespace}.{name}", place, there


@pytest.mark.parametrize(("path", "place", "there"), list(_named()))
def test_every_name_is_what_it_is_elsewhere(path, place, there):
    module, _, inner = place.partition(":")
    expected = importlib.import_module(module)
    for name in [*filter(None, inner.split(".")), there]:
        expected = getattr(expected, name)
    assert find(path) is expected


@pytest.mark.parametrize("path", sorted(set(contrib_names.MODULES) - {"gan"}))
def test_every_module_is_there(path):
    place = contrib_names.MODULES[path]
    module = contrib.import_module(path.split("."), ["*"])
    assert module is contrib._locate(place, path)


@pytest.mark.parametrize(
    ("path", "names", "expected"),
    [
        ("slim", ["nets"], "tf_slim"),
        ("slim.nets", ["resnet_v1", "vgg"], "tf_slim.nets"),
        ("slim.python.slim.nets.inception_v3", ["inception_v3"], "tf_slim.nets.inception_v3"),
        ("layers.python.layers", ["utils", "initializers"], "tf_slim.layers"),
        ("tpu.python.tpu.tpu_config", [], "tensorflow_estimator.python.estimator.tpu.tpu_config"),
        ("tensorboard.plugins", ["projector"], "tensorflow.contrib.tensorboard.plugins"),
    ],
)
def test_modules_within_modules(path, names, expected):
    module = contrib.import_module(path.split("."), names)
    assert module.__name__ == expected
    for name in names:
        assert hasattr(module, name)


@pytest.mark.parametrize("path", contrib_names.INSTEAD)
def test_every_advice_is_given(path):
    asked = path if "." in path else f"{path}.Something"
    with pytest.raises(errors.NotInTF1Error) as caught:
        find(asked)
    where = path if path not in (*contrib_names.NAMES,) else asked
    assert str(caught.value) == contrib.ENDED % (where, contrib_names.INSTEAD[path])


def test_the_page_has_every_name():
    page = (ROOT / "docs" / "compat.md").read_text(encoding="utf-8")
    rows = [line for line in page.partition("## tf.contrib")[2].splitlines() if line[:3] == "| `"]
    for path, _, _ in _named():
        namespace, _, name = path.rpartition(".")
        assert any(row.startswith(f"| `{namespace}` |") and f"`{name}`" in row for row in rows), (
            path
        )
    for path in contrib_names.MODULES:
        assert any(row.startswith(f"| `{path}` |") for row in rows), path
    for path, text in contrib_names.INSTEAD.items():
        assert f"| `{path}` | {text} |" in rows


def test_what_is_in_no_list():
    with pytest.raises(AttributeError) as caught:
        find("layers.python.nothing")
    assert str(caught.value) == contrib.ENDED % ("layers.python.nothing", contrib.NOT_HERE)
    assert not hasattr(CONTRIB, "ffmpeg")
    assert not hasattr(CONTRIB.layers, "__path__")


def test_a_package_that_is_not_installed():
    with pytest.raises(errors.NotInTF1Error) as caught:
        _ = CONTRIB.gan
    assert str(caught.value) == contrib.INSTALL % ("gan", "tensorflow-gan", "tensorflow-gan")


def test_layers_of_slim_are_there():
    slim = importlib.import_module("tf_slim")
    assert CONTRIB.layers.fully_connected is slim.fully_connected
    assert CONTRIB.slim is slim
    assert CONTRIB.layers is CONTRIB.layers


@pytest.mark.parametrize("shape", [[6, 4], [3, 3, 2, 5], [7]])
@pytest.mark.parametrize("uniform", [True, False])
@pytest.mark.parametrize("mode", ["FAN_IN", "FAN_OUT", "FAN_AVG"])
def test_initializers_have_the_values_of_slims(shape, uniform, mode):
    theirs = importlib.import_module("tf_slim").variance_scaling_initializer
    values = [
        make(2.5, mode, uniform, seed=3)(shape)
        for make in (layers.variance_scaling_initializer, theirs)
    ]
    with tf1.Session() as session:
        ours, expected = session.run(values)
    assert np.allclose(ours, expected, rtol=1e-5)
    assert np.ptp(ours) > 0


def test_xavier_is_scaling_by_the_mean_of_both_fans():
    slim = importlib.import_module("tf_slim")
    pairs = [
        (layers.xavier_initializer(seed=3), slim.xavier_initializer(seed=3)),
        (layers.xavier_initializer(False, 3), slim.xavier_initializer(False, 3)),
        (layers.variance_scaling_initializer(seed=3), slim.variance_scaling_initializer(seed=3)),
    ]
    with tf1.Session() as session:
        for ours, theirs in session.run([[one([5, 4]) for one in pair] for pair in pairs]):
            assert np.allclose(ours, theirs, rtol=1e-5)


def test_regularizers():
    weights = tf.constant([3.0, -4.0])
    with tf1.Session() as session:
        assert session.run(layers.l2_regularizer(0.1)(weights)) == pytest.approx(0.1 * 25 / 2)
        assert session.run(layers.l1_regularizer(0.1)(weights)) == pytest.approx(0.7)
    assert layers.l2_regularizer(0.0)(weights) is None
    with pytest.raises(ValueError, match=r"^The scale of a regularizer is -1; it cannot be below"):
        layers.l1_regularizer(-1)
