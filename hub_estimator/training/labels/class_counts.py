"""What training data tells of the classes of a head: which there are, how many examples each has."""

from __future__ import annotations

import collections
import dataclasses
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from hub_estimator import errors, texts
from hub_estimator.training import cells
from hub_estimator.training.cells import Cells

UNKNOWN = 0
"""The size of labels whose classes the training data has yet to tell."""


@dataclasses.dataclass(frozen=True)
class Classes:
    """The classes of a head.

    Attributes:
      size: how many there are, `K`.
      names: their names in the order of their numbers; None where labels are the numbers.
      counts: how many training examples each has; None where nobody counted.
    """

    size: int
    names: tuple[str, ...] | None = None
    counts: tuple[int, ...] | None = None

    @property
    def shown_names(self) -> tuple[str, ...]:
        """The names; the numbers where there are none."""
        return self.names or tuple(map(str, range(self.size)))

    def balanced_weights(self) -> list[float]:
        """Returns a weight for each class, with which all weigh alike in a loss: `N / (K * count)`.

        `N` is the sum of the counts: where each example has one class, the number of examples.

        Raises:
          errors.LabelError: a class has no example, and so no such weight.
        """
        counts = self.counts or ()
        for number, count in enumerate(counts):
            if not count:
                raise errors.LabelError(
                    f"The class {texts.shown(self.shown_names[number])} has no example in the training data, so there is no balanced "
                    "weight for it. Give class_weights as numbers, or leave the class out."
                )
        return [sum(counts) / (self.size * count) for count in counts]


def text_of(label: Any) -> str:
    """Returns a label as text: a whole number without its fraction, True and False as 1 and 0."""
    if isinstance(label, bytes):
        return label.decode("utf-8", "replace")
    if isinstance(label, (bool, np.bool_)):
        return str(int(label))
    if isinstance(label, (float, np.floating)) and float(label).is_integer():
        return str(int(label))
    return str(label)


def texts_of(values: Cells) -> list[str]:
    """Returns the labels of a column, one class each, as texts.

    Raises:
      errors.LabelError: one is missing, or is no single class.
    """
    found = values.values.tolist() if isinstance(values.values, np.ndarray) else values.values
    for row, value in enumerate(found):
        if isinstance(value, (list, tuple, dict, np.ndarray)):
            values.refuse(row, "is no single class, as the model's head takes")
        if cells.is_missing(value):
            values.refuse(row, "")
    return [text_of(value) for value in found]


def classes_of(
    labels: Iterable[str], size: int = UNKNOWN, names: tuple[str, ...] | None = None
) -> Classes:
    """Returns the classes that labels tell, counted.

    Labels that are the numbers from 0 to some other are numbers; any others are names, in the order
    of numbers where all are numbers, else in that of letters.

    Args:
      labels: those of all examples, as texts; or how many examples have each, a `Counter`.
      size: how many classes there are, where that is known.
      names: their names, where these are known.

    Raises:
      errors.LabelError: there is no label, one is of no class that is known, or they are numbers with
        fractions.
    """
    counted = collections.Counter(labels)
    numbers = _numbers(counted)
    are_numbers = len(numbers) == len(counted)
    if names is not None and not (are_numbers and counted.keys().isdisjoint(names)):
        return Classes(len(names), names, _counts(counted, {name: name for name in counted}, names))
    size = size if names is None else len(names)
    if size == UNKNOWN and not counted:
        raise errors.LabelError("No example of the training data has a class.")
    if size == UNKNOWN and are_numbers:
        size = _size_of(numbers)
    if size == UNKNOWN:
        ordered = tuple(sorted(counted, key=numbers.__getitem__ if are_numbers else str))
        return Classes(len(ordered), ordered, tuple(counted[name] for name in ordered))
    return Classes(size, names, _counts(counted, numbers, range(size)))


def _counts(
    counted: Mapping[str, int], known: Mapping[str, Any], classes: Sequence[Any]
) -> tuple[int, ...]:
    """Returns how many examples each class has.

    Args:
      counted: how many have each label.
      known: the class of each label, or what is none; some may be missing.
      classes: the classes.

    Raises:
      errors.LabelError: a label is of no class.
    """
    counts = dict.fromkeys(classes, 0)
    for label, count in counted.items():
        if known.get(label) not in counts:
            shown = texts.shown_names([str(each) for each in classes])
            raise errors.LabelError(
                f"The label {texts.shown(label)} of the training data is not a class of the model's "
                f"head. It has: {shown}."
            )
        counts[known[label]] += count
    return tuple(counts.values())


def _numbers(counted: Iterable[str]) -> dict[str, float]:
    """Returns the labels that are numbers, with their numbers."""
    numbers = {text: float(text) for text in counted if cells.is_number(text)}
    return {text: number for text, number in numbers.items() if math.isfinite(number)}


def _size_of(numbers: Mapping[str, float]) -> int:
    """Returns how many classes there are where labels are their numbers, from 0 on; else `UNKNOWN`."""
    for text, number in numbers.items():
        if not number.is_integer():
            raise errors.LabelError(
                f"The labels of the training data are numbers, of which {texts.shown(text)} is not "
                "whole: no classes. To predict numbers, take RegressionHead; to have classes all the "
                "same, list them in the head's label_vocabulary."
            )
    there = set(numbers.values())
    return len(there) if there == set(range(len(there))) else UNKNOWN
