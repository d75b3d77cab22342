"""Runs a frozen encoder over all examples, once, and stores what it gives."""

from __future__ import annotations

import collections
import concurrent.futures
import contextlib
import dataclasses
import os
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from hub_estimator.progress import Progress
from hub_estimator.training.example_spec import ExampleSpec
from hub_estimator.training.feature_cache import single_examples
from hub_estimator.training.feature_cache.shards import shard_rows
from hub_estimator.training.feature_cache.store import StoredOutputs
from hub_estimator.training.inputs.failures import clear_errors
from hub_estimator.training.inputs.memory import InMemory
from hub_estimator.training.model.encoders import Encoder

_BATCH_SIZE = 256
"""The least number of texts or rows of numbers to run at once; others are as many as in training."""
_FEW = 16
"""Up to so many whole numbers are values of an example; more are its tokens."""
_MOST_WORKERS = 8
"""More would wait for the one thread that makes the batches."""
# What sums in another order may differ by; what chance makes differs by more.
_RELATIVE, _ABSOLUTE = 1e-3, 1e-5

# The features of a batch by name, and what they give, `[B, D]`.
_Batch = tuple[dict[str, np.ndarray], np.ndarray]
_Map = Callable[[Callable[[Any], Any], Iterable[Any]], Iterator[Any]]


class NotStorableError(Exception):
    """The outputs of an encoder cannot stand for it; the message says why."""


