"""Labels that are real numbers."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from hub_estimator import errors
from hub_estimator.training import cells, step_checks
from hub_estimator.training.cells import Cells
from hub_estimator.training.charts import plots
from hub_estimator.training.charts.report_table import ReportTable
from hub_estimator.training.labels import prediction_lines
from hub_estimator.training.labels.label_spec import LabelSpec, check_width
from hub_estimator.training.labels.predicted_and_true import WORST, Contents, Outcomes
from hub_estimator.training.labels.prediction_lines import NUMBER, Form, Part

_NO_NUMBER = (
    "is not a number, as the model's head takes. Where labels are names of classes, the head is "
    "BinaryClassHead for two and MultiClassHead for more, with the names in its label_vocabulary"
)


@dataclasses.dataclass(frozen=True)
class Numbers(LabelSpec):
    """Real numbers, float32 `[B]`, or `[B, size]` where an example has several."""

    @property
    def dtype(self) -> tf.DType:
        """Float32."""
        return tf.float32

    def read_columns(self, columns: Sequence[Cells], setting: str, separator: str) -> np.ndarray:
        """Returns the numbers of one column each, or of a column of lists or of an array."""
        del separator
        parts = [part for column in columns for part in self._split(column)]
        check_width(setting, parts, self.size, "numbers")
        return cells.side_by_side([cells.convert(part, np.dtype(np.float32)) for part in parts])

    def _split(self, column: Cells) -> list[Cells]:
        column = dataclasses.replace(column, no_number=_NO_NUMBER)
        values = column.values
        if getattr(values, "ndim", 1) > 1 or not isinstance(values[0], (list, tuple)):
            return column.split()
        for row, value in enumerate(values):
            if not isinstance(value, (list, tuple)) or len(value) != self.size:
                column.refuse(row, f"is not a list of {self.size} numbers")
        return dataclasses.replace(column, values=np.array(list(values), object)).split()

    @property
    def stored_shape(self) -> tuple[int, ...]:
        """One number, or a list of `size`."""
        return (self.size,) if self.size > 1 else ()

    def read_tensors(self, stored: Any, where: tf.Tensor) -> tf.Tensor:
        """Returns the numbers as float32; one that is none, or infinite, fails the step."""
        numbers = tf.cast(stored, tf.float32)
        return step_checks.finite(numbers, where, ("The label", ""), errors.LabelError)

    def wanted_instead(self, stored: tf.DType) -> str:
        """Texts are no numbers."""
        return "numbers" if stored == tf.string else ""

    @property
    def prediction_key(self) -> str:
        """The numbers themselves."""
        return "predictions"

    def written(self, form: Form, head: str) -> Part:
        """Returns how they are written.

        CSV has the column `prediction`, or `prediction_<n>` of each number; JSON has
        `"prediction"`: a number, or a list.
        """
        del head
        numbers = [NUMBER] * self.size
        if form == "csv":
            template = ",".join(numbers)
        else:
            listed = ", ".join(numbers)
            template = f'"prediction": {listed if self.size == 1 else f"[{listed}]"}'
        names = [f"prediction_{number}" for number in range(self.size)]
        header = ("prediction",) if self.size == 1 else tuple(names)
        return Part(header, template, prediction_lines.number_columns)

    def truth(self, labels: np.ndarray) -> np.ndarray:
        """Returns the numbers, `[N, size]`."""
        return labels.reshape(len(labels), -1)

    def report(self, outcomes: Outcomes, title: str, max_classes: int, max_worst: int) -> Contents:
        """Returns measures of the errors, the largest of them, and two pictures."""
        del max_classes
        truth, predicted = outcomes.truth.ravel(), outcomes.predicted.ravel()
        return Contents(
            {"errors": _measures(truth, predicted), WORST: _worst(outcomes, max_worst)},
            {
                "predicted_over_true": lambda: plots.scatter(
                    truth, predicted, f"Predicted and true numbers\n{title}"
                ),
                "errors": lambda: plots.histogram(predicted - truth, f"Errors\n{title}"),
            },
        )


def _measures(truth: np.ndarray, predicted: np.ndarray) -> ReportTable:
    gaps = predicted - truth
    spread = np.sum((truth - truth.mean()) ** 2)
    return ReportTable(
        ("measure", "value"),
        [
            ("mean absolute error", float(np.mean(np.abs(gaps)))),
            ("root mean squared error", float(np.sqrt(np.mean(gaps**2)))),
            ("mean error (bias)", float(np.mean(gaps))),
            ("R squared", float(1 - np.sum(gaps**2) / spread) if spread else float("nan")),
        ],
    )


def _worst(outcomes: Outcomes, max_rows: int) -> ReportTable:
    truth, predicted = outcomes.truth, outcomes.predicted
    gaps = np.abs(predicted - truth)
    rows = np.argsort(-gaps.max(axis=1), kind="stable")[:max_rows]

    def values(row: int) -> tuple[Any, ...]:
        worst = gaps[row].argmax()
        true_number, number = truth[row, worst], predicted[row, worst]
        return true_number, number, number - true_number

    return outcomes.examples(rows, ("true", "predicted", "error"), values)
