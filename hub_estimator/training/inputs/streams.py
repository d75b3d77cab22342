"""Inputs whose examples are read as they are needed, because there may be too many to hold."""

from __future__ import annotations

import abc
import collections
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import tensorflow as tf

from hub_estimator import errors, files
from hub_estimator.training import checks, parsing, step_checks
from hub_estimator.training.example_spec import ExampleSpec, Labels
from hub_estimator.training.inputs.base import InputFn, Share, check_spec
from hub_estimator.training.inputs.batches import elements
from hub_estimator.training.inputs.failures import map_batches, plain
from hub_estimator.training.labels import class_counts
from hub_estimator.training.labels.class_counts import Classes
from hub_estimator.training.labels.classes import ClassLabels
from hub_estimator.training.labels.label_spec import LabelSpec

# The key of the labels, or those of each head of a multi-head by its name.
LabelKeys = str | Mapping[str, str]

_PREFETCHED = 4
"""How many batches are made ahead of the model."""


class Batch(NamedTuple):
    """Some examples as they are read.

    Attributes:
      features: the features as the model takes them.
      labels: the labels as they are stored, by key.
      where: what messages call the place of each example, string `[B]`.
      refused: what is wrong with each example, string `[B]`; empty where nothing is.
      kept: what is kept beside the features, by the names that `kept` gives it.
    """

    features: dict[str, tf.Tensor]
    labels: dict[str, Any]
    where: tf.Tensor
    refused: tf.Tensor
    kept: Mapping[str, tf.Tensor]


