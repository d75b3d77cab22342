"""A model of one weight: `y = w x`, with `w = 2` in the data."""

from __future__ import annotations

import tensorflow as tf

from hub_estimator import estimator

tf1 = tf.compat.v1


def model_fn(features, labels, mode):
    weight = tf1.get_variable("w", [1], initializer=tf1.zeros_initializer())
    predictions = {"y": features["x"] * weight}
    if mode == estimator.ModeKeys.PREDICT:
        outputs = {"serving_default": estimator.export.PredictOutput(predictions)}
        return estimator.EstimatorSpec(mode, predictions=predictions, export_outputs=outputs)
    loss = tf.reduce_mean(tf.square(predictions["y"] - labels))
    step = tf1.train.get_or_create_global_step()
    train_op = tf1.train.GradientDescentOptimizer(0.05).minimize(loss, step)
    metrics = {"rmse": tf1.metrics.root_mean_squared_error(labels, predictions["y"])}
    return estimator.EstimatorSpec(mode, loss=loss, train_op=train_op, eval_metric_ops=metrics)


def input_fn():
    return tf.data.Dataset.from_tensors(({"x": [[1.0], [2.0]]}, [[2.0], [4.0]])).repeat()


def one_batch():
    return input_fn().take(1)


def serving_fn():
    receiver = tf1.placeholder(tf.float32, [None, 1], name="x")
    return estimator.export.ServingInputReceiver({"x": receiver}, receiver)


def make(folder, **settings):
    settings.setdefault("save_checkpoints_steps", 10)
    return estimator.Estimator(model_fn, config=estimator.RunConfig(str(folder), **settings))
