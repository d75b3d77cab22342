"""A TF1 Hub module as an eager object: what it computes, trains and holds, beside `hub.Module`."""

from __future__ import annotations

import gc
import json
import os
import pathlib
import subprocess
import sys
import weakref

import numpy as np
import pytest
import tensorflow as tf

import hub_estimator as hub
from hub_estimator.graph.reusable.module import ReusableModule
from tests import modules
from tests.modules import TRAIN, X23, tf1

PROGRAM = pathlib.Path(__file__).parent / "mirrored_reusable_program.py"
ROOT = PROGRAM.parents[3]


@pytest.fixture(autouse=True)
def fresh_graph():
    """These tests execute eagerly."""


def _define(name, folder):
    with tf.Graph().as_default():
        return modules.define(hub, name, str(folder))


def _eager(value):
    """A value of a `Call` as an eager tensor."""
    return value if isinstance(value, (np.ndarray, np.generic)) else modules.as_tensor(value)


def _plain(value):
    """The plain form of an eager output, as `modules.plain` gives it for a session's."""
    if isinstance(value, tf.SparseTensor):
        value = tf1.SparseTensorValue(*(part.numpy() for part in value_parts(value)))
    elif isinstance(value, tf.RaggedTensor):
        return {"ragged": value.to_list()}
    return modules.plain(value.numpy() if tf.is_tensor(value) else value)


def value_parts(value):
    """The tensors of a sparse tensor."""
    return value.indices, value.values, value.dense_shape


def _outputs(spec, calls):
    results = []
    for call in calls:
        module = ReusableModule(spec, tags=call.tags)
        inputs = {key: _eager(value) for key, value in call.inputs.items()}
        outputs = module.compute(inputs, call.signature).outputs
        results.append({key: _plain(value) for key, value in outputs.items()})
    return results


@pytest.mark.parametrize("name", modules.CASES)
def test_outputs_equal_those_of_a_module_in_a_graph(name, tmp_path):
    case = modules.CASES[name]
    spec = _define(name, tmp_path)
    modules.assert_equal(modules.outputs(hub, spec, case.calls), _outputs(spec, case.calls))


@pytest.mark.parametrize("name", ["nested", "partitioned", "ref_variables", "same_base_names"])
def test_values_on_disk(name, tmp_path):
    case = modules.CASES[name]
    path = modules.export(hub, _define(name, tmp_path), tmp_path / "module")
    spec = hub.load_module_spec(path)
    modules.assert_equal(modules.outputs(hub, path, case.calls), _outputs(spec, case.calls))


def _squares(output):
    return tf.reduce_sum(tf.cast(output, tf.float32) ** 2)


def _gradients(module, inputs):
    with tf.GradientTape() as tape:
        outputs = module.compute(inputs, training=True).outputs
        loss = sum(_squares(output) for output in outputs.values())
        loss += sum(loss() for loss in module.regularization_losses)
    return tape.gradient(loss, module.trainable_variables)


def _dense(gradient):
    return None if gradient is None else tf.convert_to_tensor(gradient).numpy()


def _graph_gradients(spec, inputs, tags=None):
    """The gradients of `hub.Module`, by variable names, and its variables after the updates."""
    with tf.Graph().as_default(), tf1.Session() as session:
        module = hub.Module(spec, trainable=True, tags=tags)
        outputs = module(inputs, as_dict=True)
        loss = sum(_squares(output) for output in outputs.values())
        loss += tf1.losses.get_regularization_loss()
        variables = tf1.trainable_variables()
        names = [variable.op.name.removeprefix("module/") for variable in variables]
        modules.initialize(session)
        found = [
            None if gradient is None else tf.convert_to_tensor(gradient)
            for gradient in tf.gradients(loss, variables)
        ]
        values = iter(session.run([gradient for gradient in found if gradient is not None]))
        gradients = [None if gradient is None else next(values) for gradient in found]
        session.run(tf1.get_collection(tf1.GraphKeys.UPDATE_OPS))
        return dict(zip(names, gradients, strict=True)), session.run(module.variable_map)


