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
      head: the name of the head that it is of, where the model has a `MultiHead`.

    Each example counts once: the weights that a head takes are for its own metrics. Labels become
    of the type of the predictions, but for the numbers of classes beside a number for each class,
    such as `probabilities`, which `recall_at_k` takes so.
    """

    name: str
    function: Callable[..., tuple[Any, Any]]
    prediction: str = "class_ids"
    head: str | None = None

    def __call__(self, labels: Any, predictions: Mapping[Any, tf.Tensor]) -> tuple[Any, Any]:
        """Adds the metric to the graph.

        Args:
          labels: the labels, `[B]` or `[B, N]`; of several heads, a dict by their names.
          predictions: the head's predictions by name; of several heads, by `(head, name)`.

        Returns:
          The value and the operation that updates it.

        Raises:
          errors.PartsMismatchError: the model has no such head, or the head no such prediction.
        """
        labels, predictions = self._of_head(labels, predictions)
        if self.prediction not in predictions:
            raise errors.PartsMismatchError(
                f"The metric {self.name!r} takes the prediction {self.prediction!r}, which the "
                f"head does not give. It gives: {', '.join(sorted(map(str, predictions)))}."
            )
        values = predictions[self.prediction]
        if labels.shape.rank == 1 and values.shape.rank == 2:
            labels = labels[:, None]
        if _are_class_numbers(labels, values):
            labels = tf.cast(labels, tf.int64)
        elif labels.dtype != tf.string and values.dtype != tf.string:
            labels = tf.cast(labels, values.dtype)
        return self.function(labels=labels, predictions=values)

    def _of_head(self, labels: Any, predictions: Mapping[Any, tf.Tensor]) -> tuple[Any, Any]:
        """Returns the labels and the predictions of the metric's head."""
        if self.head is None and not isinstance(labels, Mapping):
            return labels, predictions
        names = sorted(labels) if isinstance(labels, Mapping) else []
        if self.head not in names:
            has = f"one of: {', '.join(names)}" if names else "None: the model has one head"
            raise errors.PartsMismatchError(
                f"The metric {self.name!r} is of the head {self.head!r}. Metric.head must be {has}."
            )
        keys = [key for key in predictions if isinstance(key, tuple) and key[0] == self.head]
        return labels[self.head], {key[1]: predictions[key] for key in keys}


def _are_class_numbers(labels: tf.Tensor, predictions: tf.Tensor) -> bool:
    """Whether each label is the number of a class, each prediction a number for every class."""
    return (
        labels.dtype.is_integer
        and predictions.dtype.is_floating
        and labels.shape.rank == predictions.shape.rank == 2
        and labels.shape[-1] == 1
        and predictions.shape[-1] not in (None, 1)
    )


def macro_f1(labels: tf.Tensor, predictions: tf.Tensor, num_classes: int) -> tuple[Any, Any]:
    """The mean over the classes of `2 * TP / (2 * TP + FP + FN)`; 0 for a class that never occurs.

    Args:
      labels: the numbers of the classes, integers of any shape.
      predictions: those predicted, of the same shape.
      num_classes: `K`, the number of classes.

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
