"""Labels of a head of somebody else, of which nothing is known."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, ClassVar, NoReturn

import numpy as np
import tensorflow as tf

from hub_estimator import errors
from hub_estimator.training import cells, step_checks
from hub_estimator.training.cells import Cells
from hub_estimator.training.labels.label_spec import LabelSpec
from hub_estimator.training.labels.predicted_and_true import Contents, Outcomes
from hub_estimator.training.labels.prediction_lines import Form, Part


@dataclasses.dataclass(frozen=True)
class AnyLabels(LabelSpec):
    """Whatever a head of somebody else takes: the numbers that the data has."""

    is_known: ClassVar[bool] = False

    @property
    def dtype(self) -> tf.DType:
        """What is asked for where nothing is known; the data's whole numbers stay int64."""
        return tf.float32

    def read_columns(self, columns: Sequence[Cells], setting: str, separator: str) -> np.ndarray:
        """Returns numbers, `[N]` or `[N, columns]`: int64 where all of a column are whole."""
        del setting, separator
        parts = [part for column in columns for part in column.split()]
        return cells.side_by_side([_whole_or_not(part) for part in parts])

    def read_tensors(self, stored: Any, where: tf.Tensor) -> tf.Tensor:
        """Returns the labels as they are stored; real numbers that are none fail the step."""
        if not stored.dtype.is_floating:
            return stored
        return step_checks.finite(stored, where, ("The label", ""), errors.LabelError)

    def from_one_class(self, numbers: np.ndarray, names: tuple[str, ...], what: str) -> np.ndarray:
        """Returns the numbers of the classes, int64 `[N]`."""
        del names, what
        return numbers.astype(np.int64)

    @property
    def prediction_key(self) -> str:
        """Refuses: no prediction is known."""
        _refuse()

    def written(self, form: Form, head: str) -> Part:
        """Refuses: no prediction is known."""
        del form
        _refuse(head)

    def truth(self, labels: np.ndarray) -> np.ndarray:
        """Refuses: there is no prediction beside which the truth could be put."""
        del labels
        _refuse()

    def report(self, outcomes: Outcomes, title: str, max_classes: int, max_worst: int) -> Contents:
        """Refuses: no prediction is known."""
        del outcomes, title, max_classes, max_worst
        _refuse()


def _refuse(head: str = "") -> NoReturn:
    name = f" {head!r}" if head else ""
    raise errors.PartsMismatchError(
        f"Nothing is known of the predictions of the head{name}, which is none of tf.estimator's. "
        "Use Estimator.predict from Python."
    )


def _whole_or_not(values: Cells) -> np.ndarray:
    """Returns numbers as int64 where all are whole, else as float32."""
    numbers = cells.parse_numbers(values)
    whole = np.array_equal(numbers, np.floor(numbers)) and (np.abs(numbers) < 2.0**63).all()
    return numbers.astype(np.int64 if whole else np.float32)