TRAINED = {
    "dense": ({"default": X23}, None),
    "ref_variables": ({"default": X23}, None),
    "reused_variables": ({"default": X23}, None),
    "functions": ({"default": X23}, None),
    "batch_norm": ({"default": X23}, TRAIN),
    "nested": ({"default": modules.WORDS}, None),
}


@pytest.mark.parametrize("name", TRAINED)
@pytest.mark.parametrize("in_function", [False, True])
def test_gradients_and_updates_equal_those_of_a_module_in_a_graph(name, in_function, tmp_path):
    inputs, tags = TRAINED[name]
    spec = _define(name, tmp_path)
    module = ReusableModule(spec, trainable=True)
    call = tf.function(_gradients) if in_function else _gradients
    gradients = call(module, {key: tf.constant(value) for key, value in inputs.items()})
    expected, variables = _graph_gradients(spec, inputs, tags)
    names = [variable.name.removesuffix(":0") for variable in module.trainable_variables]
    assert names == sorted(expected)
    for key, gradient in zip(names, gradients, strict=True):
        np.testing.assert_allclose(_dense(gradient), expected[key], rtol=1e-5)
    for key, variable in module.variables_by_name.items():
        np.testing.assert_allclose(variable.numpy(), variables[key], rtol=1e-6)


def test_gradients_through_loops_of_functions():
    module = ReusableModule(_define("control_flow_v2", ""), trainable=True)
    (w,) = module.variables
    inputs = {"x": tf.constant(X23), "n": tf.constant(3)}

    def total():
        outputs = module.compute(inputs, training=True).outputs
        return sum(tf.reduce_sum(output) for output in outputs.values())

    with tf.GradientTape() as tape:
        loss = total()
    gradient = tape.gradient(loss, w).numpy()
    for place in range(3):
        w.assign_add(tf.one_hot(place, 3) * 1e-2)
        np.testing.assert_allclose((total() - loss) / 1e-2, gradient[place], rtol=1e-2)
        w.assign_sub(tf.one_hot(place, 3) * 1e-2)


def test_updates_run_once_in_each_call_with_training():
    spec = _define("batch_norm", "")
    module = ReusableModule(spec, trainable=True)
    average = module.variables_by_name["average"]
    first = average.numpy()
    for training in (False, None):
        module(X23, training=training)
        np.testing.assert_array_equal(average.numpy(), first)
    expected = first
    for _ in range(3):
        module(X23, training=True)
        expected = 0.9 * expected + 0.1 * X23.mean(0)
        np.testing.assert_allclose(average.numpy(), expected, rtol=1e-6)


@pytest.mark.parametrize("trainable, tags", [(False, None), (True, frozenset())])
def test_without_the_train_variant(trainable, tags):
    module = ReusableModule(_define("batch_norm", ""), trainable, tags=tags)
    np.testing.assert_allclose(module(X23, training=True), module(X23), rtol=1e-6)
    np.testing.assert_allclose(module.variables_by_name["average"], [0.1, 0.2, 0.3], rtol=1e-6)
    assert len(module.regularization_losses) == int(trainable)


def test_a_loss_follows_its_variable():
    module = ReusableModule(_define("batch_norm", ""), trainable=True)
    (loss,) = module.regularization_losses
    w = module.variables_by_name["w"]
    for _ in range(2):
        np.testing.assert_allclose(loss(), 0.5 * np.sum(w.numpy() ** 2), rtol=1e-6)
        w.assign_add(tf.ones([3, 3]))


def _losing(of):
    def module_fn():
        x = modules.placeholder()
        w, v = modules.variable("w", [3]), modules.variable("v", [3])
        for loss in of(x, w, v):
            tf1.add_to_collection(tf1.GraphKeys.REGULARIZATION_LOSSES, loss)
        hub.add_signature(inputs=x, outputs=x * w + v)

    with tf.Graph().as_default():
        return hub.create_module_spec(module_fn)


