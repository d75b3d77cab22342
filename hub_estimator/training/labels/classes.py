"""What both kinds of classes have: names, and numbers for these."""

from __future__ import annotations

import abc
import dataclasses
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from hub_estimator import errors, texts
from hub_estimator.training import cells, step_checks
from hub_estimator.training.cells import Cells
from hub_estimator.training.labels.class_counts import Classes
from hub_estimator.training.labels.label_spec import LabelSpec

_NO_NAMES = (
    "is not a number. To have classes by name, list the names in the input's class_names or in the "
    "head's label_vocabulary"
)


@dataclasses.dataclass(frozen=True)
class ClassLabels(LabelSpec):
    """Labels of `size` classes, `K`.

    Attributes:
      class_names: the names of the classes, in the order of their numbers; None where they have none.
    """

    class_names: tuple[str, ...] | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the classes; their numbers where they have none."""
        return self.class_names or tuple(map(str, range(self.size)))

    @property
    def dtype(self) -> tf.DType:
        """Int64."""
        return tf.int64

    def with_class_names(self, names: tuple[str, ...]) -> LabelSpec:
        """Returns the labels with these names, where they have none."""
        if self.class_names is not None:
            return self
        return dataclasses.replace(self, class_names=names)

    @abc.abstractmethod
    def names_in_columns(self, columns: Sequence[Cells], separator: str) -> tuple[str, ...] | None:
        """Returns the names of classes that the labels in a table are, in the order of letters.

        Args:
          columns: see `read_columns`.
          separator: see `read_columns`.

        Returns:
          The names; None where a label, or a part of one, is something else, such as a number.
        """

    @abc.abstractmethod
    def classes_in_columns(
        self, columns: Sequence[Cells], names: Sequence[Any], setting: str, separator: str
    ) -> Classes:
        """Returns the classes of the labels in a table, counted.

        Args:
          columns: see `read_columns`.
          names: what the table calls the columns.
          setting: see `read_columns`.
          separator: see `read_columns`.

        Raises:
          errors.Error: see `read_columns`.
        """

    @abc.abstractmethod
    def texts_of_stored(self, stored: Any) -> list[str]:
        """Returns the classes of a batch of labels as texts, of each example each class once.

        Args:
          stored: what `read_tensors` takes, as arrays.
        """

    def wanted_instead_in_records(self, stored: tf.DType) -> str:
        """A list of floats holds neither numbers nor names of classes."""
        if stored != tf.float32:
            return ""
        return "classes: an int64_list of their numbers, or a bytes_list of their names"

    @property
    def prediction_key(self) -> str:
        """The probabilities of the classes."""
        return "probabilities"

    def numbers_of_cells(self, values: Cells, are_names: bool = False) -> np.ndarray:
        """Returns the numbers of classes in a column, int64 `[N]`.

        Args:
          values: one class each, by its number or its name.
          are_names: whether these are names in any case; else one that is a name decides.

        Raises:
          errors.LabelError: a value is no class.
        """
        for number, value in enumerate(values.values):
            if isinstance(value, (list, tuple, dict, np.ndarray)):
                values.refuse(number, "is no single class, as the model's head takes")
        if not self.class_names or not (are_names or self._has_names(values.values)):
            return self._checked_numbers(values)
        numbers_by_name = {name: number for number, name in enumerate(self.class_names)}
        named = dataclasses.replace(values, values=[_text(value) for value in values.values])
        numbers = np.array([numbers_by_name.get(name, -1) for name in named.values], np.int64)
        if (numbers < 0).any():
            there = texts.shown_names(self.class_names)
            named.refuse(
                int(np.argmax(numbers < 0)), f"is not a class of the model's head. It has: {there}"
            )
        return numbers

    def _has_names(self, values: Sequence[Any] | np.ndarray) -> bool:
        """Whether labels name their classes; one that does decides, as names may be numbers."""
        if isinstance(values, np.ndarray) and values.dtype.kind in "iufb":
            return False
        names = set(self.class_names or ())
        given = [_text(value) for value in values if isinstance(value, (str, bytes))]
        return not names.isdisjoint(given) or not all(map(cells.is_number, values))

    def _checked_numbers(self, values: Cells) -> np.ndarray:
        if self.class_names is None:
            values = dataclasses.replace(values, no_number=_NO_NAMES)
        numbers = cells.parse_numbers(values)
        wrong = (numbers < 0) | (numbers >= self.size) | (numbers != np.floor(numbers))
        if wrong.any():
            shown = [int(number) if number.is_integer() else number for number in numbers.tolist()]
            dataclasses.replace(values, values=shown).refuse(
                int(np.argmax(wrong)),
                f"is not a class of the model's head, which takes 0 to {self.size - 1}",
            )
        return numbers.astype(np.int64)

    def numbers_of_tensor(self, stored: tf.Tensor, where: tf.Tensor) -> tf.Tensor:
        """Returns the numbers of classes in a batch, int64 `[N]`.

        Args:
          stored: numbers or names, `[N]`; one that is no class fails the step.
          where: string `[N]`, what messages call the place of each.
        """
        if stored.dtype != tf.string:
            numbers = tf.cast(stored, tf.int64)
            is_whole = tf.equal(tf.cast(numbers, stored.dtype), stored)
            known = is_whole & (numbers >= 0) & (numbers < self.size)
            there = f", which takes 0 to {self.size - 1}."
        elif self.class_names is None:
            numbers, known = tf.zeros_like(stored, tf.int64), tf.zeros_like(stored, tf.bool)
            there = (
                ", whose classes have no names. List them in the input's class_names or in the "
                "head's label_vocabulary."
            )
        else:
            same = tf.equal(stored[:, tf.newaxis], tf.constant(self.class_names))
            numbers, known = tf.argmax(same, axis=1), tf.reduce_any(same, axis=1)
            there = f". It has: {texts.shown_names(self.class_names)}."
        why = f"is not a class of the model's head{there}"
        with tf.control_dependencies([_refuse_first(known, stored, where, why)]):
            return tf.identity(numbers)


def names_among(values: Iterable[Any]) -> tuple[str, ...] | None:
    """Returns the different names that labels are, sorted; None where one is none."""
    found = set()
    for value in values:
        if not isinstance(value, (str, bytes)) or not value or cells.is_number(value):
            return None
        found.add(_text(value))
    return tuple(sorted(found)) or None


def _text(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return str(value) if isinstance(value, (int, np.integer)) else value


def _refuse_first(known: tf.Tensor, stored: tf.Tensor, where: tf.Tensor, why: str) -> tf.Tensor:
    """Fails the step with the first label that is wrong.

    Args:
      known: which labels are right, bool `[N]`.
      stored: the labels `[N]`.
      where: what messages call the place of each, string `[N]`.
      why: what messages say of one that is wrong.
    """

    def message() -> tf.Tensor:
        first = tf.argmin(tf.cast(known, tf.int32))
        label = stored[first]
        is_text = stored.dtype == tf.string
        label = step_checks.shown(label) if is_text else tf.strings.as_string(label)
        return tf.strings.join(["The label ", label, " in ", where[first], f" {why}"])

    return step_checks.fail_unless(tf.reduce_all(known), errors.LabelError, message)
