"""Further metrics of a model, beside those of its head."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf

from hub_estimator import errors


@dataclasses.dataclass(frozen=True)
class Metric:
    """One metric: a function of `tf.compat.v1.metrics`, or one like them.

    Attributes:
      name: what evaluations and TensorBoard call it.
      function: called with `labels` and `predictions`; returns the value and the operation that
        updates it.
      prediction: the name of the head's prediction that it takes.
    """

    name: str
    function: Callable[..., tuple[Any, Any]]
    prediction: str = "class_ids"

    def __call__(self, labels: tf.Tensor, predictions: Mapping[str, tf.Tensor]) -> tuple[Any, Any]:
        """Adds the metric to the graph.

        Args:
          labels: the labels, `[B]` or `[B, N]`.
          predictions: the head's predictions by name.

        Returns:
          The value and the operation that updates it.

        Raises:
          errors.ModelError: the head has no such prediction.
        """
        if self.prediction not in predictions:
            raise errors.ModelError(
                f"The metric {self.name!r} takes the prediction {self.prediction!r}, which the "
                f"head does not give. It gives: {', '.join(sorted(predictions))}."
            )
        values = predictions[self.prediction]
        if labels.shape.rank == 1 and values.shape.rank == 2:
            labels = labels[:, None]
        if labels.dtype != tf.string and values.dtype != tf.string:
            labels = tf.cast(labels, values.dtype)
        return self.function(labels=labels, predictions=values)


def macro_f1(labels: tf.Tensor, predictions: tf.Tensor, num_classes: int) -> tuple[Any, Any]:
    """The mean over the classes of `2 * TP / (2 * TP + FP + FN)`; 0 for a class that never occurs.

    Args:
      labels: the numbers of the classes, integers of any shape.
      predictions: those predicted, of the same shape.
      num_classes: `K`.

    Returns:
      The value, float32 scalar, and the operation that updates it.
    """
    with tf.compat.v1.variable_scope(None, "macro_f1"):
        counts = tf.compat.v1.get_variable(
            "confusion",
            [num_classes, num_classes],
            tf.float64,
            initializer=tf.compat.v1.zeros_initializer(),
            trainable=False,
            collections=[
                tf.compat.v1.GraphKeys.LOCAL_VARIABLES,
                tf.compat.v1.GraphKeys.METRIC_VARIABLES,
            ],
        )
    batch = tf.math.confusion_matrix(
        tf.reshape(labels, [-1]), tf.reshape(predictions, [-1]), num_classes, dtype=tf.float64
    )
    update = tf.compat.v1.assign_add(counts, batch)
    return _f1(counts), _f1(update)


def _f1(confusion: tf.Tensor) -> tf.Tensor:
    hits = tf.linalg.diag_part(confusion)
    sizes = tf.reduce_sum(confusion, axis=0) + tf.reduce_sum(confusion, axis=1)
    return tf.cast(tf.reduce_mean(tf.math.divide_no_nan(2 * hits, sizes)), tf.float32)
