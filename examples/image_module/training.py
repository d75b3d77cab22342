"""Trains the module with a last layer on top of it, and publishes it without that layer."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import numpy as np
import tensorflow as tf
import tqdm

import hub_estimator as hub
from examples import publishing
from examples.image_module import module as image_module
from examples.image_module.digits import Digits
from hub_estimator import compat, files

tf1 = tf.compat.v1
BATCH_SIZE = 64
HELD_OUT = 0.1  # of the images, the last ones: to see how good the network is
_logger = logging.getLogger("hub_estimator")  # shown like the package's own log


def train_and_publish(
    digits: Digits, export_path: files.PathLike, epochs: int = 30
) -> tuple[float, int]:
    """Trains the module to tell digits apart, and publishes it.

    Args:
      digits: what it learns from, but for the last tenth.
      export_path: the module's folder; it appears whole or not at all.
      epochs: how often it sees each image.

    Returns:
      The accuracy on the last tenth, and of how many images.

    Raises:
      publishing.ModuleExistsError: there is a module.
    """
    path = publishing.check_free(export_path)
    num_classes = int(digits.labels.max()) + 1
    cut = len(digits.labels) - int(HELD_OUT * len(digits.labels))
    with tf.Graph().as_default(), tf1.Session() as session:
        tf1.set_random_seed(1)
        images = tf1.placeholder(tf.float32, [None, *digits.images.shape[1:]])
        labels = tf1.placeholder(tf.int64, [None])
        module = hub.Module(image_module.make_spec(), trainable=True, tags={image_module.TRAIN})
        train_op = _train_op(_logits(module(images), num_classes), labels)
        # The other variant works with the variables of the first.
        correct = tf.equal(
            tf.argmax(_logits(module.variant()(images), num_classes), axis=1), labels
        )
        session.run(tf1.global_variables_initializer())
        for batch in _batches(cut, epochs):
            session.run(train_op, {images: digits.images[batch], labels: digits.labels[batch]})
        held_out = {images: digits.images[cut:], labels: digits.labels[cut:]}
        accuracy = float(np.mean(session.run(correct, held_out)))
        module.export(path, session)
    _logger.info("Published the module %s.", path)
    return accuracy, len(digits.labels) - cut


def _logits(features: tf.Tensor, num_classes: int) -> tf.Tensor:
    """The last layer, float32 `[B, D]` to `[B, K]`; the same variables in each call."""
    with tf1.variable_scope("logits", reuse=tf1.AUTO_REUSE):
        return compat.legacy_layers().dense(
            features, num_classes, kernel_initializer=tf1.glorot_uniform_initializer(), name="dense"
        )


def _train_op(logits: tf.Tensor, labels: tf.Tensor) -> tf.Operation:
    tf1.losses.sparse_softmax_cross_entropy(labels, logits)
    loss = tf1.losses.get_total_loss()  # with the module's regularization losses
    # The moving averages of batch normalization are updated by operations of their own.
    with tf.control_dependencies(tf1.get_collection(tf1.GraphKeys.UPDATE_OPS)):
        return tf1.train.AdamOptimizer(0.003).minimize(loss)


def _batches(num_images: int, epochs: int) -> Iterator[np.ndarray]:
    order = np.random.default_rng(1)
    for _ in tqdm.trange(epochs, desc="Training", unit=" epochs", disable=None):
        shuffled = order.permutation(num_images)
        yield from np.array_split(shuffled, max(1, num_images // BATCH_SIZE))
