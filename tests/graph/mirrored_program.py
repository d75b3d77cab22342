"""Trains a model on a module under a strategy: `mirrored_program.py <folder> <strategy>`.

With `TF_CONFIG` it is one task of a cluster. Prints what the test compares, as JSON.
"""

from __future__ import annotations

import json
import sys

import hub_estimator as hub
from hub_estimator import estimator

import tensorflow as tf  # isort: skip  after hub_estimator, which chooses legacy Keras

tf1 = tf.compat.v1
STRATEGIES = {
    "mirrored": lambda: tf.distribute.MirroredStrategy(["/cpu:0", "/cpu:1"]),
    "none": lambda: None,
}


def model_fn(features, labels, mode, params):
    is_training = mode == estimator.ModeKeys.TRAIN
    tags = {"train"} if is_training else None
    module = hub.Module(params["module"], trainable=True, tags=tags)
    predictions = module(features["x"])
    hub.register_module_for_export(module, "tuned")
    if mode == estimator.ModeKeys.PREDICT:
        return estimator.EstimatorSpec(mode, predictions=predictions)
    loss = tf.reduce_mean(tf.square(predictions - labels)) + tf1.losses.get_regularization_loss()
    with tf.control_dependencies(tf1.get_collection(tf1.GraphKeys.UPDATE_OPS)):
        optimizer = tf1.train.GradientDescentOptimizer(0.1)
        train_op = optimizer.minimize(loss, tf1.train.get_global_step())
    return estimator.EstimatorSpec(mode, loss=loss, train_op=train_op)


def input_fn():
    x = tf.constant([[1.0], [2.0], [-1.0], [-2.0]])
    return tf.data.Dataset.from_tensor_slices(({"x": x}, 3.0 * x)).repeat().batch(2)


def receiver_fn():
    x = tf1.placeholder(tf.float32, [None, 1])
    return estimator.export.ServingInputReceiver({"x": x}, {"x": x})


def main(folder: str, strategy: str) -> None:
    hub.compat.silence_deprecations()
    config = estimator.RunConfig(
        folder + "/model",
        train_distribute=STRATEGIES[strategy](),
        save_checkpoints_steps=20,
        experimental_max_worker_delay_secs=0,
    )
    model = estimator.Estimator(model_fn, config=config, params={"module": folder + "/module"})
    exporter = hub.LatestModuleExporter("modules", receiver_fn)
    spec = estimator.EvalSpec(
        input_fn, steps=2, exporters=exporter, start_delay_secs=0, throttle_secs=0
    )
    metrics, _ = estimator.train_and_evaluate(
        model, estimator.TrainSpec(input_fn, max_steps=60), spec
    ) or ({}, None)
    names = [name for name in model.get_variable_names() if name.startswith("module")]
    values = {
        name: float(model.get_variable_value(key))
        for name, key in (("step", "global_step"), ("mean", "module/mean"))
    }
    print(json.dumps({"loss": float(metrics.get("loss", -1)), "names": names, **values}))


if __name__ == "__main__":
    if sys.argv[2] == "mirrored":
        cpu = tf.config.list_physical_devices("CPU")[0]
        two = [tf.config.LogicalDeviceConfiguration()] * 2
        tf.config.set_logical_device_configuration(cpu, two)
    main(*sys.argv[1:])
