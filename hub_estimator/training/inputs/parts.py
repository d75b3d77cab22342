"""A part of the training data, held out to evaluate on: which examples it has, their contents say.

An example is held out where the hash of what is in it, without its label, is below the fraction. So
the same examples are held out whatever their order, the names of files, the seed and the machine
are, and whatever is added to the data; equal examples are on one side; and a greater fraction holds
out all that a smaller one does.
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from hub_estimator import errors, files, texts
from hub_estimator.digests import Digest
from hub_estimator.training import cells
from hub_estimator.training.inputs import presence
from hub_estimator.training.labels.class_counts import Classes

_logger = logging.getLogger("hub_estimator")


@dataclasses.dataclass(frozen=True)
class Part:
    """One side of divided data.

    Attributes:
      fraction: how much is held out, as a fraction of all examples.
      is_held_out: whether this is what is held out, or what is left to train on.
    """

    fraction: float
    is_held_out: bool

    def has(self, places: np.ndarray) -> np.ndarray:
        """Returns which examples it has, bool `[N]`, given what `place` returns of each."""
        return (places < self.fraction) == self.is_held_out

    def check_not_empty(self, has_any: bool, what: str) -> None:
        """Checks that it has examples.

        Args:
          has_any: whether it has.
          what: what messages call the data, such as `"'reviews.csv'"`.

        Raises:
          errors.DataFileError: it has none.
        """
        if has_any:
            return
        if self.is_held_out:
            why = "holds none of its examples out: give a greater one"
        else:
            why = "holds all of its examples out, and leaves none to train on: give a smaller one"
        raise errors.DataFileError(
            f"The fraction {self.fraction:g} of {what} to evaluate on {why}, or data of its own. "
            "Equal examples, or those of one group of split_by, stay together."
        )

    def check_classes(self, own: Classes, whole: Classes, what: str) -> None:
        """Checks that training sees each class that the data has; evaluation should too.

        Args:
          own: the classes of the part, counted.
          whole: those of all the data.
          what: see `check_not_empty`.

        Raises:
          errors.LabelError: a class has no example to train on.
        """
        there = _present(own)
        missing = [name for name in _present(whole) if name not in there]
        if not missing:
            return
        shown = texts.shown_names(missing)
        if not self.is_held_out:
            raise errors.LabelError(
                f"The fraction {self.fraction:g} of {what} to evaluate on holds out each example of "
                f"these classes, and leaves none to train on: {shown}. Give a smaller one, data of "
                "its own, or more examples of them."
            )
        _logger.warning(
            "Of these classes no example of %s is held out, so evaluations say nothing of them: %s.",
            what, shown,
        )  # fmt: skip


def place(*contents: Any) -> float:
    """Returns where an example falls between 0 and 1, which depends on its contents alone."""
    digest = Digest()
    digest.add(*(_plain(content) for content in contents))
    return _between_0_and_1(digest)


def place_of_file(path: str) -> float:
    """Returns where an example that is a file falls; see `place`."""
    digest = Digest()
    digest.add_file(path)
    return _between_0_and_1(digest)


def places(columns: Iterable[Sequence[Any] | np.ndarray]) -> np.ndarray:
    """Returns where each row of a table falls, float64 `[N]`; see `place`."""
    return np.array([place(*row) for row in zip(*columns, strict=True)])


def path_or_fraction(name: str, given: Any) -> tuple[str, float | None]:
    """Returns a setting that is a path, or that fraction of the training data that it may be too.

    Args:
      name: the setting, for messages.
      given: what was given.

    Returns:
      The path, and None; or no path, and the fraction.

    Raises:
      errors.InvalidSettingError: it is neither.
    """
    presence.check_path_or_fraction(name, given)
    if presence.is_fraction(given):
        return "", float(given)
    return files.as_path(given), None


def divided(train_input: Any, eval_input: Any) -> tuple[Any, Any]:
    """Returns the inputs of a run: where a fraction is given to evaluate on, both sides of the data.

    Args:
      train_input: the training data.
      eval_input: the evaluation data; a fraction of the training data; or an input whose path is
        one, of which `batch_size` counts.

    Raises:
      errors.InvalidSettingError: a fraction is none, or is given in the place of training data.
      errors.PartsMismatchError: the training data cannot be divided.
    """
    if getattr(train_input, "fraction", None) is not None:
        raise errors.InvalidSettingError(
            f"Experiment.train_input has the path {train_input.fraction:g}; a fraction of the training "
            "data is for Experiment.eval_input."
        )
    is_number = isinstance(eval_input, (int, float)) and not isinstance(eval_input, bool)
    fraction = eval_input if is_number else getattr(eval_input, "fraction", None)
    if fraction is None:
        return train_input, eval_input
    presence.check_fraction("Experiment.eval_input", fraction)
    if not hasattr(train_input, "divided"):
        raise errors.PartsMismatchError(
            f"Experiment.eval_input is the fraction {fraction:g} of the training data, which is of "
            f"{type(train_input).__name__} and cannot be divided. Give it an input of its own."
        )
    batch_size = None if is_number else eval_input.batch_size
    return train_input.divided(fraction, batch_size)


def _between_0_and_1(digest: Digest) -> float:
    return int(digest.hexadecimal()[:13], 16) / 16**13  # 52 bits, all of which a float64 has


def _plain(value: Any) -> bytes:
    """Returns a value as bytes, which are equal where it is; a number in a text is a number."""
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        digest = Digest()
        digest.add(*map(_plain, value))
        return digest.hexadecimal().encode()
    if isinstance(value, Mapping):
        return _plain([[key, value[key]] for key in sorted(value)])
    if isinstance(value, bytes):
        value = value.decode("utf-8", "surrogateescape")
    text = repr(float(value)) if cells.is_number(value) else str(value)
    return text.encode("utf-8", "surrogateescape")


def _present(classes: Classes) -> list[str]:
    """Returns the names of the classes that have examples."""
    counted = zip(classes.shown_names, classes.counts or (), strict=True)
    return [name for name, count in counted if count]
