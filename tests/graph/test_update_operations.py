"""The update operations of a module that is trained, also one without variables to train."""

from __future__ import annotations

import importlib

import pytest
import tensorflow as tf

import hub_estimator as hub
from tests import modules
from tests.modules import TRAIN, tf1

LOSSES, UPDATES = tf1.GraphKeys.REGULARIZATION_LOSSES, tf1.GraphKeys.UPDATE_OPS
LIBRARIES = ["hub_estimator", pytest.param("tensorflow_hub", marks=pytest.mark.peer)]


@pytest.fixture(params=LIBRARIES)
def library(request):
    return importlib.import_module(request.param)


def _state(name):
    return modules.variable(name, [], trainable=False, initializer=tf1.zeros_initializer())


def _normalization(library):
    """Batch normalization without centre and scale: it has averages, and nothing to train."""

    def module_fn(is_training=False):
        x = modules.placeholder(shape=[None, 1])
        mean = _state("moving_mean")
        used = mean
        if is_training:
            used = tf.reduce_mean(x)
            update = mean.assign(0.5 * mean + 0.5 * used, read_value=False)
            tf1.add_to_collection(UPDATES, update)
        library.add_signature(inputs=x, outputs=x - used)

    return library.create_module_spec(module_fn, modules.BOTH_VARIANTS)


def _values(module):
    """The values of a module's variables after its update operations ran once."""
    with tf1.Session() as session:
        modules.initialize(session)
        session.run(tf1.get_collection(UPDATES))
        return session.run(module.variable_map)


@pytest.mark.parametrize("trainable, expected", [(True, 7.5), (False, 0)])
def test_a_module_without_variables_to_train(library, trainable, expected):
    module = library.Module(_normalization(library), trainable=trainable, tags=set(TRAIN))
    module([[10.0], [20.0]])
    assert tf1.trainable_variables() == []
    assert _values(module) == {"moving_mean": expected}


def test_its_variables_are_not_constant(tmp_path):
    path = modules.export(hub, _normalization(hub), str(tmp_path / "module"))
    trained = hub.Module(path, trainable=True, tags=TRAIN)
    assert trained.constant_variables == trained.variant(trained=False).constant_variables == []
    assert trained.trained_variables == []
    frozen = hub.Module(path, tags=TRAIN)
    assert frozen.constant_variables == frozen.variables


def test_the_constant_variables_are_those_of_all_variants(tmp_path):
    checkpoint = str(tmp_path / "model.ckpt")
    spec = modules.define(hub, "different_variables", "")
    with tf.Graph().as_default(), tf1.Session() as session:
        module = hub.Module(spec, name="m")
        module.variant(modules.DISCRIMINATOR)
        modules.initialize(session)
        tf1.train.Saver().save(session, checkpoint)
    spec.export(
        tmp_path / "module", checkpoint_path=checkpoint, name_transform_fn=lambda key: f"m/{key}"
    )
    module = hub.Module(tmp_path / "module")
    module.variant(modules.DISCRIMINATOR)
    names = ["module/disc/w", "module/gen/w", "module/shared"]
    assert [variable.op.name for variable in module.constant_variables] == names


def test_a_module_inside_of_a_module(library):
    inner = _normalization(library)

    def module_fn():
        x = modules.placeholder(shape=[None, 1])
        module = library.Module(inner, trainable=True, tags=set(TRAIN), name="inner")
        library.add_signature(inputs=x, outputs=module(x))

    module = library.Module(library.create_module_spec(module_fn), trainable=True)
    module([[10.0], [20.0]])
    assert _values(module) == {"inner/moving_mean": 7.5}


def test_the_updates_are_exported_again(library, tmp_path):
    first = modules.export(library, _normalization(library), str(tmp_path / "first"))
    second = modules.export(hub, first, str(tmp_path / "second"))
    module = library.Module(second, trainable=True, tags=set(TRAIN))
    module([[10.0], [20.0]])
    assert _values(module) == {"moving_mean": 7.5}


