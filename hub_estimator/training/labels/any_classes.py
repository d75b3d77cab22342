"""Labels that are any of several classes."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from hub_estimator.training import cells
from hub_estimator.training.cells import Cells
from hub_estimator.training.charts import curves
from hub_estimator.training.charts.report_table import ReportTable
from hub_estimator.training.labels import class_counts, class_reports, prediction_lines
from hub_estimator.training.labels.class_counts import UNKNOWN, Classes
from hub_estimator.training.labels.class_reports import ClassOutcomes
from hub_estimator.training.labels.classes import ClassLabels, names_among
from hub_estimator.training.labels.label_spec import check_width
from hub_estimator.training.labels.predicted_and_true import WORST, Contents, Outcomes
from hub_estimator.training.labels.prediction_lines import Form, Part

_THRESHOLD = 0.5
"""Classes of at least this probability are predicted."""

_BETWEEN = "|"
"""What is between the names of classes in one text."""


@dataclasses.dataclass(frozen=True)
class AnyClasses(ClassLabels):
    """Any of `K` classes per example: int64 zeros and ones, `[B, K]`."""

    def read_columns(self, columns: Sequence[Cells], setting: str, separator: str) -> np.ndarray:
        """Returns zeros and ones, `[N, K]`, of a column of lists, or of one column for each class."""
        parts = [part for column in columns for part in column.split()]
        if len(parts) == 1:
            return self._sets(parts[0], separator)
        check_width(setting, parts, self.size, "classes")
        return np.stack([_flags(part) for part in parts], axis=1)

    def names_in_columns(self, columns: Sequence[Cells], separator: str) -> tuple[str, ...] | None:
        """Returns the names of classes in a column of lists."""
        parts = [part for column in columns for part in column.split()]
        if len(parts) != 1:
            return None
        rows = range(len(parts[0].values))
        return names_among(name for row in rows for name in _listed(parts[0], row, separator))

    def classes_in_columns(
        self, columns: Sequence[Cells], names: Sequence[Any], setting: str, separator: str
    ) -> Classes:
        """Returns the classes of a column of lists, or of one column for each, counted.

        Columns of zeros and ones are the classes in their order, and called like the columns.
        """
        if self.size != UNKNOWN:
            counts = self.read_columns(columns, setting, separator).sum(axis=0)
            return Classes(self.size, self.class_names, tuple(counts.tolist()))
        parts = [part for column in columns for part in column.split()]
        if len(parts) == 1:
            sets = [_listed(parts[0], row, separator) for row in range(len(parts[0].values))]
            listed = [text for classes in sets for text in _different(classes)]
            return class_counts.classes_of(listed, names=self.class_names)
        own = tuple(names) if all(isinstance(name, str) for name in names) else None
        return Classes(
            len(parts),
            self.class_names or (own if len(names) == len(parts) else None),
            tuple(int(_flags(part).sum()) for part in parts),
        )

    def texts_of_stored(self, stored: Any) -> list[str]:
        """Returns the classes that each label lists."""
        rows = [values[there].tolist() for values, there in zip(*stored, strict=True)]
        return [text for classes in rows for text in _different(classes)]

    def _sets(self, values: Cells, separator: str) -> np.ndarray:
        """Returns zeros and ones, `[N, K]`, of the classes that each label lists."""
        sets = [_listed(values, row, separator) for row in range(len(values.values))]
        rows = np.repeat(np.arange(len(sets)), [len(classes) for classes in sets])
        elements = dataclasses.replace(
            values,
            values=[element for classes in sets for element in classes],
            place=lambda number: values.place(int(rows[number])),
        )
        counts = np.zeros([len(sets), self.size], np.int64)
        np.add.at(counts, (rows, self.numbers_of_cells(elements)), 1)
        for row in np.flatnonzero(counts.max(axis=1) > 1).tolist():
            if not isinstance(values.values[row], (str, bytes)):
                values.refuse(
                    row,
                    "lists a class twice. Zeros and ones are given as a numpy array, or as one "
                    "column for each class",
                )
        return np.minimum(counts, 1)

    @property
    def stored_shape(self) -> None:
        """Any number of classes."""
        return None

    def read_tensors(self, stored: Any, where: tf.Tensor) -> tf.Tensor:
        """Returns zeros and ones of the classes that each label lists; see `numbers_of_tensor`."""
        values, there = stored
        listed = tf.where(there)
        rows = listed[:, 0]
        numbers = self.numbers_of_tensor(tf.gather_nd(values, listed), tf.gather(where, rows))
        places = tf.stack([rows, numbers], axis=1)
        shape = [tf.size(where, tf.int64), self.size]
        counts = tf.scatter_nd(places, tf.ones_like(numbers), shape)
        return tf.ensure_shape(tf.minimum(counts, 1), [None, self.size])  # one may be listed twice

    def written(self, form: Form, head: str) -> Part:
        """Returns how they are written.

        CSV has the column `classes`, those of at least 0.5, joined by a bar, and
        `probability_<name>` of each; JSON has `"classes": [...]` and `"probabilities": {name: ...}`.
        """
        del head
        names = self.names

        def columns(probabilities: np.ndarray) -> list[np.ndarray]:
            # There are few different sets of classes in a batch, so each is written once.
            sets, places = np.unique(probabilities >= _THRESHOLD, axis=0, return_inverse=True)
            chosen = [_chosen(names, flags) for flags in sets]
            if form == "jsonl":
                written = [json.dumps(classes, ensure_ascii=False) for classes in chosen]
            else:
                written = [prediction_lines.csv_field(_BETWEEN.join(classes)) for classes in chosen]
            of_each = np.array(written, dtype=object)[places.ravel()]
            return [of_each, *prediction_lines.number_columns(probabilities)]

        template = "%s," if form == "csv" else '"classes": %s, '
        return Part(
            ("classes", *prediction_lines.probability_names(names)),
            template + prediction_lines.probabilities(names, form),
            columns,
        )

    def truth(self, labels: np.ndarray) -> np.ndarray:
        """Returns zeros and ones, int64 `[N, K]`."""
        return labels.astype(np.int64)

    def report(self, outcomes: Outcomes, title: str, max_classes: int, max_worst: int) -> Contents:
        """Returns what is right about each class, the worst mistakes, and three pictures."""
        truth, probabilities = outcomes.truth == 1, outcomes.predicted
        found = ClassOutcomes(self.names, lambda number: truth[:, number], probabilities)
        scores = _scores(truth, probabilities >= _THRESHOLD)
        shown = class_reports.most_frequent(truth.sum(axis=0), max_classes)
        return Contents(
            {"classes": found.table(scores), WORST: self._worst(outcomes, max_worst)},
            {
                **found.pictures(shown, title),
                "calibration": class_reports.calibration(
                    truth.ravel(), probabilities.ravel(), "probability of a class", title
                ),
            },
        )

    def _worst(self, outcomes: Outcomes, max_rows: int) -> ReportTable:
        truth, probabilities = outcomes.truth == 1, outcomes.predicted
        chosen = probabilities >= _THRESHOLD
        gaps = np.abs(truth - probabilities)
        wrong = np.flatnonzero((truth != chosen).any(axis=1))
        rows = wrong[np.argsort(-gaps[wrong].max(axis=1), kind="stable")][:max_rows]

        def values(row: int) -> tuple[Any, ...]:
            worst = gaps[row].argmax()
            listed = (_BETWEEN.join(_chosen(self.names, flags[row])) for flags in (truth, chosen))
            return (*listed, self.names[worst], probabilities[row, worst])

        header = ("true", "predicted", "most_wrong_about", "probability")
        return outcomes.examples(rows, header, values)


def _chosen(names: Sequence[str], flags: np.ndarray) -> list[str]:
    """Returns the names of the classes whose flag is set."""
    return [name for name, is_in in zip(names, flags, strict=True) if is_in]


def _different(classes: Sequence[Any]) -> list[str]:
    """Returns classes as texts, each once."""
    return list(dict.fromkeys(map(class_counts.text_of, classes)))


def _flags(values: Cells) -> np.ndarray:
    flags = cells.parse_numbers(values)
    wrong = (flags != 0) & (flags != 1)
    if wrong.any():
        values.refuse(int(np.argmax(wrong)), "is neither 0 nor 1")
    return flags.astype(np.int64)


def _listed(values: Cells, row: int, separator: str) -> list[Any]:
    value = values.values[row]
    if isinstance(value, (list, tuple, np.ndarray)):
        return list(value)
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if isinstance(value, str):
        # No class at all is a label too.
        return [name.strip() for name in value.split(separator) if name.strip()]
    if cells.is_missing(value):
        values.refuse(row, "")
    return [value]


def _scores(truth: np.ndarray, chosen: np.ndarray) -> dict[str, np.ndarray]:
    """Returns `curves.class_scores` of classes that do not exclude each other, bool `[N, K]`."""
    tables = [
        curves.class_scores(curves.confusion_matrix(is_true, is_chosen, 2))
        for is_true, is_chosen in zip(truth.T, chosen.T, strict=True)
    ]
    return {name: np.array([table[name][1] for table in tables]) for name in tables[0]}
