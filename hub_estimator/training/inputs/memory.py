"""Inputs whose examples all fit into memory: batches are gathered from arrays."""

from __future__ import annotations

import abc
import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from hub_estimator import files
from hub_estimator.training import checks
from hub_estimator.training.example_spec import ExampleSpec, Labels
from hub_estimator.training.inputs.base import InputFn, Order, Share, check_spec
from hub_estimator.training.inputs.failures import plain
from hub_estimator.training.inputs.values import Column

# One head's labels, or those of each head of a multi-head by its name.
LabelColumns = Column | Mapping[str, Column]

_PREFETCHED = 8
"""How many batches are made ahead of the model."""


@dataclasses.dataclass(frozen=True)
class Examples:
    """All examples of an input, `N` of them.

    Attributes:
      features: the values of each feature by name.
      labels: the labels; None where they were not asked for.
      num_examples: `N`.
    """

    features: Mapping[str, Column]
    labels: LabelColumns | None
    num_examples: int


class InMemory(abc.ABC):
    """What inputs share that hold all examples, or the names of their files, in memory.

    Args:
      batch_size: `B`.

    Raises:
      errors.ModelError: `batch_size` is no positive whole number.
    """

    def __init__(self, batch_size: int) -> None:
        checks.whole_number(f"{type(self).__name__}.batch_size", batch_size)
        self._batch_size = batch_size
        self._last: tuple[ExampleSpec, Examples] | None = None

    @property
    @abc.abstractmethod
    def feature_names(self) -> list[str]:
        """The names of the features that it can give, sorted."""

    @property
    @abc.abstractmethod
    def num_examples(self) -> int:
        """The number of examples."""

    @property
    @abc.abstractmethod
    def class_names(self) -> tuple[str, ...] | None:
        """The names of the classes where the data has them, else None."""

    @abc.abstractmethod
    def _read(
        self, spec: ExampleSpec, labels: Labels | None, path: files.PathLike | None
    ) -> Examples:
        """Reads the examples as the model takes them.

        Args:
          spec: what the model takes; its features are those to read.
          labels: the labels to read; None reads none.
          path: other data of the same form; None is the input's own.
        """

    def _finish(
        self, batches: tf.data.Dataset, spec: ExampleSpec, seed: int | None
    ) -> tf.data.Dataset:
        """Makes the batches what the model takes, where the arrays are not.

        Args:
          batches: the number of each batch, and the batch.
          spec: what the model takes.
          seed: what training's random changes depend on; None makes none.
        """
        del spec, seed
        return batches.map(plain(lambda number, *batch: batch if len(batch) > 1 else batch[0]))

    def check(self, spec: ExampleSpec) -> None:
        """Reads all examples.

        Args:
          spec: what the model takes.

        Raises:
          errors.Error: the data is missing, or is not what the model takes; the message says where.
        """
        self._examples(spec)

    def training_fn(self, spec: ExampleSpec, seed: int, start_step: Callable[[], int]) -> InputFn:
        """Returns the `input_fn` for training: every epoch in another order, without end.

        A step's batch depends on the seed and the step alone, so training that goes on after an
        interruption sees what it would have seen without one. Several workers see batches of their
        own.
        """

        def input_fn(
            input_context: tf.distribute.InputContext | None = None, config: Any = None
        ) -> tf.data.Dataset:
            share = Share.of(input_context, config)
            examples = self._examples(spec)
            first = share.first_batch(start_step()) * share.count + share.index
            numbers = tf.data.Dataset.range(first, np.iinfo(np.int64).max, share.count)
            order = Order(examples.num_examples, self._batch_size, seed)
            return self._batches(numbers, order.batch, examples, spec, seed)

        return input_fn

    def evaluation_fn(self, spec: ExampleSpec) -> InputFn:
        """Returns the `input_fn` for evaluation: each example once, in the data's order."""

        def input_fn(
            input_context: tf.distribute.InputContext | None = None,
        ) -> tf.data.Dataset:
            return self._in_order(self._examples(spec), spec, Share.of(input_context))

        return input_fn

    def prediction_fn(self, spec: ExampleSpec, path: files.PathLike | None = None) -> InputFn:
        """Returns the `input_fn` for prediction: the features of each example once, in order.

        Args:
          spec: what the model takes; its labels need not be in the data.
          path: other data of the same form to read instead; None is the input's own.
        """

        predicted = spec.without_weights()

        def input_fn() -> tf.data.Dataset:
            check_spec(self, predicted)
            return self._in_order(self._read(predicted, None, path), predicted, Share())

        return input_fn

    def _examples(self, spec: ExampleSpec) -> Examples:
        if self._last is None or self._last[0] != spec:
            check_spec(self, spec)
            self._last = spec, self._read(spec, spec.labels, None)
        return self._last[1]

    def _in_order(self, examples: Examples, spec: ExampleSpec, share: Share) -> tf.data.Dataset:
        size, end = self._batch_size, examples.num_examples
        numbers = tf.data.Dataset.range(share.index, -(-end // size), share.count)
        return self._batches(
            numbers,
            lambda number: np.arange(number * size, min((number + 1) * size, end)),
            examples,
            spec,
        )

    def _batches(
        self,
        numbers: tf.data.Dataset,
        rows_of: Callable[[int], np.ndarray],
        examples: Examples,
        spec: ExampleSpec,
        seed: int | None = None,
    ) -> tf.data.Dataset:
        structure: tuple[Any, ...] = (dict(examples.features),)
        if examples.labels is not None:
            structure = (*structure, examples.labels)
        columns = tf.nest.flatten(structure)

        def gather(number: np.ndarray) -> list[np.ndarray]:
            rows = rows_of(int(number))
            return [column[rows] for column in columns]

        def load(number: tf.Tensor) -> tuple[Any, ...]:
            # The values stay in Python: as constants they would be in every saved graph.
            tensors = tf.numpy_function(gather, [number], [_dtype(each) for each in columns])
            for tensor, column in zip(tensors, columns, strict=True):
                tensor.set_shape([None, *column.shape[1:]])
            return number, *tf.nest.pack_sequence_as(structure, tensors)

        return self._finish(numbers.map(plain(load)), spec, seed).prefetch(_PREFETCHED)


def _dtype(column: Column) -> tf.DType:
    return tf.string if column.dtype == object else tf.as_dtype(column.dtype)
