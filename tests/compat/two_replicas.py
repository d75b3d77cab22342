"""Trains and evaluates on two CPU devices: `two_replicas.py <folder> <case> ...`.

The strategies are as programs make them, without a word on how replicas add up. Prints a line for
each case; a case in graph mode changes those after it.
"""

from __future__ import annotations

import sys

import hub_estimator

import tensorflow as tf  # isort: skip  after hub_estimator, as a program of ours has it
from tests.compat import tiny

tf1 = tf.compat.v1
DEVICES = ["/cpu:0", "/cpu:1"]


def mirrored() -> tf.distribute.Strategy:
    return tf.distribute.MirroredStrategy(DEVICES)


def in_graph_mode() -> dict:
    tf1.disable_v2_behavior()
    return {"train_distribute": mirrored()}


def before_graph_mode() -> dict:
    strategy = mirrored()
    tf1.disable_v2_behavior()
    return {"train_distribute": strategy, "eval_distribute": strategy}


def both_in_one() -> dict:
    from tensorflow.python.distribute.distribute_config import DistributeConfig

    return {"experimental_distribute": DistributeConfig(mirrored(), mirrored())}


CASES = {
    "train": lambda: {"train_distribute": mirrored()},
    "eval": lambda: {"eval_distribute": mirrored()},
    "both": both_in_one,
    "v1": lambda: {"train_distribute": tf1.distribute.MirroredStrategy(DEVICES)},
    "all_devices": lambda: {"train_distribute": tf.distribute.MirroredStrategy()},
    "central_storage": lambda: {
        "train_distribute": tf1.distribute.experimental.CentralStorageStrategy(DEVICES)
    },
    "before_graph_mode": before_graph_mode,
    "in_graph_mode": in_graph_mode,
}


def make(folder: str, case: str):
    if case != "installed":
        return tiny.make(folder, **CASES[case]())
    hub_estimator.compat.install()  # a program of others, which knows tf.estimator alone
    config = tf1.estimator.RunConfig(folder).replace(train_distribute=mirrored())
    return tf1.estimator.Estimator(tiny.model_fn, config=config)


def train(folder: str, case: str) -> str:
    model = make(folder, case)
    model.train(tiny.input_fn, max_steps=20)
    # A batch for each: of fewer, TensorFlow sometimes leaves out the last.
    metrics = model.evaluate(lambda: tiny.input_fn().take(2))
    strategy = model.config.train_distribute or model.config.eval_distribute
    return f"{strategy.num_replicas_in_sync} replicas, rmse {metrics['rmse']:.3f}"


def main(folder: str, *cases: str) -> None:
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    for case in cases:
        told = " ".join(choices()) if case == "choices" else train(f"{folder}/{case}", case)
        print(f"{case}: {told}", flush=True)


def choices() -> list[str]:
    """How a strategy adds up: eagerly, in a graph, and in a graph where its devices are GPUs."""
    strategy = mirrored()
    found = [chosen(strategy)]
    with tf.Graph().as_default():
        found.append(chosen(strategy))
        strategy.extended._devices = ("/device:GPU:0", "/device:GPU:1")
        return [*found, chosen(strategy)]


def chosen(strategy: tf.distribute.Strategy) -> str:
    first, second = (strategy.extended._get_cross_device_ops(tf.constant(1.0)) for _ in range(2))
    assert first is second  # strategies compare those of several tensors
    return type(first).__name__


if __name__ == "__main__":
    main(*sys.argv[1:])