def test_losses_of_inputs_come_with_the_call():
    spec = _losing(lambda x, w, v: [tf.reduce_sum(x * w), tf.reduce_sum(v)])
    module = ReusableModule(spec, trainable=True)
    assert len(module.regularization_losses) == 1
    (loss,) = module.compute(X23, training=True).losses
    np.testing.assert_allclose(loss, np.sum(X23 * [0.1, 0.2, 0.3]), rtol=1e-6)
    assert module.compute(X23).losses == []
    assert ReusableModule(spec).compute(X23, training=True).losses == []


@pytest.mark.parametrize(
    "trainable, names, losses",
    [(False, [], 0), (True, ["v", "w"], 2), ("w", ["w"], 1), ("^[vx]$", ["v"], 1)],
)
def test_what_is_trained(trainable, names, losses):
    spec = _losing(lambda x, w, v: [tf.reduce_sum(w), tf.reduce_sum(v)])
    module = ReusableModule(spec, trainable)
    assert [variable.name for variable in module.trainable_variables] == [f"{n}:0" for n in names]
    assert [variable.trainable for variable in module.variables] == [n in names for n in "vw"]
    assert len(module.regularization_losses) == losses


def test_a_regular_expression_that_finds_nothing():
    with pytest.raises(hub.errors.NoTrainableVariablesError) as caught:
        ReusableModule(_define("dense", ""), "nothing")
    assert str(caught.value) == (
        "trainable='nothing' is found in the name of no trainable variable. There are: 'b', 'w'."
    )


def test_in_a_graph():
    spec = _define("dense", "")
    with tf.Graph().as_default(), pytest.raises(hub.errors.GraphModeError) as caught:
        ReusableModule(spec)
    assert str(caught.value) == (
        "The module of dense.<locals>.module_fn is made for eager execution here, but TensorFlow "
        "builds a graph. In a graph, use hub.Module."
    )


def test_made_in_a_function():
    spec, made = _define("file_table", "/tmp"), []

    @tf.function
    def embed(words):
        if not made:
            made.append(ReusableModule(spec))
        return made[0](words)

    np.testing.assert_allclose(embed(tf.constant(["b"])), [[0.5, 0.6]], rtol=1e-6)
    assert [variable.name for variable in made[0].variables] == ["embeddings:0"]


def test_what_does_not_fit():
    module = ReusableModule(_define("dense", ""))
    with pytest.raises(hub.errors.InputError) as caught:
        module([["a"]])
    assert str(caught.value).startswith(
        "The input 'default' of the signature 'default' of the module of dense.<locals>.module_fn "
        "takes a float32 Tensor of shape (None, 3), and [['a']] cannot be converted: "
    )
    with pytest.raises(hub.errors.InputError):
        module({"y": X23})
    with pytest.raises(hub.errors.SignatureNotFoundError) as found:
        module.compute(X23, "other")
    assert str(found.value) == (
        "The module of dense.<locals>.module_fn has no signature 'other' for the tags set(). It has: 'default'."
    )


def test_signatures():
    module = ReusableModule(_define("several", ""))
    assert sorted(module.signatures) == ["default", "second", "with:colon"]
    outputs = module.signatures["second"](np.int64(3))
    assert {key: modules.plain(value.numpy()) for key, value in outputs.items()} == {
        "text": "3",
        "positive": True,
    }


def test_a_signature_that_the_train_variant_lacks():
    def module_fn(is_training=False):
        hub.add_signature(outputs=tf.constant(1.0))
        if not is_training:
            hub.add_signature("more", outputs=tf.constant(2.0))

    with tf.Graph().as_default():
        spec = hub.create_module_spec(module_fn, modules.BOTH_VARIANTS)
    module = ReusableModule(spec, trainable=True)
    assert float(module.compute(signature="more", training=True).outputs["default"]) == 2


def test_all_outputs_where_none_is_the_default():
    def module_fn():
        hub.add_signature(outputs={"a": tf.constant(1), "b": tf.constant(2)})

    with tf.Graph().as_default():
        spec = hub.create_module_spec(module_fn)
    assert {key: int(value) for key, value in ReusableModule(spec)().items()} == {"a": 1, "b": 2}


