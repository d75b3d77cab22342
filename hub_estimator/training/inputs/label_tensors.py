"""Labels as a head takes them, from tensors of numbers or names that a data file holds."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from hub_estimator import errors
from hub_estimator.training.example_spec import LabelSpec
from hub_estimator.training.inputs import finite
from hub_estimator.training.inputs.base import shown_names
from hub_estimator.training.inputs.failures import fail_unless, shown


def convert(stored: Any, spec: LabelSpec, where: tf.Tensor) -> tf.Tensor:
    """Converts a batch of labels in the graph.

    Args:
      stored: of one class its number or its name `[B]`; of any of `K` classes these `[B, T]`, and
        which of them are there, bool `[B, T]`; real numbers `[B]` or `[B, size]`.
      spec: what the head takes.
      where: string `[B]`, what messages call the place of each.

    Returns:
      What the head takes; see `LabelSpec`. A label that is no class, or no finite number, fails the
      step.
    """
    if spec.kind in ("any", "number"):
        numbers = tf.cast(stored, tf.float32) if spec.kind == "number" else stored
        if not numbers.dtype.is_floating:
            return numbers
        return finite.checked(numbers, where, ("The label", ""), errors.LabelError)
    if spec.kind == "class":
        numbers = _numbers(stored, spec, where)
        return tf.gather(tf.constant(spec.class_names), numbers) if spec.by_name else numbers
    values, there = stored
    listed = tf.where(there)
    numbers = _numbers(tf.gather_nd(values, listed), spec, tf.gather(where, listed[:, 0]))
    places = tf.stack([listed[:, 0], numbers], axis=1)
    shape = [tf.size(where, tf.int64), spec.size]
    counts = tf.scatter_nd(places, tf.ones_like(numbers), shape)
    return tf.ensure_shape(tf.minimum(counts, 1), [None, spec.size])  # one may be listed twice


def _numbers(stored: tf.Tensor, spec: LabelSpec, where: tf.Tensor) -> tf.Tensor:
    """Returns the numbers of classes, int64 `[N]`, given numbers or names."""
    if stored.dtype != tf.string:
        numbers = tf.cast(stored, tf.int64)
        is_whole = tf.equal(tf.cast(numbers, stored.dtype), stored)
        known = is_whole & (numbers >= 0) & (numbers < spec.size)
        there = f", which takes 0 to {spec.size - 1}."
    elif spec.class_names is None:
        numbers, known = tf.zeros_like(stored, tf.int64), tf.zeros_like(stored, tf.bool)
        there = (
            ", whose classes have no names. List them in the input's class_names or in the head's "
            "label_vocabulary."
        )
    else:
        same = tf.equal(stored[:, tf.newaxis], tf.constant(spec.class_names))
        numbers, known = tf.argmax(same, axis=1), tf.reduce_any(same, axis=1)
        there = f". It has: {shown_names(spec.class_names)}."
    why = f"is not a class of the model's head{there}"
    with tf.control_dependencies([_refuse_first(known, stored, where, why)]):
        return tf.identity(numbers)


def _refuse_first(known: tf.Tensor, stored: tf.Tensor, where: tf.Tensor, why: str) -> tf.Tensor:
    """Fails the step with the first label that is wrong.

    Args:
      known: which labels are right, bool `[N]`.
      stored: the labels `[N]`.
      where: what messages call the place of each, string `[N]`.
      why: what messages say of one that is wrong.
    """

    def message() -> tf.Tensor:
        first = tf.argmin(tf.cast(known, tf.int32))
        label = stored[first]
        label = shown(label) if stored.dtype == tf.string else tf.strings.as_string(label)
        return tf.strings.join(["The label ", label, " in ", where[first], f" {why}"])

    return fail_unless(tf.reduce_all(known), errors.LabelError, message)
