"""What every kind of labels says of itself, so that nothing above needs to know which kind it is."""

from __future__ import annotations

import abc
import dataclasses
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import tensorflow as tf

from hub_estimator import errors
from hub_estimator.training.cells import Cells
from hub_estimator.training.labels.predicted_and_true import Contents, Outcomes
from hub_estimator.training.labels.prediction_lines import Form, Part


@dataclasses.dataclass(frozen=True)
class LabelSpec(abc.ABC):
    """The labels that one head takes.

    A new kind is a subclass, and the line in `model/heads.py` that says which head takes it.

    Attributes:
      size: how many numbers the head predicts for an example: of classes `K`.
    """

    size: int = 1

    is_known: ClassVar[bool] = True
    """Whether it is known what the head predicts, and that it takes no features but weights."""

    # What they are.

    @property
    @abc.abstractmethod
    def dtype(self) -> tf.DType:
        """The type of the labels as the head takes them."""

    @property
    def class_names(self) -> tuple[str, ...] | None:
        """The names of the classes in the order of their numbers; None where they have none."""
        return None

    def with_class_names(self, names: tuple[str, ...]) -> LabelSpec:
        """Returns the labels with names for their classes, where they have classes but no names."""
        del names
        return self

    # How they are read.

    @abc.abstractmethod
    def read_columns(self, columns: Sequence[Cells], setting: str, separator: str) -> np.ndarray:
        """Returns the labels of all rows of a table, as the head takes them.

        Args:
          columns: the columns that were named, at least one; each value a text, a number, or a list
            of them, or all an array `[N, ...]`.
          setting: what messages call the setting that names them, such as `"TextFile.label"`.
          separator: what is between the classes of an example in one text.

        Returns:
          `[N]` or `[N, size]`; texts are bytes and of type object.

        Raises:
          errors.LabelError: a label is none that the head takes; the message says where.
          errors.PartsMismatchError: there are other columns than the head needs.
        """

    @property
    def stored_shape(self) -> tuple[int, ...] | None:
        """The shape of an example's label in files of records and datasets; None is any length."""
        return ()

    @abc.abstractmethod
    def read_tensors(self, stored: Any, where: tf.Tensor) -> tf.Tensor:
        """Converts a batch of labels in the graph.

        Args:
          stored: numbers or texts, `[B, *stored_shape]`; of any length `[B, T]`, and which of them
            are there, bool `[B, T]`.
          where: string `[B]`, what messages call the place of each.

        Returns:
          What the head takes. A label that it does not take fails the step.
        """

    def wanted_instead(self, stored: tf.DType) -> str:
        """Returns what messages say that the model takes, where labels cannot be of a type.

        Args:
          stored: the type.

        Returns:
          A few words; empty where they may be of it.
        """
        del stored
        return ""

    def wanted_instead_in_records(self, stored: tf.DType) -> str:
        """Returns what `wanted_instead` does, of files of records, whose types say more."""
        return self.wanted_instead(stored)

    def from_one_class(
        self, numbers: np.ndarray, names: tuple[str, ...], what: str
    ) -> np.ndarray | None:
        """Returns the labels of examples of which each is of one class.

        Args:
          numbers: the number of each one's class, int64 `[N]`.
          names: the names of the classes.
          what: what messages call the data, such as `"The folder 'images'"`.

        Returns:
          `[N]`; None where the head takes something else than classes.

        Raises:
          errors.LabelError: these are other classes than the head's.
        """
        del numbers, names, what
        return None

    # What the head predicts, and what is true.

    @property
    @abc.abstractmethod
    def prediction_key(self) -> str:
        """Which of the head's predictions tell all, float32 `[B, size]`."""

    @abc.abstractmethod
    def written(self, form: Form, head: str) -> Part:
        """Returns how the head's predictions are written.

        Args:
          form: of the lines.
          head: its name in a model of several heads, for messages; else empty.

        Raises:
          errors.PartsMismatchError: nothing is known of them.
        """

    def for_metrics(self, labels: tf.Tensor) -> tf.Tensor:
        """Returns labels that the head takes as metrics take them: as numbers."""
        return labels

    @abc.abstractmethod
    def truth(self, labels: np.ndarray) -> np.ndarray:
        """Returns labels that the head takes as `report` takes them: as numbers."""

    @abc.abstractmethod
    def report(self, outcomes: Outcomes, title: str, max_classes: int, max_worst: int) -> Contents:
        """Returns what a report shows of the head.

        Args:
          outcomes: its predictions, and what is true.
          title: of what they are, for the pictures.
          max_classes: how many classes a picture has at most, the most frequent ones.
          max_worst: how many mistakes the table of them has at most.
        """


def check_width(setting: str, columns: Sequence[Cells], size: int, what: str) -> None:
    """Checks that there are as many columns as an example has labels.

    Args:
      setting: what messages call the setting that names the columns.
      columns: those of single values.
      size: how many a head takes.
      what: what they hold, such as `"numbers"`.

    Raises:
      errors.PartsMismatchError: there are more or fewer.
    """
    if len(columns) != size:
        raise errors.PartsMismatchError(
            f"{setting} gives {len(columns)} columns of {what}, the model's head takes {size}."
        )