class Computation:
    """The computation of one entry, in a graph of its own.

    Args:
      encoder: a frozen encoder with one use.
      mode: the Estimator's mode.
      source: the data.
      spec: what the model takes.

    Attributes:
      width: `D`, the width of the outputs.
    """

    def __init__(self, encoder: Encoder, mode: str, source: InMemory, spec: ExampleSpec) -> None:
        self._encoder = dataclasses.replace(encoder, export_name=None)
        self._source, self._spec = source, spec
        self._names = sorted(encoder.feature_specs())
        self._are_small = all(_is_small(spec.features[name]) for name in self._names)
        # What is done to a text uses one core; what is done to images uses all, and much memory.
        self._workers = min(_cores(), _MOST_WORKERS) if self._are_small else 1
        self._graph = tf.Graph()
        with self._graph.as_default():
            tf.compat.v1.train.create_global_step()
            batches = self._batches(0)
            self._iterator = tf.compat.v1.data.Iterator.from_structure(
                tf.compat.v1.data.get_output_types(batches),
                tf.compat.v1.data.get_output_shapes(batches),
            )
            # Training's own mode would drop; the graph variant of the module is the same.
            used = "infer" if mode == "train" else mode
            self._batch = self._iterator.get_next()
            # Apart from the batch: a function of a SavedModel would take the next one where it is fed.
            self._features = {
                name: tf.compat.v1.placeholder(values.dtype, values.shape)
                for name, values in self._batch.items()
            }
            (self._output,) = self._encoder(self._features, used).outputs
            self._start = tf.group(
                tf.compat.v1.global_variables_initializer(),
                tf.compat.v1.local_variables_initializer(),
                tf.compat.v1.tables_initializer(),
            )
        self.width = int(self._output.shape[1])

    def __call__(self, entry: StoredOutputs) -> None:
        """Computes what is missing of an entry.

        Raises:
          NotStorableError: chance or other examples are in the outputs, they are not one for each
            example, or there is too little memory.
        """
        try:
            self._compute(entry)
        except tf.errors.ResourceExhaustedError as error:
            if self._workers == 1:
                raise NotStorableError("there is too little memory to run it beforehand") from error
            self._workers = 1
            self(entry)  # goes on after the shards that are there

    def _compute(self, entry: StoredOutputs) -> None:
        rows, count = shard_rows(self.width), self._source.num_examples
        done = min(entry.rows_there(self.width), count)
        what = f"outputs of encoder {self._encoder.name!r}"

        def line(progress: Progress) -> str:
            return f"computing {what}: {progress.done:.0f} of {count}"

        with (
            clear_errors(),
            self._graph.as_default(),
            tf.compat.v1.Session() as session,
            _side_by_side(self._workers) as mapped,
            Progress(line, total=count, initial=done, unit=" examples", desc=what) as progress,
        ):
            progress.say(line(progress))
            session.run(self._start)
            for number, shard in enumerate(self._shards(session, mapped, done), done // rows):
                entry.write_shard(number, shard)
                progress.add(len(shard))
            took = f"{progress.seconds:.1f} s"
            progress.say(f"computed {what}: {progress.done:.0f} of {count} in {took}")
        entry.complete(count, f"{self._encoder.handle!r}")

    def _batches(self, first: int) -> tf.data.Dataset:
        size = self._source.batch_size
        if self._are_small:
            size = max(size, _BATCH_SIZE)
        return self._source.rows_fn(self._spec, self._names, first, size)()

    def _shards(self, session: Any, mapped: _Map, first: int) -> Iterator[np.ndarray]:
        """Gives the outputs from row `first` on, shard by shard."""
        rows, waiting, count = shard_rows(self.width), [], 0
        for values in self._outputs(session, mapped, first):
            waiting.append(values)
            count += len(values)
            while count >= rows:
                joined = np.concatenate(waiting)
                yield joined[:rows]
                waiting, count = [joined[rows:]], count - rows
        if count:
            yield np.concatenate(waiting)

    def _outputs(self, session: Any, mapped: _Map, first: int) -> Iterator[np.ndarray]:
        """Gives the outputs of each batch from row `first` on, if those of one are repeatable."""
        session.run(self._iterator.make_initializer(self._batches(first)))
        for number, (features, values) in enumerate(self._pass(session, mapped)):
            if not number and not _are_close(self._run(session, features), values):
                raise NotStorableError("it gives other outputs each time")
            for row in single_examples.chosen_rows(features, self._spec.features, not number):
                single = single_examples.single(features, self._spec.features, row)
                if not _are_close(self._run(session, single)[0], values[row]):
                    raise NotStorableError("its outputs depend on the other examples of a batch")
            yield values

    def _run(self, session: Any, features: dict[str, np.ndarray]) -> np.ndarray:
        fed = {self._features[name]: values for name, values in features.items()}
        return session.run(self._output, fed)

    def _pass(self, session: Any, mapped: _Map) -> Iterator[_Batch]:
        """Gives each batch and its outputs, of which several run at once."""

        def encoded(features: dict[str, np.ndarray]) -> _Batch:
            values = self._run(session, features)
            if len(values) != len(features[self._names[0]]):
                raise NotStorableError("it gives another number of outputs than there are examples")
            return features, values

        return mapped(encoded, self._taken(session))

    def _taken(self, session: Any) -> Iterator[dict[str, np.ndarray]]:
        take = session.make_callable(self._batch)
        while True:
            try:
                features = take()
            except tf.errors.OutOfRangeError:
                return
            yield features


@contextlib.contextmanager
def _side_by_side(workers: int) -> Iterator[_Map]:
    """Gives a `map` that does several calls at a time, and little before it is asked for it.

    Results are in order. When the block ends, what waits is cancelled, and what runs is waited for.
    """
    pool = concurrent.futures.ThreadPoolExecutor(workers)

    def mapped(function: Callable[[Any], Any], items: Iterable[Any]) -> Iterator[Any]:
        waiting: collections.deque[concurrent.futures.Future[Any]] = collections.deque()
        for item in items:
            waiting.append(pool.submit(function, item))
            if len(waiting) > workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()

    try:
        yield mapped
    finally:
        pool.shutdown(cancel_futures=True)


def _cores() -> int:
    """Returns how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):  # not everywhere
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _is_small(spec: tf.TensorSpec) -> bool:
    """Whether an example is a text or a row of numbers, and no image and no tokens of a text."""
    inner = spec.shape[1:]
    if not inner.is_fully_defined() or inner.rank > 1:
        return False
    return spec.dtype.is_floating or inner.num_elements() <= _FEW


def _are_close(values: np.ndarray, others: np.ndarray) -> bool:
    # What is near zero is as exact as what it was summed from, not as itself.
    scale = np.abs(others[np.isfinite(others)]).max(initial=1)
    return np.allclose(values, others, _RELATIVE, _ABSOLUTE * scale, equal_nan=True)
