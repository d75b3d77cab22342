"""Runs what training does not change over all examples, once, and stores what it gives."""

from __future__ import annotations

import collections
import concurrent.futures
import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import tensorflow as tf

from hub_estimator.progress import Progress
from hub_estimator.training.example_spec import ExampleSpec
from hub_estimator.training.feature_cache import concurrency
from hub_estimator.training.feature_cache.pieces import Piece, joined
from hub_estimator.training.feature_cache.shards import shard_rows
from hub_estimator.training.feature_cache.store import StoredOutputs
from hub_estimator.training.feature_cache.work import Exploring, Features, NotStorableError, Work
from hub_estimator.training.inputs.failures import clear_errors
from hub_estimator.training.inputs.memory import InMemory

_BATCH_SIZE = 256
"""The least number of texts or rows of numbers to run at once; others are as many as in training."""
_Map = Callable[[Callable[[Any], Any], Iterable[Any]], Iterator[Any]]


class Computation:
    """The computation of one entry, in a graph of its own.

    Args:
      names: the features that it takes.
      source: the data.
      spec: what the model takes.
      make_work: adds what is computed to the default graph, given the features.

    Attributes:
      work: what is computed.
    """

    def __init__(
        self,
        names: Iterable[str],
        source: InMemory,
        spec: ExampleSpec,
        make_work: Callable[[Mapping[str, tf.Tensor]], Work],
    ) -> None:
        self._source, self._spec = source, spec
        self._names = sorted(names)
        taken = {name: spec.features[name] for name in self._names}
        self._are_small = concurrency.are_small(taken)
        self._workers = concurrency.batches_at_once(taken)
        self._graph = tf.Graph()
        with self._graph.as_default():
            tf.compat.v1.train.create_global_step()
            batches = self._batches(0)
            self._iterator = tf.compat.v1.data.Iterator.from_structure(
                tf.compat.v1.data.get_output_types(batches),
                tf.compat.v1.data.get_output_shapes(batches),
            )
            self._batch = self._iterator.get_next()
            # Apart from the batch: a function of a SavedModel would take the next one where it is fed.
            features = {
                name: tf.compat.v1.placeholder(values.dtype, values.shape)
                for name, values in self._batch.items()
            }
            self.work = make_work(features)
            self._start = tf.group(
                tf.compat.v1.global_variables_initializer(),
                tf.compat.v1.local_variables_initializer(),
                tf.compat.v1.tables_initializer(),
            )
            with clear_errors():
                self._prepare()

    def _prepare(self) -> None:
        """Shows the first batch to what is computed, where that depends on it."""
        if not isinstance(self.work, Exploring):
            return
        with tf.compat.v1.Session() as session:
            session.run(self._start)
            session.run(self._iterator.make_initializer(self._batches(0)))
            self.work.explore(session, session.run(self._batch))

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
        rows, count = shard_rows(self.work.width), self._source.num_examples
        done = min(entry.rows_there(self.work.width), count)
        what = self.work.what

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
                entry.write_shard(number, *shard.arrays)
                progress.add(len(shard))
            took = f"{progress.seconds:.1f} s"
            progress.say(f"computed {what}: {progress.done:.0f} of {count} in {took}")
        entry.complete(count, self.work.about, self.work.contents)

    def _batches(self, first: int) -> tf.data.Dataset:
        size = self._source.batch_size
        if self._are_small:
            size = max(size, _BATCH_SIZE)
        return self._source.rows_fn(self._spec, self._names, first, size)()

    def _shards(self, session: Any, mapped: _Map, first: int) -> Iterator[Piece]:
        """Gives what there is of the examples from `first` on, shard by shard."""
        rows = shard_rows(self.work.width)
        waiting: list[Piece] = []
        count = 0
        for piece in self._pieces(session, mapped, first):
            waiting.append(piece)
            count += len(piece)
            while count >= rows:
                whole = joined(waiting)
                yield whole.between(0, rows)
                waiting, count = [whole.between(rows, count)], count - rows
        if count:
            yield joined(waiting)

    def _pieces(self, session: Any, mapped: _Map, first: int) -> Iterator[Piece]:
        """Gives what there is of each batch from example `first` on, if that can be stored."""
        session.run(self._iterator.make_initializer(self._batches(first)))

        def computed(features: Features) -> tuple[Features, Piece]:
            return features, self.work.piece(session, features)

        for number, (features, piece) in enumerate(mapped(computed, self._taken(session))):
            self.work.check(session, features, piece, not number)
            yield piece

    def _taken(self, session: Any) -> Iterator[Features]:
        take = session.make_callable(self._batch)
        while True:
            try:
                features = take()
            except tf.errors.OutOfRangeError:
                return
            yield features


@contextlib.contextmanager
def _side_by_side(calls: int) -> Iterator[_Map]:
    """Gives a `map` that does several calls at a time, and little before it is asked for it.

    Results are in order. When the block ends, what waits is cancelled, and what runs is waited for.
    """
    pool = concurrent.futures.ThreadPoolExecutor(calls)

    def mapped(function: Callable[[Any], Any], items: Iterable[Any]) -> Iterator[Any]:
        waiting: collections.deque[concurrent.futures.Future[Any]] = collections.deque()
        for item in items:
            waiting.append(pool.submit(function, item))
            if len(waiting) > calls:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()

    try:
        yield mapped
    finally:
        pool.shutdown(cancel_futures=True)