class Streamed(abc.ABC):
    """What inputs share that read their examples anew in each epoch.

    Args:
      label: the key of the labels; of several heads, a dict by their names.
      batch_size: `B`, the number of examples in a step.
      shuffle_buffer: how many examples training holds to choose the next one from; 1 leaves their
        order as it is read.
      deterministic: whether the batch of a step depends on the seed and the step alone. Training
        that goes on then reads again what it has seen, without parsing it. If not, examples come in
        the order in which they are ready, and training that goes on begins a new epoch.
      class_names: the names of the classes in the order of their numbers.

    Raises:
      errors.InvalidSettingError: a setting is of another type or size.
    """

    def __init__(
        self,
        label: LabelKeys,
        batch_size: int,
        shuffle_buffer: int,
        deterministic: bool,
        class_names: Sequence[str] | None,
    ) -> None:
        kind = type(self).__name__
        for head, key in label.items() if isinstance(label, Mapping) else [(None, label)]:
            checks.text(f"{kind}.label" if head is None else f"{kind}.label[{head!r}]", key)
        checks.whole_number(f"{kind}.batch_size", batch_size)
        checks.whole_number(f"{kind}.shuffle_buffer", shuffle_buffer)
        if class_names is not None:
            checks.listed(f"{kind}.class_names", class_names, "['bad', 'good']")
        self._label = label if isinstance(label, str) else dict(label)
        self._batch_size = batch_size
        self._shuffle_buffer = shuffle_buffer
        self._deterministic = deterministic
        self._class_names = None if class_names is None else tuple(map(str, class_names))

    @property
    def batch_size(self) -> int:
        """`B`."""
        return self._batch_size

    @property
    @abc.abstractmethod
    def feature_names(self) -> list[str]:
        """The names of the features that it can give, sorted."""

    @property
    @abc.abstractmethod
    def num_examples(self) -> int | None:
        """The number of examples; None where it is not known."""

    @property
    def paths(self) -> Sequence[str]:
        """The files and folders that it reads; none where it reads none."""
        return ()

    @property
    def class_names(self) -> tuple[str, ...] | None:
        """The names of the classes, where they were given."""
        return self._class_names

    @property
    def always_kept(self) -> tuple[str, ...]:
        """Nothing is kept that is not asked for."""
        return ()

    def count_classes(self, labels: Labels) -> dict[str, Classes]:
        """Returns the classes that the data has, counted in one pass; see `InMemory.count_classes`."""
        spec = ExampleSpec({}, labels)
        kinds = {
            key: kind for key, kind in self._keys(labels).items() if isinstance(kind, ClassLabels)
        }
        counted: dict[str, collections.Counter[str]] = {key: collections.Counter() for key in kinds}
        with tf.Graph().as_default():
            examples = self._batched(self._one_epoch(spec, labels, Share(), None, None))
            stored = map_batches(
                examples,
                lambda *batch: dict(self._convert(spec, labels, (), *batch).labels),
                self._message,
            )
            for batch in elements(stored):
                for key, kind in kinds.items():
                    counted[key].update(kind.texts_of_stored(batch[key]))
        heads = {"": self._label} if isinstance(self._label, str) else self._label
        return {
            head: class_counts.classes_of(counted[key], kinds[key].size, kinds[key].class_names)
            for head, key in heads.items()
            if key in kinds
        }

    @abc.abstractmethod
    def check(self, spec: ExampleSpec) -> None:
        """Reads of the data what it takes to raise a clear error where it cannot be used.

        Args:
          spec: what the model takes.

        Raises:
          errors.Error: the data is missing, or is not what the model takes; the message says where.
        """

    @abc.abstractmethod
    def _one_epoch(
        self,
        spec: ExampleSpec,
        labels: Labels | None,
        share: Share,
        seed: int | None,
        path: files.PathLike | None,
        keep: Sequence[str] = (),
    ) -> tf.data.Dataset:
        """Returns a worker's examples as they are stored, tuples of tensors.

        Args:
          spec: the features to read.
          labels: the labels to read; None reads none.
          share: which of the examples this worker reads.
          seed: what the order depends on, another one in each epoch; None is the data's own order.
          path: other data of the same form; None is the input's own.
          keep: what to keep beside the features.
        """

    @abc.abstractmethod
    def _convert(
        self, spec: ExampleSpec, labels: Labels | None, keep: Sequence[str], *batch: Any
    ) -> Batch:
        """Converts a batch."""

    @abc.abstractmethod
    def _message(self, *example: Any) -> tf.Tensor:
        """Returns what is wrong with an example that cannot be converted, string `[]`."""

    def training_fn(self, spec: ExampleSpec, seed: int, start_step: Callable[[], int]) -> InputFn:
        """Returns the `input_fn` for training: every epoch in another order, without end.

        Several workers see examples of their own.
        """

        def input_fn(
            input_context: tf.distribute.InputContext | None = None, config: Any = None
        ) -> tf.data.Dataset:
            check_spec(self, spec)
            share = Share.of(input_context, config)
            start = start_step()
            order = seed if self._deterministic else seed + start
            examples = self._one_epoch(spec, spec.labels, share, order, None)
            if self._shuffle_buffer > 1:
                examples = examples.shuffle(self._shuffle_buffer, seed=order)
            examples = examples.repeat()
            if self._deterministic and start:
                examples = examples.skip(share.first_batch(start) * self._batch_size)
            return self._batches(examples, spec, spec.labels)

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
            check_spec(self, spec)
            share = Share.of(input_context)
            examples = self._one_epoch(spec, spec.labels, share, None, None, keep)
            return self._batches(examples, spec, spec.labels, keep)

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
            examples = self._one_epoch(predicted, None, Share(), None, path, keep)
            return self._batches(examples, predicted, None, keep)

        return input_fn

    def _batches(
        self,
        examples: tf.data.Dataset,
        spec: ExampleSpec,
        labels: Labels | None,
        keep: Sequence[str] = (),
    ) -> tf.data.Dataset:
        batches = map_batches(
            self._batched(examples),
            lambda *batch: self._convert(spec, labels, keep, *batch),
            self._message,
        )

        def finish(batch: Batch) -> Any:
            features = {**_checked(batch, spec), **batch.kept}
            if labels is None:
                return features
            return features, self._labels(labels, batch.labels, batch.where)

        return batches.map(plain(finish)).prefetch(_PREFETCHED)

    def _batched(self, examples: tf.data.Dataset) -> tf.data.Dataset:
        return examples.batch(self._batch_size)

    def _keys(self, labels: Labels) -> dict[str, LabelSpec]:
        """Returns what each key of labels holds."""
        name = f"{type(self).__name__}.label"
        if isinstance(labels, LabelSpec):
            if not isinstance(self._label, str):
                raise errors.PartsMismatchError(
                    f"{name} is {self._label!r}, but the model has one head: give it one key."
                )
            return {self._label: labels}
        if isinstance(self._label, str) or set(self._label) != set(labels):
            raise errors.PartsMismatchError(
                f"{name} is {self._label!r}, but the model has the heads {', '.join(labels)}: give "
                "it a dict with a key for each."
            )
        return {self._label[head]: wanted for head, wanted in labels.items()}

    def _labels(self, labels: Labels, stored: Any, where: tf.Tensor) -> Any:
        if isinstance(labels, LabelSpec):
            return labels.read_tensors(stored[self._label], where)
        assert not isinstance(self._label, str)
        return {
            head: wanted.read_tensors(stored[self._label[head]], where)
            for head, wanted in labels.items()
        }


def _checked(batch: Batch, spec: ExampleSpec) -> dict[str, tf.Tensor]:
    """Returns the features of a batch; a step fails where one is refused, or no finite number."""
    is_right = tf.equal(batch.refused, "")

    def message() -> tf.Tensor:
        return batch.refused[tf.argmin(tf.cast(is_right, tf.int32))]

    right = step_checks.fail_unless(tf.reduce_all(is_right), errors.DataFileError, message)
    with tf.control_dependencies([right]):
        features = {name: tf.identity(feature) for name, feature in batch.features.items()}
    for name, feature in spec.features.items():
        if feature.dtype.is_floating and not parsing.is_image(feature):
            what = ("The value", f" of {name!r}")
            features[name] = step_checks.finite(
                features[name], batch.where, what, errors.DataFileError
            )
    return features


def label_parser(spec: LabelSpec, stored: tf.DType) -> Any:
    """Returns how to parse labels from examples, a member of what `tf.io.parse_example` takes.

    Args:
      spec: what the head takes.
      stored: their type in the example.
    """
    if spec.stored_shape is None:
        return tf.io.RaggedFeature(stored)
    return tf.io.FixedLenFeature(spec.stored_shape, stored)
