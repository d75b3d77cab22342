"""The batches of a dataset in a graph: taken one after the other, begun when all else is there."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import tensorflow as tf

from hub_estimator.training.inputs.base import InputFn
from hub_estimator.training.inputs.failures import clear_errors


class Batches:
    """The batches of a dataset, in the default graph.

    Args:
      dataset: the dataset.

    Attributes:
      next: the tensors of a batch, in each run of a session those of the next one.
    """

    def __init__(self, dataset: tf.data.Dataset) -> None:
        iterator = tf.compat.v1.data.make_initializable_iterator(dataset)
        self._begin = iterator.initializer
        self.next = iterator.get_next()

    def begin(self, session: tf.compat.v1.Session) -> None:
        """Begins with the first one; datasets may need tables and variables that are initialized."""
        session.run(self._begin)

    def hook(self) -> tf.compat.v1.train.SessionRunHook:
        """Returns what begins with the first one in a session that is monitored."""
        return _BeginHook(self)


class _BeginHook(tf.compat.v1.train.SessionRunHook):  # type: ignore[misc]
    """Begins with batches when all else of a session is initialized.

    Args:
      batches: the batches.
    """

    def __init__(self, batches: Batches) -> None:
        self._batches = batches

    def after_create_session(self, session: tf.compat.v1.Session, coord: Any) -> None:
        """Begins; see `tf.train.SessionRunHook`."""
        del coord
        self._batches.begin(session)


def of(input_fn: InputFn) -> Batches:
    """Returns the batches that an `input_fn` gives, called as an Estimator does."""
    with tf.device("/cpu:0"):
        dataset = input_fn()
    return Batches(dataset)


def elements(dataset: tf.data.Dataset) -> Iterator[Any]:
    """Gives the elements of a dataset of the default graph, as arrays.

    Raises:
      errors.Error: see `clear_errors`.
    """
    batches = Batches(dataset)
    tables = tf.compat.v1.tables_initializer()
    with tf.compat.v1.Session() as session:
        session.run(tables)
        batches.begin(session)
        while True:
            try:
                with clear_errors():
                    value = session.run(batches.next)
            except tf.errors.OutOfRangeError:
                return
            yield value


@contextlib.contextmanager
def reading(input_fn: InputFn, config: Any) -> Iterator[Iterator[Any]]:
    """Reads data for the time of a `with` block; gives its batches in their order, as arrays.

    Args:
      input_fn: gives the data, read in a graph and a session of its own.
      config: the `RunConfig` of the Estimator that would read it.
    """
    with tf.Graph().as_default() as graph:
        tf.compat.v1.set_random_seed(config.tf_random_seed)
        batches = of(input_fn)
        tables = tf.compat.v1.tables_initializer()
    session = tf.compat.v1.Session(graph=graph, config=config.session_config)
    with contextlib.closing(session):
        session.run(tables)
        batches.begin(session)
        yield _values(session.make_callable(batches.next))


def _values(next_batch: Callable[[], Any]) -> Iterator[Any]:
    with contextlib.suppress(tf.errors.OutOfRangeError):
        while True:
            yield next_batch()


def first_features(input_fn: InputFn) -> dict[str, Any] | None:
    """Returns the features of the first batch that an `input_fn` gives, arrays; None without one.

    Raises:
      errors.Error: see `clear_errors`.
    """
    with tf.Graph().as_default():
        with tf.device("/cpu:0"):
            dataset = input_fn()
        for features, *_ in elements(dataset):
            return dict(features)
    return None
