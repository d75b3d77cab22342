"""Modules in a `model_fn` under a strategy, and in a cluster with a parameter server."""

from __future__ import annotations

import json
import os
import pathlib
import socket
import subprocess
import sys

import pytest
import tensorflow as tf

import hub_estimator as hub

tf1 = tf.compat.v1
PROGRAM = pathlib.Path(__file__).parent / "mirrored_program.py"
ROOT = PROGRAM.parents[3]
NAMES = ["module/mean", "module/weights"]


def _module_fn(is_training: bool = False) -> None:
    x = tf1.placeholder(tf.float32, [None, 1])
    weights = tf1.get_variable("weights", [1, 1], regularizer=lambda w: 1e-6 * tf.reduce_sum(w))
    mean = tf1.get_variable("mean", [], trainable=False, initializer=tf1.zeros_initializer())
    if is_training:
        tf1.add_to_collection(tf1.GraphKeys.UPDATE_OPS, mean.assign_add(1.0, read_value=False))
    table = tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer([1], [1.0]), 0.0)
    hub.add_signature(inputs=x, outputs=tf.matmul(x, weights) * table.lookup(tf.constant(1)))


@pytest.fixture
def folder(tmp_path):
    spec = hub.create_module_spec(_module_fn, [(set(), {}), ({"train"}, {"is_training": True})])
    module = hub.Module(spec)
    with tf1.Session() as session:
        session.run(tf1.global_variables_initializer())
        session.run(module.variable_map["weights"].assign([[1.0]]))
        module.export(tmp_path / "module", session)
    return tmp_path


def _start(folder, strategy, **environment):
    environment = {"PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3", **environment}
    return subprocess.Popen(
        [sys.executable, str(PROGRAM), str(folder), strategy],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=(folder / "log").open("ab"),
        text=True,
    )


def _result(process, folder):
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 0, (folder / "log").read_text()
    return json.loads(output.splitlines()[-1])


def _exported_weight(folder):
    exports = sorted((folder / "model/export/modules").glob("*/tuned"))
    module = hub.Module(exports[-1])
    output = module([[1.0]])
    with tf1.Session() as session:
        session.run([tf1.global_variables_initializer(), tf1.tables_initializer()])
        return session.run(output).item()


def test_mirrored_strategy_trains_checkpoints_and_exports_one_module(folder):
    result = _result(_start(folder, "mirrored"), folder)
    assert result["names"] == NAMES and result["step"] == result["mean"] == 60
    assert result["loss"] < 1e-3
    assert _exported_weight(folder) == pytest.approx(3.0, abs=1e-2)


@pytest.mark.slow
def test_parameter_server_cluster(folder):
    with socket.socket() as first, socket.socket() as second:
        for listener in (first, second):
            listener.bind(("127.0.0.1", 0))
        ports = [listener.getsockname()[1] for listener in (first, second)]
    cluster = {"chief": [f"127.0.0.1:{ports[0]}"], "ps": [f"127.0.0.1:{ports[1]}"]}
    tasks = {
        name: json.dumps({"cluster": cluster, "task": {"type": name, "index": 0}})
        for name in ("ps", "chief")
    }
    server = _start(folder, "none", TF_CONFIG=tasks["ps"])
    try:
        result = _result(_start(folder, "none", TF_CONFIG=tasks["chief"]), folder)
    finally:
        server.kill()
        server.communicate()
    assert result["names"] == NAMES and result["step"] == result["mean"] == 60


def _partitioned_module_fn() -> None:
    parts = tf1.get_variable("w", [4], partitioner=tf1.fixed_size_partitioner(2))
    hub.add_signature(outputs=tf.convert_to_tensor(parts))


def test_partitioned_variables_under_a_strategy_are_refused():
    spec = hub.create_module_spec(_partitioned_module_fn)
    strategy = tf.distribute.OneDeviceStrategy("/cpu:0")
    with strategy.scope(), pytest.raises(hub.errors.PartitionedVariableError) as caught:
        hub.Module(spec)
    assert str(caught.value) == (
        "The module of _partitioned_module_fn has the partitioned variable 'w', and TensorFlow's "
        "strategies cannot write parts to a checkpoint. Train without a strategy, or publish the "
        "module without a partitioner."
    )


def test_initial_values_without_a_checkpoint_under_a_strategy():
    def module_fn():
        first = tf1.get_variable("first", [], initializer=tf1.constant_initializer(2.0))
        ready = tf1.is_variable_initialized(first)
        value = tf.cond(ready, first.read_value, lambda: first.initial_value)
        second = tf1.get_variable("second", initializer=3.0 * value)
        # The order of the collection need not be that of the values.
        tf1.get_collection_ref(tf1.GraphKeys.GLOBAL_VARIABLES).reverse()
        hub.add_signature(outputs=first + second)

    spec = hub.create_module_spec(module_fn)
    with tf.distribute.OneDeviceStrategy("/cpu:0").scope():
        output = hub.Module(spec)()
        with tf1.Session() as session:
            session.run(tf1.global_variables_initializer())
            assert session.run(output) == 8.0
