"""Labels that are one of several classes."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from hub_estimator import errors, texts
from hub_estimator.training.cells import Cells
from hub_estimator.training.charts import curves, plots
from hub_estimator.training.charts.report_table import ReportTable
from hub_estimator.training.labels import class_counts, class_reports, prediction_lines
from hub_estimator.training.labels.class_counts import UNKNOWN, Classes
from hub_estimator.training.labels.class_reports import ClassOutcomes
from hub_estimator.training.labels.classes import ClassLabels, names_among
from hub_estimator.training.labels.label_spec import check_width
from hub_estimator.training.labels.predicted_and_true import WORST, Contents, Outcomes
from hub_estimator.training.labels.prediction_lines import Form, Part

_MOST_COLUMNS = 1000  # of a confusion matrix
_OTHERS = "(others)"


@dataclasses.dataclass(frozen=True)
class OneClass(ClassLabels):
    """One of `K` classes per example: its number, int64 `[B]`, or its name, string `[B]`.

    Attributes:
      by_name: whether the head takes the names themselves (it has a vocabulary) rather than numbers.
    """

    by_name: bool = False

    @property
    def dtype(self) -> tf.DType:
        """String by name, int64 by number."""
        return tf.string if self.by_name else tf.int64

    def read_columns(self, columns: Sequence[Cells], setting: str, separator: str) -> np.ndarray:
        """Returns the classes of one column, int64 `[N]`, or their names as bytes, `[N]`."""
        del separator
        parts = [part for column in columns for part in column.split()]
        check_width(setting, parts, 1, "classes")
        return self._taken(self.numbers_of_cells(parts[0], are_names=self.by_name))

    def names_in_columns(self, columns: Sequence[Cells], separator: str) -> tuple[str, ...] | None:
        """Returns the names of classes in one column."""
        del separator
        parts = [part for column in columns for part in column.split()]
        return names_among(parts[0].values) if len(parts) == 1 else None

    def classes_in_columns(
        self, columns: Sequence[Cells], names: Sequence[Any], setting: str, separator: str
    ) -> Classes:
        """Returns the classes of one column, counted."""
        del names, separator
        parts = [part for column in columns for part in column.split()]
        check_width(setting, parts, 1, "classes")
        if self.size == UNKNOWN:
            return class_counts.classes_of(class_counts.texts_of(parts[0]), names=self.class_names)
        numbers = self.numbers_of_cells(parts[0], are_names=self.by_name)
        counts = np.bincount(numbers, minlength=self.size)
        return Classes(self.size, self.class_names, tuple(counts.tolist()))

    def texts_of_stored(self, stored: Any) -> list[str]:
        """Returns the class of each example."""
        return [class_counts.text_of(label) for label in stored.reshape(-1).tolist()]

    def _taken(self, numbers: np.ndarray) -> np.ndarray:
        """Returns the classes of these numbers as the head takes them."""
        if not self.by_name:
            return numbers
        return np.array([name.encode("utf-8") for name in self.names], object)[numbers]

    def read_tensors(self, stored: Any, where: tf.Tensor) -> tf.Tensor:
        """Returns the class of each label; see `numbers_of_tensor`."""
        numbers = self.numbers_of_tensor(stored, where)
        return tf.gather(tf.constant(self.class_names), numbers) if self.by_name else numbers

    def from_one_class(self, numbers: np.ndarray, names: tuple[str, ...], what: str) -> np.ndarray:
        """Returns the classes as the head takes them; its own may be in another order."""
        own = names if self.class_names is None else self.class_names
        if set(own) != set(names) or len(own) != self.size:
            wanted = f": {texts.shown_names(self.class_names)}" if self.class_names else ""
            raise errors.LabelError(
                f"{what} has {len(names)} classes ({texts.shown_names(names)}), the model has "
                f"{self.size}{wanted}. They must be the same{self._remedy(len(names))}."
            )
        return self._taken(np.array([own.index(name) for name in names], np.int64)[numbers])

    def _remedy(self, number: int) -> str:
        """Returns how a head has so many classes; nothing where its own have names."""
        if self.class_names or number < 2:
            return ""
        if number == 2:
            return ": take BinaryClassHead, in gin files Model.head = @BinaryClassHead()"
        if self.size == 2:
            return ": take MultiClassHead, in gin files Model.head = @MultiClassHead()"
        return f": set n_classes, in packaged configurations NUM_CLASSES, to {number}"

    def written(self, form: Form, head: str) -> Part:
        """Returns how they are written.

        CSV has the columns `class`, `class_id`, and `probability_<name>` of each; JSON has
        `"class"`, `"class_id"` and `"probabilities": {name: ...}`.
        """
        del head
        names = self.names
        quoted = np.array([_quoted(name, form) for name in names], dtype=object)

        def columns(probabilities: np.ndarray) -> list[np.ndarray]:
            chosen = probabilities.argmax(axis=1)
            return [quoted[chosen], chosen, *prediction_lines.number_columns(probabilities)]

        template = "%s,%d," if form == "csv" else '"class": %s, "class_id": %d, '
        return Part(
            ("class", "class_id", *prediction_lines.probability_names(names)),
            template + prediction_lines.probabilities(names, form),
            columns,
        )

    def for_metrics(self, labels: tf.Tensor) -> tf.Tensor:
        """Returns names as the numbers of their classes."""
        if not self.by_name or labels.dtype != tf.string:
            return labels
        names = tf.constant(self.class_names)
        return tf.argmax(tf.equal(tf.reshape(labels, [-1, 1]), names), axis=1)

    def truth(self, labels: np.ndarray) -> np.ndarray:
        """Returns the numbers of the classes, int64 `[N]`."""
        labels = labels.reshape(-1)
        if not self.by_name:
            return labels.astype(np.int64)
        numbers = {name.encode("utf-8"): number for number, name in enumerate(self.names)}
        return np.array([numbers[label] for label in labels], np.int64)

    def report(self, outcomes: Outcomes, title: str, max_classes: int, max_worst: int) -> Contents:
        """Returns what is right about each class, mistakes, who is taken for whom, and pictures."""
        names, truth, probabilities = self.names, outcomes.truth, outcomes.predicted
        found = ClassOutcomes(names, lambda number: truth == number, probabilities)
        chosen = probabilities.argmax(axis=1)
        counts = np.bincount(truth, minlength=len(names))
        shown = class_reports.most_frequent(counts, max_classes)
        tables = {
            "classes": found.table(curves.scores_of_classes(truth, chosen, len(names))),
            WORST: self._worst(outcomes, max_worst),
            "confusion_matrix": _confusion(names, truth, chosen),
        }
        pictures = {
            # Of two classes, the curve of the other one says the same.
            **found.pictures([1] if len(names) == 2 else shown, title),
            "calibration": self._calibration(truth, probabilities, chosen, title),
            "confusion_matrix": lambda: plots.confusion_matrix(
                *_folded(names, truth, chosen, shown), f"Confusion matrix\n{title}"
            ),
        }
        return Contents(tables, pictures)

    def _calibration(
        self, truth: np.ndarray, probabilities: np.ndarray, chosen: np.ndarray, title: str
    ) -> Callable[[], bytes]:
        if len(self.names) == 2:
            what = f"probability of {plots.short(self.names[1])}"
            return class_reports.calibration(truth == 1, probabilities[:, 1], what, title)
        return class_reports.calibration(
            chosen == truth,
            probabilities.max(axis=1),
            "probability of the predicted class",
            title,
        )

    def _worst(self, outcomes: Outcomes, max_rows: int) -> ReportTable:
        names, truth, probabilities = self.names, outcomes.truth, outcomes.predicted
        chosen = probabilities.argmax(axis=1)
        of_true = probabilities[np.arange(len(truth)), truth]
        wrong = np.flatnonzero(chosen != truth)
        rows = wrong[np.argsort(of_true[wrong], kind="stable")][:max_rows]

        def values(row: int) -> tuple[Any, ...]:
            of_chosen = probabilities[row, chosen[row]]
            return names[truth[row]], names[chosen[row]], of_true[row], of_chosen

        header = ("true", "predicted", "probability_of_true", "probability_of_predicted")
        return outcomes.examples(rows, header, values)


def _quoted(name: str, form: Form) -> str:
    if form == "csv":
        return prediction_lines.csv_field(name)
    return json.dumps(name, ensure_ascii=False)


def _confusion(names: Sequence[str], truth: np.ndarray, chosen: np.ndarray) -> ReportTable:
    """Returns a confusion matrix as a table, the true classes as rows.

    That of many classes, which are seldom taken for one another, is a table of those that are.
    """
    if len(names) > _MOST_COLUMNS:
        pairs, counts = np.unique(np.stack([truth, chosen]), axis=1, return_counts=True)
        found = [(names[a], names[b], n) for a, b, n in zip(*pairs, counts.tolist(), strict=True)]
        return ReportTable(("true", "predicted", "examples"), found)
    matrix = curves.confusion_matrix(truth, chosen, len(names))
    rows = [(name, *counts.tolist()) for name, counts in zip(names, matrix, strict=True)]
    return ReportTable(("true \\ predicted", *names), rows)


def _folded(
    names: Sequence[str], truth: np.ndarray, chosen: np.ndarray, shown: Sequence[int]
) -> tuple[np.ndarray, list[str]]:
    """Returns a confusion matrix in which the classes that are not shown are one, the last."""
    group = np.full(len(names), len(shown))
    group[shown] = np.arange(len(shown))
    groups = [names[number] for number in shown]
    if len(shown) < len(names):
        groups.append(_OTHERS)
    return curves.confusion_matrix(group[truth], group[chosen], len(groups)), groups
