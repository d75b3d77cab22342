"""Running operations only at some steps."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf


def run_if(condition: tf.Tensor, add: Callable[[], tf.Operation]) -> tf.Operation:
    """Adds operations that run only where a condition holds.

    `tf.cond` would not do: it makes a function of each branch, and neither variables of the old
    kind (references) can change in a function, nor can a distribution strategy add up gradients.
    So this is the data flow that functions are lowered to in the end: one output of a `Switch` is
    dead, and so is all that waits for it, up to a `Merge` with what is alive.

    Args:
      condition: bool scalar.
      add: adds the operations to the default graph and returns the last one, which waits for all.

    Returns:
      An operation that runs after them, or at once where they do not run.
    """
    otherwise, pivot = tf.raw_ops.Switch(data=condition, pred=condition)
    with tf.control_dependencies([tf.identity(pivot)]):
        last = add()
    with tf.control_dependencies([last]):
        done = tf.identity(pivot)
    return tf.raw_ops.Merge(inputs=[done, otherwise]).output.op