def test_a_caller_makes_the_variables():
    made = []

    def create(entry, initial_value, is_trained):
        variable = tf.Variable(initial_value, trainable=is_trained, name=f"mine/{entry.op_name}")
        made.append((entry.key, is_trained))
        return variable

    module = ReusableModule(_define("batch_norm", ""), True, create=create)
    assert sorted(made) == [("average", False), ("w", True)]
    assert [variable.name for variable in module.variables] == ["mine/average:0", "mine/w:0"]
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(module(X23, training=True) ** 2)
    assert tape.gradient(loss, module.trainable_variables)[0] is not None


def test_two_of_a_spec_share_nothing(tmp_path):
    spec = _define("file_table", tmp_path)
    first, second = ReusableModule(spec, True), ReusableModule(spec, True)
    first.variables[0].assign(tf.zeros_like(first.variables[0]))
    del first
    gc.collect()
    np.testing.assert_allclose(second(["a"]), [[0.3, 0.4]], rtol=1e-6)


def test_it_is_collected(tmp_path):
    module = ReusableModule(_define("file_table", tmp_path), True)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(module(["a"], training=True))
    assert tape.gradient(loss, module.trainable_variables)[0] is not None
    del tape
    gone = [weakref.ref(module), weakref.ref(module.variables[0])]
    del module
    gc.collect()
    assert [reference() for reference in gone] == [None, None]


def test_checkpoints_have_its_variables(tmp_path):
    spec = _define("dense", "")
    first, second = ReusableModule(spec), ReusableModule(spec)
    first.variables_by_name["w"].assign(tf.ones([3, 2]))
    path = tf.train.Checkpoint(module=first).save(str(tmp_path / "model"))
    tf.train.Checkpoint(module=second).restore(path).assert_consumed()
    np.testing.assert_array_equal(second.variables_by_name["w"], np.ones([3, 2]))


def test_values_that_are_not_there(tmp_path):
    path = modules.export(hub, _define("different_variables", ""), tmp_path / "module")
    spec = hub.load_module_spec(path)
    with pytest.raises(hub.errors.ValuesNotFoundError):
        ReusableModule(spec, tags={"disc"})
    assert len(ReusableModule(spec).variables) == 2


def test_state_of_another_kind():
    def module_fn():
        x = modules.placeholder()
        queue = tf.queue.FIFOQueue(3, [tf.int32], shapes=[[]])
        hub.add_signature(inputs=x, outputs=2 * x)
        hub.add_signature("size", outputs=queue.size())

    with tf.Graph().as_default():
        spec = hub.create_module_spec(module_fn)
    module = ReusableModule(spec)
    np.testing.assert_allclose(module(X23), 2 * X23)
    with pytest.raises(hub.errors.UnsupportedModuleError) as caught:
        module.compute(signature="size")
    assert str(caught.value) == (
        "The graph variant with the tags set() of the module keeps state in the operation "
        "'fifo_queue' (FIFOQueueV2), which only graphs of TF1 have. Use hub.Module in a graph."
    )


def test_a_strategy_trains_it_on_two_devices(tmp_path):
    path = modules.export(hub, _define("batch_norm", ""), tmp_path / "module")
    result = subprocess.run(
        [sys.executable, str(PROGRAM), path],
        env={**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    found = json.loads(result.stdout.splitlines()[-1])
    assert found["losses"] == sorted(found["losses"], reverse=True)
    assert found["losses"][-1] < found["losses"][0]
    averages, weights = found["parts"]
    assert weights[0] == weights[1] != np.float32([[0.1, 0.2, 0.3]]).tolist()
    # Each replica saw one of the two examples.
    expected = []
    for example in ([1, 2, 3], [3, 2, 1]):
        average = np.float32([0.1, 0.2, 0.3])
        for _ in range(5):
            average = 0.9 * average + 0.1 * np.float32(example)
        expected.append(average)
    np.testing.assert_allclose(averages, expected, rtol=1e-5)
    np.testing.assert_allclose(found["whole"][0], np.mean(expected, 0), rtol=1e-5)
