"""The model: an image module and one layer; training it, exporting the module, using it again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

import hub_estimator as hub
from examples.image_module.digits import NUM_CLASSES, Digits, Parts
from hub_estimator import compat, errors, files

tf1 = tf.compat.v1
BATCH_SIZE = 64
EXPORT_NAME = "digits"
_NOT_FOR_DIGITS = "The module %s takes images of %d x %d pixels; the digits have 8 x 8."


class WrongModuleError(errors.Error, ValueError):
    """A module does not take the images that there are."""


class Result(NamedTuple):
    """What training came to.

    Attributes:
      accuracy: of the model, on the held-out digits.
      module: the folder of the exported module.
    """

    accuracy: float
    module: str


def model_fn(
    features: Mapping[str, tf.Tensor],
    labels: tf.Tensor | None,
    mode: str,
    params: Mapping[str, Any],
) -> Any:
    """Builds the model in the default graph, as Estimators ask for it.

    Args:
      features: `images`, float32 `[B, 8, 8, 1]`.
      labels: int64 `[B]`; None when predicting.
      mode: one of `hub.estimator.ModeKeys`.
      params: `module`, the handle; `fine_tune`, whether the module is trained too;
        `learning_rate`.

    Returns:
      The `hub.estimator.EstimatorSpec`.
    """
    modes = hub.estimator.ModeKeys
    is_tuned = mode == modes.TRAIN and params["fine_tune"]
    # The train variant only when the module is trained: as it is, it works as it was published.
    module = hub.Module(params["module"], trainable=is_tuned, tags={"train"} if is_tuned else None)
    hub.register_module_for_export(module, EXPORT_NAME)
    logits = tf1.layers.dense(
        module(features["images"]), NUM_CLASSES, kernel_initializer=tf1.glorot_uniform_initializer()
    )
    classes = tf.argmax(logits, axis=1)
    if mode == modes.PREDICT:
        return hub.estimator.EstimatorSpec(mode, predictions={"classes": classes})
    tf1.losses.sparse_softmax_cross_entropy(labels, logits)
    loss = tf1.losses.get_total_loss()  # with the module's regularization losses
    if mode == modes.EVAL:
        metrics = {"accuracy": tf1.metrics.accuracy(labels, classes)}
        return hub.estimator.EstimatorSpec(mode, loss=loss, eval_metric_ops=metrics)
    return hub.estimator.EstimatorSpec(
        mode, loss=loss, train_op=_train_op(loss, params["learning_rate"])
    )


def _train_op(loss: tf.Tensor, learning_rate: float) -> tf.Operation:
    optimizer = tf1.train.AdamOptimizer(learning_rate)
    # Without these, the moving averages of batch normalization would stay what they were.
    with tf.control_dependencies(tf1.get_collection(tf1.GraphKeys.UPDATE_OPS)):
        return optimizer.minimize(loss, tf1.train.get_or_create_global_step())


def train(
    module: str,
    parts: Parts,
    model_dir: files.PathLike,
    fine_tune: bool = True,
    steps: int = 300,
    learning_rate: float = 0.003,
) -> Result:
    """Trains on one part of the digits, evaluates on another, and exports the module.

    Args:
      module: the handle of an image module.
      parts: the digits.
      model_dir: where checkpoints and exports go; training there goes on.
      fine_tune: whether the module is trained too.
      steps: optimizer steps.
      learning_rate: Adam's.

    Raises:
      WrongModuleError: the module takes images of another size.
    """
    compat.install()  # tf.compat.v1.layers and Estimators, on every TensorFlow
    size = hub.get_expected_image_size(hub.load_module_spec(module))
    if size != list(parts.train.images.shape[1:3]):
        raise WrongModuleError(_NOT_FOR_DIGITS % (module, *size))
    estimator = hub.estimator.Estimator(
        model_fn,
        files.as_path(model_dir),
        hub.estimator.RunConfig(tf_random_seed=1),
        {"module": module, "fine_tune": fine_tune, "learning_rate": learning_rate},
    )
    exporter = hub.LatestModuleExporter("module", _serving_input_fn, exports_to_keep=1)
    metrics, exports = hub.estimator.train_and_evaluate(
        estimator,
        hub.estimator.TrainSpec(_input_fn(parts.train, is_training=True), max_steps=steps),
        hub.estimator.EvalSpec(
            _input_fn(parts.test, is_training=False), steps=None, exporters=exporter
        ),
    )
    return Result(float(metrics["accuracy"]), files.join(exports[-1], EXPORT_NAME))


def nearest_mean_accuracy(module: str, parts: Parts) -> float:
    """Returns how well a module's features tell held-out digits apart, without a trained layer.

    Each digit is taken for the class whose training digits have, on average, the nearest features.

    Args:
      module: the handle of an image module.
      parts: the digits.
    """
    with hub.eval_function_for_module(module) as features:
        train, test = features(parts.train.images), features(parts.test.images)
    means = np.stack([train[parts.train.labels == label].mean(0) for label in range(NUM_CLASSES)])
    distances = np.linalg.norm(test[:, np.newaxis] - means, axis=2)
    return float(np.mean(distances.argmin(axis=1) == parts.test.labels))


def _input_fn(digits: Digits, is_training: bool) -> Callable[[], tf.data.Dataset]:
    def input_fn() -> tf.data.Dataset:
        dataset = tf.data.Dataset.from_tensor_slices(({"images": digits.images}, digits.labels))
        if is_training:
            dataset = dataset.shuffle(len(digits.labels), seed=1).repeat()
        return dataset.batch(BATCH_SIZE)

    return input_fn


def _serving_input_fn() -> Any:
    images = tf1.placeholder(tf.float32, [None, 8, 8, 1])
    return hub.estimator.export.ServingInputReceiver({"images": images}, images)
