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
        rows, done = shard_rows(self.width), entry.rows_there(self.width)
        what = f"outputs of encoder {self._encoder.name!r}"
        with (
            clear_errors(),
            self._graph.as_default(),
            tf.compat.v1.Session() as session,
            Progress(what, self._source.num_examples).shown(done) as progress,
        ):
            session.run(self._start)
            self._check_repeatable(session)
            for number, shard in enumerate(self._shards(session, done), done // rows):
                entry.write_shard(number, shard)
                progress.add(len(shard))
        entry.complete(self._source.num_examples, f"{self._encoder.handle!r}")

    def _batches(self, first: int) -> tf.data.Dataset:
        specs = [self._spec.features[name] for name in self._names]
        is_image = any((spec.shape.rank or 0) > 2 for spec in specs)
        size = self._source.batch_size if is_image else max(self._source.batch_size, _BATCH_SIZE)
        return self._source.rows_fn(self._spec, self._names, first, size)()

    def _check_repeatable(self, session: Any) -> None:
        initializer = self._iterator.make_initializer(self._batches(0))
        values = []
        for _ in range(2):
            session.run(initializer)
            values.append(session.run(self._output))
        first, second = values
        if not np.allclose(first, second, _RELATIVE, _ABSOLUTE, equal_nan=True):
            raise NotStorableError("it gives other outputs each time")

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
        session.run(self._iterator.make_initializer(self._batches(first)))
        run = session.make_callable([self._output, self._rows])
        while True:
            try:
                values, rows = run()
            except tf.errors.OutOfRangeError:
                return
            if len(values) != rows:
                raise NotStorableError("it gives another number of outputs than there are examples")
            yield values
