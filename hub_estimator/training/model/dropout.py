"""Dropout whose masks follow from the graph's seed and the step, also after an interruption."""

from __future__ import annotations

import zlib

import tensorflow as tf


def drop(values: tf.Tensor, rate: float, training: bool, name: str) -> tf.Tensor:
    """Sets a fraction of the values to zero and scales the others up; only when training.

    In a graph with a seed (`tf.compat.v1.set_random_seed`, an Estimator's `tf_random_seed`) the mask
    depends on the seed, the name and the global step alone. So training that goes on after an
    interruption drops what it would have dropped without one.

    Args:
      values: float of any shape.
      rate: the fraction to drop.
      training: whether to drop at all.
      name: what tells two places of a model apart.

    Returns:
      A tensor like `values`.
    """
    if not (rate and training):
        return values
    seed = tf.compat.v1.get_seed(None)[0]
    step = tf.compat.v1.train.get_global_step()
    if seed is None or step is None:
        return tf.nn.dropout(values, rate=rate)
    context = tf.distribute.get_replica_context()
    place = zlib.crc32(f"{name}/{context.replica_id_in_sync_group if context else 0}".encode())
    key = tf.stack([tf.constant(seed ^ place, tf.int64), tf.cast(step, tf.int64)])
    return tf.nn.experimental.stateless_dropout(values, rate=rate, seed=key)
