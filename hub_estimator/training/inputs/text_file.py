"""Examples from a CSV or TSV file of texts and numeric labels."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Mapping

import numpy as np
import tensorflow as tf

from hub_estimator import errors, files
from hub_estimator.training import checks
from hub_estimator.training.example_spec import ExampleSpec, LabelSpec
from hub_estimator.training.inputs import tables
from hub_estimator.training.inputs.base import InputFn, Order


class TextFile:
    """A CSV or TSV file of texts and numeric labels, whose first row names the columns.

    Args:
      path: the file, which may be compressed with gzip.
      texts: the column of each text feature, by feature name; a feature is `[B]` strings.
      label: the column of the labels; `[B]`, int64 where all are whole numbers, else float32.
      batch_size: `B`.
      delimiter: what separates the fields; None is a tab for `.tsv`, else a comma.

    Raises:
      errors.ModelError: a setting is of another type or size.
    """

    def __init__(
        self,
        path: files.PathLike,
        texts: Mapping[str, str] | None = None,
        label: str = "label",
        batch_size: int = 128,
        delimiter: str | None = None,
    ) -> None:
        if not isinstance(path, (str, bytes, os.PathLike)) or not path:
            raise errors.ModelError(f"TextFile.path is {path!r}; it must be a path in quotes.")
        if not isinstance(texts, (Mapping, type(None))):
            raise errors.ModelError(
                f"TextFile.texts is {texts!r}; give it a dict, as in {{'text': 'review'}}."
            )
        if delimiter is not None and (not isinstance(delimiter, str) or len(delimiter) != 1):
            raise errors.ModelError(f"TextFile.delimiter is {delimiter!r}; it must be one letter.")
        checks.text("TextFile.label", label)
        checks.whole_number("TextFile.batch_size", batch_size)
        self.path = files.as_path(path)
        self._texts = dict(texts or {"text": "text"})
        self._label = label
        self._batch_size = batch_size
        self._delimiter = delimiter

    @property
    def feature_names(self) -> list[str]:
        """The names of the features."""
        return sorted(self._texts)

    @property
    def num_examples(self) -> int:
        """The number of examples; reads the file."""
        return len(self._labels)

    @property
    def class_names(self) -> tuple[str, ...] | None:
        """None: the labels are numbers."""
        return None

    def check(self, spec: ExampleSpec) -> None:
        """Reads the file.

        Args:
          spec: what the model takes.

        Raises:
          errors.DataFileNotFoundError: there is no such file.
          errors.DataFileError: it cannot be read.
          errors.ColumnNotFoundError: it lacks a column.
          errors.LabelError: a label is not a number or not a class.
        """
        labels = self._labels
        if isinstance(spec.labels, LabelSpec) and spec.labels.kind == "class":
            tables.check_labels(self.path, labels, spec.labels.size)

    def training_fn(self, spec: ExampleSpec, seed: int, start_step: Callable[[], int]) -> InputFn:
        """Returns the `input_fn` for training: every epoch in another order, without end.

        A step's batch depends on the seed and the step alone, so training that goes on after an
        interruption sees what it would have seen without one.
        """

        def input_fn() -> tf.data.Dataset:
            steps = tf.data.Dataset.range(start_step(), np.iinfo(np.int64).max)
            order = Order(self.num_examples, self._batch_size, seed)
            return self._batches(steps, order.batch)

        return input_fn

    def evaluation_fn(self, spec: ExampleSpec) -> InputFn:
        """Returns the `input_fn` for evaluation: each example once, in the file's order."""

        def input_fn() -> tf.data.Dataset:
            steps = tf.data.Dataset.range(-(-self.num_examples // self._batch_size))
            return self._batches(steps, self._rows_in_order)

        return input_fn

    def _rows_in_order(self, step: int) -> np.ndarray:
        start = step * self._batch_size
        return np.arange(start, min(start + self._batch_size, self.num_examples))

    def _batches(
        self, steps: tf.data.Dataset, rows_of_step: Callable[[int], np.ndarray]
    ) -> tf.data.Dataset:
        names = self.feature_names

        def gather(step: np.ndarray) -> list[np.ndarray]:
            rows = rows_of_step(int(step))
            return [*(self._columns[name][rows] for name in names), self._labels[rows]]

        def load(step: tf.Tensor) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
            types = [tf.string] * len(names) + [tf.as_dtype(self._labels.dtype)]
            # The texts stay in Python: as constants they would be in every saved graph.
            tensors = tf.numpy_function(gather, [step], types)
            for tensor in tensors:
                tensor.set_shape([None])
            return dict(zip(names, tensors[:-1], strict=True)), tensors[-1]

        return steps.map(load).prefetch(4)

    @functools.cached_property
    def _table(self) -> dict[str, list[str]]:
        columns = dict.fromkeys([*self._texts.values(), self._label])
        return tables.read_columns(self.path, list(columns), self._delimiter)

    @functools.cached_property
    def _columns(self) -> dict[str, np.ndarray]:
        table = self._table
        return {
            name: np.array([value.encode("utf-8") for value in table[column]], dtype=object)
            for name, column in self._texts.items()
        }

    @functools.cached_property
    def _labels(self) -> np.ndarray:
        return tables.parse_labels(self.path, self._table[self._label])
