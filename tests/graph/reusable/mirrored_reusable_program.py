"""Trains a module on two CPU devices: `mirrored_reusable_program.py <module>`; prints JSON."""

from __future__ import annotations

import json
import sys

import numpy as np
import tensorflow as tf

import hub_estimator as hub
from hub_estimator.graph.reusable.module import ReusableModule

STEPS = 5


def main(path: str) -> None:
    (cpu,) = tf.config.list_physical_devices("CPU")
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    strategy = tf.distribute.MirroredStrategy(["/cpu:0", "/cpu:1"])
    with strategy.scope():
        module = ReusableModule(hub.load_module_spec(path), trainable=True)
        optimizer = tf.keras.optimizers.SGD(0.01)
        optimizer.build(module.trainable_variables)

    def step(x):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(module(x, training=True) ** 2)
            loss += sum(loss() for loss in module.regularization_losses)
        gradients = tape.gradient(loss, module.trainable_variables)
        optimizer.apply_gradients(zip(gradients, module.trainable_variables, strict=True))
        return loss

    @tf.function
    def run(x):
        return strategy.reduce("sum", strategy.run(step, args=(x,)), axis=None)

    data = tf.data.Dataset.from_tensor_slices(np.float32([[1, 2, 3], [3, 2, 1]])).batch(2).repeat()
    batches = iter(strategy.experimental_distribute_dataset(data))
    losses = [float(run(next(batches))) for _ in range(STEPS)]
    parts = [[part.numpy().tolist() for part in v.values] for v in module.variables]
    whole = [v.read_value().numpy().tolist() for v in module.variables]
    output = module(np.float32([[1, 2, 3]])).numpy().tolist()
    print(json.dumps({"losses": losses, "parts": parts, "whole": whole, "output": output}))


if __name__ == "__main__":
    main(sys.argv[1])
