"""Exponential moving averages of the weights: made while training, used by all else."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from hub_estimator import errors

_PART = re.compile(r"/part_\d+$")


def update(decay: float, variables: Sequence[tf.Variable], step: Any) -> tf.Operation:
    """Moves the averages of variables a little towards their values.

    `average = d * average + (1 - d) * value`, where `d` is `min(decay, (1 + step) / (10 + step))`,
    so that the first averages are not those of the initial values.

    Args:
      decay: how much of the average stays.
      variables: the variables.
      step: int64 scalar, the global step.

    Returns:
      The operation.

    Raises:
      errors.PartsMismatchError: a variable is a part of a partitioned one.
    """
    for variable in variables:
        name = variable.op.name
        if _PART.search(name):
            raise errors.PartsMismatchError(
                f"Optimization.average_decay is {decay}, but {name!r} is a part of a partitioned "
                "variable, which TensorFlow cannot restore from an average. Set it to None, or "
                "publish the module without a partitioner."
            )
        # What a module's variables are restored from has no shape, nor would their averages have.
        variable.initial_value.set_shape(variable.shape)
    return tf.train.ExponentialMovingAverage(decay, num_updates=step).apply(variables)


def names(decay: float) -> dict[str, Any]:
    """Returns what to restore by its name in checkpoints: trainable variables from their averages."""
    average = tf.train.ExponentialMovingAverage(decay)
    return average.variables_to_restore(tf.compat.v1.trainable_variables())


def saver(decay: float) -> tf.compat.v1.train.Saver:
    """Returns a saver that restores the trainable variables of the graph from their averages."""
    return tf.compat.v1.train.Saver(names(decay), sharded=True, allow_empty=True)
