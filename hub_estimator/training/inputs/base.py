"""What every input offers the run, and the order in which training sees examples."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
import tensorflow as tf

from hub_estimator import errors, files, texts
from hub_estimator.training.example_spec import ExampleSpec
from hub_estimator.training.labels.label_spec import LabelSpec

# For training an Estimator calls it with those of `input_context` and `config` that it takes; for all
# else without arguments.
InputFn = Callable[..., tf.data.Dataset]


class Input(Protocol):
    """Where the examples come from.

    An `input_fn` gives batches `(features, labels)` that are of the example spec: features by name
    and labels, or the labels of each head by its name.

    It may have more methods: `count_classes` for models that ask for the classes of the training data,
    and `divided` to hold a fraction of it out; see `InMemory`. And `names_in_labels` for models that
    know how many classes there are, but no names of them; see `TableInput`.
    """

    @property
    def feature_names(self) -> list[str]:
        """The names of the features that it can give, sorted."""

    @property
    def num_examples(self) -> int | None:
        """The number of examples; None where counting them means reading them all."""

    @property
    def class_names(self) -> tuple[str, ...] | None:
        """The names of the classes where the data has them (folders, metadata), else None."""

    @property
    def always_kept(self) -> tuple[str, ...]:
        """Under which names it says of each example which one it is, asked or not; see `kept`."""

    def check(self, spec: ExampleSpec) -> None:
        """Reads of the data what it takes to raise a clear error where it cannot be used.

        Args:
          spec: what the model takes.

        Raises:
          errors.Error: what is wrong and where.
        """

    def training_fn(self, spec: ExampleSpec, seed: int, start_step: Callable[[], int]) -> InputFn:
        """Returns the `input_fn` for training, without end.

        It may be called more than once, also before training; each call begins anew.

        Args:
          spec: what the model takes.
          seed: what the order of the examples, and their augmentation, depends on.
          start_step: returns the step at which training goes on.
        """

    def evaluation_fn(self, spec: ExampleSpec, keep: Sequence[str] = ()) -> InputFn:
        """Returns the `input_fn` for evaluation: each example once, in order.

        Args:
          spec: what the model takes.
          keep: what of the data to keep beside the features, by name; see `kept`.
        """

    def prediction_fn(
        self, spec: ExampleSpec, path: files.PathLike | None = None, keep: Sequence[str] = ()
    ) -> InputFn:
        """Returns the `input_fn` for prediction: the features of each example once, in order.

        Args:
          spec: what the model takes; its labels need not be in the data.
          path: other data of the same form to read instead; None is the input's own.
          keep: what of the data to keep beside the features, by name; see `kept`.
        """


def check_spec(source: Input, spec: ExampleSpec) -> None:
    """Checks what can be known of any input before it reads its data.

    Args:
      source: the input.
      spec: what the model takes.

    Raises:
      errors.FeatureNotFoundError: the input does not give a feature.
      errors.LabelError: there are more names of classes than the model has classes, or fewer.
    """
    kind = type(source).__name__
    for name in spec.features:
        if name not in source.feature_names:
            raise errors.FeatureNotFoundError(
                f"The model takes the feature {name!r}, which {kind} does not give. It gives: "
                f"{texts.shown_names(source.feature_names)}."
            )
    for labels in [spec.labels] if isinstance(spec.labels, LabelSpec) else spec.labels.values():
        names = labels.class_names
        if names is not None and len(names) != labels.size:
            raise errors.LabelError(
                f"There are names of {len(names)} classes ({texts.shown_names(names)}), but the "
                f"model's head has {labels.size}."
            )


@dataclasses.dataclass(frozen=True)
class Share:
    """The batches that one worker of several reads: every `count`-th, from `index` on.

    Attributes:
      index: which of the workers this is, from 0.
      count: how many workers there are.
      batches_per_step: how many batches this worker reads while the global step goes on by one.
    """

    index: int = 0
    count: int = 1
    batches_per_step: float = 1.0

    @classmethod
    def of(cls, input_context: tf.distribute.InputContext | None, config: Any = None) -> Share:
        """Returns the share of the process that calls an `input_fn`.

        Args:
          input_context: what a distribution strategy gives; None without one.
          config: the `RunConfig`, from which workers without a strategy know one another.
        """
        if input_context is not None:
            count = input_context.num_input_pipelines
            replicas = max(1, input_context.num_replicas_in_sync // count)
            return cls(input_context.input_pipeline_id, count, float(replicas))
        workers = getattr(config, "num_worker_replicas", 0) or 0
        # The workers share the steps; a parameter server or an evaluator is none of them.
        if workers > 1 and config.task_type in ("chief", "master", "worker"):
            return cls(config.global_id_in_cluster, workers, 1.0 / workers)
        return cls()

    def first_batch(self, step: int) -> int:
        """Returns which of its batches, from 0, this worker reads at a global step."""
        return int(step * self.batches_per_step)


class Order:
    """Which examples the batch of each step has: an endless run of shuffled epochs.

    The batch of a step depends on the seed and the step alone, so training that goes on after an
    interruption sees what it would have seen without one.

    Args:
      num_rows: the number of examples.
      batch_size: `B`, the number of examples in a step.
      seed: chooses the order of each epoch.
    """

    def __init__(self, num_rows: int, batch_size: int, seed: int) -> None:
        self._num_rows = num_rows
        self._batch_size = batch_size
        self._permutation = functools.lru_cache(maxsize=2)(
            lambda epoch: np.random.default_rng([seed, epoch]).permutation(num_rows)
        )

    def batch(self, step: int) -> np.ndarray:
        """Returns the rows of a step's batch, int64 `[B]`."""
        places = np.arange(step * self._batch_size, (step + 1) * self._batch_size)
        epochs, offsets = np.divmod(places, self._num_rows)
        rows = np.empty_like(places)
        for epoch in np.unique(epochs):
            chosen = epochs == epoch
            rows[chosen] = self._permutation(int(epoch))[offsets[chosen]]
        return rows
