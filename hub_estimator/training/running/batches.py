"""The batches of an `input_fn` as values, for who feeds them to a model."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import tensorflow as tf

from hub_estimator.training.inputs.base import InputFn


@contextlib.contextmanager
def reading(input_fn: InputFn, config: Any) -> Iterator[Iterator[Any]]:
    """Reads data for the time of a `with` block; gives its batches in their order, as arrays.

    Args:
      input_fn: gives the data, read in a graph and a session of its own.
      config: the `RunConfig` of the Estimator that would read it.
    """
    with tf.Graph().as_default() as graph:
        tf.compat.v1.set_random_seed(config.tf_random_seed)
        with tf.device("/cpu:0"):
            iterator = tf.compat.v1.data.make_initializable_iterator(input_fn())
            batch = iterator.get_next()
        tables = tf.compat.v1.tables_initializer()
    session = tf.compat.v1.Session(graph=graph, config=config.session_config)
    with contextlib.closing(session):
        session.run(tables)
        session.run(iterator.initializer)  # which may need them
        yield _values(session.make_callable(batch))


def _values(next_batch: Callable[[], Any]) -> Iterator[Any]:
    with contextlib.suppress(tf.errors.OutOfRangeError):
        while True:
            yield next_batch()
