"""Estimators that both libraries can be used in alike: a module, a dense layer, a squared loss."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

import hub_estimator

tf1 = tf.compat.v1


def api() -> Any:
    """Returns `tf.estimator`, which the newest TensorFlow does not have."""
    return hub_estimator.compat.estimator_module()


def model_fn(library: Any, module: str, trainable: bool) -> Any:
    """Returns a `model_fn` on the module's first input, with its module registered for export."""

    def build(features: Any, labels: Any, mode: str) -> Any:
        made = library.Module(module, trainable=trainable)
        library.register_module_for_export(made, "module")
        kernel = tf1.get_variable("kernel", [made.get_output_info_dict()["default"].get_shape()[1]])
        predictions = tf.einsum("bd,d->b", made(features), kernel)
        if mode == "infer":
            return api().EstimatorSpec(mode, predictions=predictions)
        loss = tf.reduce_mean(tf.square(predictions - labels))
        optimizer = tf1.train.GradientDescentOptimizer(0.01)
        step = optimizer.minimize(loss, tf1.train.get_or_create_global_step())
        return api().EstimatorSpec(mode, loss=loss, train_op=step)

    return build


def input_fn(library: Any, module: str, batch: int) -> Any:
    """Returns an `input_fn` of one random batch over and over."""
    ((name, info),) = library.load_module_spec(module).get_input_info_dict().items()
    shape = [batch, *info.get_shape()[1:]]
    values = np.random.RandomState(1).uniform(size=shape).astype(np.float32)
    labels = np.zeros([batch], np.float32)
    return lambda: tf.data.Dataset.from_tensors(({name: values}, labels)).repeat()


def serving_input_fn(library: Any, module: str) -> Any:
    """Returns a `serving_input_receiver_fn` of raw placeholders."""
    infos = library.load_module_spec(module).get_input_info_dict()

    def receiver() -> Any:
        tensors = {
            name: tf1.placeholder(info.dtype, info.get_shape()) for name, info in infos.items()
        }
        return api().export.ServingInputReceiver(tensors, tensors)

    return receiver
