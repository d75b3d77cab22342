"""Inputs whose examples all fit into memory: batches are gathered from arrays."""

from __future__ import annotations

import abc
import copy
import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from hub_estimator import files
from hub_estimator.digests import Digest
from hub_estimator.training import checks
from hub_estimator.training.example_spec import ExampleSpec, Labels
from hub_estimator.training.inputs.base import InputFn, Order, Share, check_spec
from hub_estimator.training.inputs.failures import plain
from hub_estimator.training.inputs.parts import Part
from hub_estimator.training.inputs.values import Column, add_column, batch_shape
from hub_estimator.training.labels.class_counts import Classes

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
      kept: what is kept beside the features, by the names that `kept` gives it.
    """

    features: Mapping[str, Column]
    labels: LabelColumns | None
    num_examples: int
    kept: Mapping[str, Column] = dataclasses.field(default_factory=dict)


class InMemory(abc.ABC):
    """What inputs share that hold all examples, or the names of their files, in memory.

    Args:
      batch_size: `B`, the number of examples in a step.

    Raises:
      errors.InvalidSettingError: `batch_size` is no positive whole number.
    """

    _is_tuned = False
    """Whether `_finish` does work of which TensorFlow chooses how much to do at once."""

    def __init__(self, batch_size: int) -> None:
        checks.whole_number(f"{type(self).__name__}.batch_size", batch_size)
        self._batch_size = batch_size
        self._last: tuple[ExampleSpec, Examples] | None = None
        self._further: dict[str, Column] = {}
        self._whole: InMemory = self
        self._part: Part | None = None

    @property
    def batch_size(self) -> int:
        """`B`."""
        return self._batch_size

    @property
    def paths(self) -> Sequence[str]:
        """The files and folders that it reads; none where it reads none."""
        return ()

    @property
    def is_augmented(self) -> bool:
        """Whether training changes the features of examples by chance."""
        return False

    @property
    def always_kept(self) -> tuple[str, ...]:
        """Under which names it says of each example which one it is, asked or not."""
        return ()

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

    def count_classes(self, labels: Labels) -> dict[str, Classes]:
        """Returns the classes that the data has, counted.

        Args:
          labels: what the model's head takes, or each head by its name.

        Returns:
          By the names of heads; of a model's only head by "". Heads of other labels have none.

        Raises:
          errors.Error: the data is missing, or has other labels; the message says where. Or it is a
            part to train on, without a class that the whole data has.
        """
        found = self._count_classes(labels)
        if self._part is not None:
            other = self._whole
            whole = other._count_classes(labels)
            for head, own in found.items():
                self._part.check_classes(own, whole[head], self._name)
        return found

    @abc.abstractmethod
    def _count_classes(self, labels: Labels) -> dict[str, Classes]:
        """Returns the classes that the data has; see `count_classes`."""

    @property
    @abc.abstractmethod
    def _name(self) -> str:
        """What messages call the data."""

    def divided(self, fraction: float, batch_size: int | None = None) -> tuple[InMemory, InMemory]:
        """Returns what is left to train on, and what is held out to evaluate on; see `parts`.

        Args:
          fraction: how much to hold out.
          batch_size: that of what is held out; None is that of this input.
        """
        other = self._whole  # of an input that is a part already
        held_out = other._part_of(Part(fraction, True), batch_size or self._batch_size)
        return other._part_of(Part(fraction, False), self._batch_size), held_out

    def _part_of(self, part: Part, batch_size: int) -> InMemory:
        other = copy.copy(self)
        other._whole, other._part, other._last = self, part, None
        other._batch_size = batch_size
        return other

    @abc.abstractmethod
    def _read(
        self,
        spec: ExampleSpec,
        labels: Labels | None,
        path: files.PathLike | None,
        keep: Sequence[str] = (),
    ) -> Examples:
        """Reads the examples as the model takes them.

        Args:
          spec: what the model takes; its features are those to read.
          labels: the labels to read; None reads none.
          path: other data of the same form; None is the input's own.
          keep: what to keep beside the features.
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
        if self._part is not None:
            self.count_classes(spec.labels)

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

    def evaluation_fn(self, spec: ExampleSpec, keep: Sequence[str] = ()) -> InputFn:
        """Returns the `input_fn` for evaluation: each example once, in the data's order.

        Args:
          spec: what the model takes.
          keep: what of the data to keep beside the features, by name; see `kept`.
        """

        def input_fn(
            input_context: tf.distribute.InputContext | None = None,
        ) -> tf.data.Dataset:
            read = self._read(spec, spec.labels, None, keep) if keep else self._examples(spec)
            return self._in_order(read, spec, Share.of(input_context))

        return input_fn

    def prediction_fn(
        self, spec: ExampleSpec, path: files.PathLike | None = None, keep: Sequence[str] = ()
    ) -> InputFn:
        """Returns the `input_fn` for prediction: the features of each example once, in order.

        Args:
          spec: what the model takes; its labels need not be in the data.
          path: other data of the same form to read instead; None is the input's own.
          keep: what of the data to keep beside the features, by name; see `kept`.
        """
        predicted = spec.without_weights()

        def input_fn() -> tf.data.Dataset:
            check_spec(self, predicted)
            return self._in_order(self._read(predicted, None, path, keep), predicted, Share())

        return input_fn

    def rows_fn(
        self, spec: ExampleSpec, names: Iterable[str], first: int, batch_size: int
    ) -> InputFn:
        """Returns an `input_fn` that gives features of the examples from `first` on, in order.

        Args:
          spec: what the model takes.
          names: the features.
          first: the number of the first example, from 0.
          batch_size: how many to give at once.
        """

        def input_fn() -> tf.data.Dataset:
            read = self._examples(spec)
            features = {name: read.features[name] for name in names}
            examples = dataclasses.replace(read, features=features, labels=None)
            wanted = {name: spec.features[name] for name in names}
            narrow = dataclasses.replace(spec, features=wanted)
            return self._in_order(examples, narrow, Share(), first, batch_size)

        return input_fn

    def with_features(self, features: Mapping[str, Column]) -> InMemory:
        """Returns this input with features added that come as they are, whatever the model takes.

        Args:
          features: the values for each example by feature name.
        """
        other = copy.copy(self)
        other._further = dict(features)
        return other

    def digest(self, spec: ExampleSpec, names: Iterable[str]) -> str:
        """Returns a digest of the values of features, of all examples in their order.

        Args:
          spec: what the model takes.
          names: the features.
        """
        examples, digest = self._examples(spec), Digest()
        for name in sorted(names):
            digest.add(name)
            self._add_column(digest, examples.features[name])
        return digest.hexadecimal()

    def _add_column(self, digest: Digest, column: Column) -> None:
        """Adds all that the values of a feature follow from to a digest."""
        add_column(digest, column)

    def _examples(self, spec: ExampleSpec) -> Examples:
        if self._last is None or self._last[0] != spec:
            check_spec(self, spec)
            self._last = spec, self._read(spec, spec.labels, None)
        return self._last[1]

    def _in_order(
        self,
        examples: Examples,
        spec: ExampleSpec,
        share: Share,
        first: int = 0,
        batch_size: int | None = None,
    ) -> tf.data.Dataset:
        size, end = batch_size or self._batch_size, examples.num_examples
        numbers = tf.data.Dataset.range(share.index, -(-(end - first) // size), share.count)

        def rows_of(number: int) -> np.ndarray:
            start = first + number * size
            return np.arange(start, min(start + size, end))

        return self._batches(numbers, rows_of, examples, spec)

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
        batches = self._finish(_gathered(numbers, rows_of, structure), spec, seed)
        as_they_are = {**self._further, **examples.kept}
        if as_they_are:
            further = _gathered(numbers, rows_of, (as_they_are,))
            batches = tf.data.Dataset.zip((batches, further)).map(plain(_merged))
        options = tf.data.Options()
        # A session that is closed waits for the tuning, 0.3 s.
        options.autotune.enabled = self._is_tuned
        return batches.prefetch(_PREFETCHED).with_options(options)


def _gathered(
    numbers: tf.data.Dataset, rows_of: Callable[[int], np.ndarray], structure: tuple[Any, ...]
) -> tf.data.Dataset:
    """Returns the number of each batch, and the batch of a structure of columns."""
    columns = tf.nest.flatten(structure)

    def gather(number: np.ndarray) -> list[np.ndarray]:
        rows = rows_of(int(number))
        return [column[rows] for column in columns]

    def load(number: tf.Tensor) -> tuple[Any, ...]:
        # The values stay in Python: as constants they would be in every saved graph.
        tensors = tf.numpy_function(gather, [number], [_dtype(stored) for stored in columns])
        for tensor, column in zip(tensors, columns, strict=True):
            tensor.set_shape(batch_shape(column))
        return number, *tf.nest.pack_sequence_as(structure, tensors)

    return numbers.map(plain(load))


def _merged(batch: Any, further: tuple[Any, dict[str, Any]]) -> Any:
    """Returns a batch with further features."""
    features, *labels = batch if isinstance(batch, tuple) else (batch,)
    features = {**features, **further[1]}
    return (features, *labels) if labels else features


def _dtype(column: Column) -> tf.DType:
    return tf.string if column.dtype == object else tf.as_dtype(column.dtype)