def _counters(library, stray=None):
    """Two signatures that count their calls and what they are given, each in its own variable."""

    def module_fn():
        x, z = (modules.placeholder(shape=[], name=name) for name in ("given_x", "given_z"))
        added = {"calls": 1.0, "x": x, "z": z, "both": x + z}
        if stray is not None:
            added["stray"] = stray()
        for name, value in added.items():
            update = _state(name).assign_add(value, read_value=False)
            tf1.add_to_collection(UPDATES, update)
        library.add_signature(inputs=x, outputs=2 * x)
        library.add_signature("of z", inputs=z, outputs=2 * z)
        library.add_signature("of both", inputs={"x": x, "z": z}, outputs=x + z)
        library.add_signature("of nothing", outputs=tf.constant(1.0))

    return library.create_module_spec(module_fn)


@pytest.mark.parametrize(
    "signature, inputs, changed",
    [
        (None, 5.0, {"calls": 1, "x": 5}),
        ("of z", 7.0, {"calls": 1, "z": 7}),
        ("of both", {"x": 5.0, "z": 7.0}, {"calls": 1, "x": 5, "z": 7, "both": 12}),
        ("of nothing", None, {"calls": 1}),
    ],
)
def test_a_call_brings_the_updates_of_its_inputs_and_those_of_no_input(signature, inputs, changed):
    module = hub.Module(_counters(hub), trainable=True)
    module(inputs, signature)
    assert _values(module) == {"calls": 0, "x": 0, "z": 0, "both": 0, **changed}


def test_each_call_brings_them(library):
    def module_fn():
        update = _state("calls").assign_add(1.0, read_value=False)
        tf1.add_to_collection(UPDATES, update)
        library.add_signature(outputs=tf.constant(1.0))

    module = library.Module(library.create_module_spec(module_fn), trainable=True)
    module()
    module()
    assert _values(module) == {"calls": 2}


@pytest.mark.parametrize(
    "stray, expected",
    [
        (lambda: tf1.placeholder(tf.float32, []), 0),  # nobody could feed it
        (lambda: tf1.placeholder_with_default(3.0, []), 3),
    ],
)
def test_what_depends_on_a_placeholder_of_no_signature(stray, expected):
    module = hub.Module(_counters(hub, stray), trainable=True)
    module(5.0)
    assert _values(module)["stray"] == expected


def test_updates_of_no_input_inside_of_a_branch():
    module = hub.Module(_counters(hub), trainable=True)
    output = tf.cond(tf.constant(True), lambda: module(5.0), lambda: 0.0)
    assert tf1.get_collection(UPDATES) == []
    with tf1.Session() as session:
        modules.initialize(session)
        session.run(output)
        assert session.run(module.variable_map["calls"]) == 1


def _losses(library):
    def module_fn():
        trained = modules.variable("trained", [])
        for name, loss in (
            ("of_trained", 2 * trained),
            ("of_state", 2 * _state("state")),
            ("constant", tf.constant(3.0)),
        ):
            tf1.add_to_collection(LOSSES, tf.identity(loss, name))
        library.add_signature(outputs=trained + 1)

    return library.create_module_spec(module_fn)


def test_losses_of_variables_that_are_not_trained(library):
    library.Module(_losses(library), trainable=True)
    names = [loss.op.name for loss in tf1.get_collection(LOSSES)]
    assert names == ["module/of_trained", "module/of_state", "module/constant"]


def test_chosen_variables_have_their_own_losses():
    hub.Module(_losses(hub), trainable="trained")
    names = [loss.op.name for loss in tf1.get_collection(LOSSES)]
    assert names == ["module/of_trained", "module/constant"]


def test_a_strategy_counts_too():
    with tf.distribute.OneDeviceStrategy("/cpu:0").scope():
        module = hub.Module(_counters(hub), trainable=True)
        module(5.0)
        assert _values(module) == {"calls": 1, "x": 5, "z": 0, "both": 0}
