"""Runs a frozen encoder over all examples, once, and stores what it gives."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from hub_estimator.training.encoders import Encoder
from hub_estimator.training.example_spec import ExampleSpec
from hub_estimator.training.feature_cache.progress import Progress
from hub_estimator.training.feature_cache.shards import shard_rows
from hub_estimator.training.feature_cache.store import Entry
from hub_estimator.training.inputs.failures import clear_errors
from hub_estimator.training.inputs.memory import InMemory

_BATCH_SIZE = 256
"""The least number of texts or rows of numbers to run at once; images are as many as in training."""
# What sums in another order may differ by; what chance makes differs by more.
_RELATIVE, _ABSOLUTE = 1e-3, 1e-5


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
            features = self._iterator.get_next()
            (self._output,) = self._encoder(features, used).outputs
            # Fetched too: an output need not depend on the batch.
            self._rows = tf.shape(features[self._names[0]])[0]
            self._start = tf.group(
                tf.compat.v1.global_variables_initializer(),
                tf.compat.v1.local_variables_initializer(),
                tf.compat.v1.tables_initializer(),
            )
        self.width = int(self._output.shape[1])

    def __call__(self, entry: Entry) -> None:
        """Computes what is missing of an entry.

        Raises:
          NotStorableError: chance is in the outputs, or they are not one for each example.
        """
        rows, count = shard_rows(self.width), self._source.num_examples
        done = min(entry.rows_there(self.width), count)
        what = f"outputs of encoder {self._encoder.name!r}"
        with (
            clear_errors(),
            self._graph.as_default(),
            tf.compat.v1.Session() as session,
            Progress(what, count).shown(done) as progress,
        ):
            session.run(self._start)
            for number, shard in enumerate(self._shards(session, done), done // rows):
                entry.write_shard(number, shard)
                progress.add(len(shard))
        entry.complete(count, f"{self._encoder.handle!r}")

    def _batches(self, first: int) -> tf.data.Dataset:
        specs = [self._spec.features[name] for name in self._names]
        is_image = any((spec.shape.rank or 0) > 2 for spec in specs)
        size = self._source.batch_size if is_image else max(self._source.batch_size, _BATCH_SIZE)
        return self._source.rows_fn(self._spec, self._names, first, size)()

    def _shards(self, session: Any, first: int) -> Iterator[np.ndarray]:
        """Gives the outputs from row `first` on, shard by shard."""
        rows, waiting, count = shard_rows(self.width), [], 0
        for values in self._outputs(session, first):
            waiting.append(values)
            count += len(values)
            while count >= rows:
                joined = np.concatenate(waiting)
                yield joined[:rows]
                waiting, count = [joined[rows:]], count - rows
        if count:
            yield np.concatenate(waiting)

    def _outputs(self, session: Any, first: int) -> Iterator[np.ndarray]:
        """Gives the outputs of each batch from row `first` on, if those of one are repeatable."""
        start = self._iterator.make_initializer(self._batches(first))
        before = next(self._pass(session, start), np.empty(0))
        for number, values in enumerate(self._pass(session, start)):
            if not (number or np.allclose(values, before, _RELATIVE, _ABSOLUTE, equal_nan=True)):
                raise NotStorableError("it gives other outputs each time")
            yield values

    def _pass(self, session: Any, start: Any) -> Iterator[np.ndarray]:
        session.run(start)
        run = session.make_callable([self._output, self._rows])
        while True:
            try:
                values, rows = run()
            except tf.errors.OutOfRangeError:
                return
            if len(values) != rows:
                raise NotStorableError("it gives another number of outputs than there are examples")
            yield values
