"""Tables of a report, as CSV and as Markdown."""

from __future__ import annotations

import csv
import dataclasses
import io
from collections.abc import Sequence
from typing import Any

import numpy as np

from hub_estimator import texts
from hub_estimator.training.reports import curves
from hub_estimator.training.reports.outcomes import Outcomes

_THRESHOLD = 0.5
_MOST_COLUMNS = 1000  # of a confusion matrix
_CELL_LETTERS = 120


@dataclasses.dataclass(frozen=True)
class Table:
    """A table: the names of its columns, and its rows of numbers and texts."""

    header: tuple[str, ...]
    rows: Sequence[tuple[Any, ...]]

    def csv(self) -> bytes:
        """Returns the table as a CSV file; what is not a number is an empty field."""
        buffer = io.StringIO()
        writer = csv.writer(buffer, lineterminator="\n")
        writer.writerow(self.header)
        writer.writerows([[_field(value) for value in row] for row in self.rows])
        return buffer.getvalue().encode("utf-8", "backslashreplace")

    def markdown(self, max_rows: int | None = None) -> str:
        """Returns the table in Markdown, long texts cut; "-" is what is not a number."""
        lines = [self.header, ["---"] * len(self.header)]
        lines += [[_cell(value) for value in row] for row in self.rows[:max_rows]]
        text = "\n".join(f"| {' | '.join(map(_escaped, line))} |" for line in lines)
        left = len(self.rows) - len(self.rows[:max_rows])
        return text + (f"\n\n{left} more rows are in the CSV file.\n" if left else "\n")


def classes(outcomes: Outcomes) -> Table:
    """Returns a table of what is right about each class: precision, recall, F1, areas."""
    truth, probabilities = outcomes.truth, outcomes.predicted
    if outcomes.labels.kind == "class":
        scores = curves.scores_of_classes(truth, probabilities.argmax(axis=1), len(outcomes.names))
    else:
        scores = _label_scores(truth == 1, probabilities >= _THRESHOLD)
    rows = []
    for number, name in enumerate(outcomes.names):
        positives = truth == number if outcomes.labels.kind == "class" else truth[:, number] == 1
        areas = [
            curve(positives, probabilities[:, number]).area
            for curve in (curves.roc_curve, curves.precision_recall_curve)
        ]
        rows.append((name, *(values[number].item() for values in scores.values()), *areas))
    return Table(("class", *scores, "roc_auc", "average_precision"), rows)


def confusion(outcomes: Outcomes) -> Table:
    """Returns a confusion matrix as a table, the true classes as rows.

    That of many classes, which are seldom taken for one another, is a table of those that are.
    """
    truth, chosen, names = outcomes.truth, outcomes.predicted.argmax(axis=1), outcomes.names
    if len(names) > _MOST_COLUMNS:
        pairs, counts = np.unique(np.stack([truth, chosen]), axis=1, return_counts=True)
        found = [(names[a], names[b], n) for a, b, n in zip(*pairs, counts.tolist(), strict=True)]
        return Table(("true", "predicted", "examples"), found)
    matrix = curves.confusion_matrix(truth, chosen, len(names))
    rows = [(name, *counts.tolist()) for name, counts in zip(names, matrix, strict=True)]
    return Table(("true \\ predicted", *names), rows)


def worst_mistakes(outcomes: Outcomes, max_rows: int) -> Table:
    """Returns the examples that the model is the most wrong about, the worst first."""
    kind = outcomes.labels.kind
    if kind == "class":
        return _worst_of_one_class(outcomes, max_rows)
    return (_worst_of_several if kind == "classes" else _worst_numbers)(outcomes, max_rows)


def _worst_of_one_class(outcomes: Outcomes, max_rows: int) -> Table:
    truth, probabilities = outcomes.truth, outcomes.predicted
    chosen = probabilities.argmax(axis=1)
    of_true = probabilities[np.arange(len(truth)), truth]
    wrong = np.flatnonzero(chosen != truth)
    rows = wrong[np.argsort(of_true[wrong], kind="stable")][:max_rows]
    names = outcomes.names
    return _with_texts(
        outcomes,
        rows,
        ("true", "predicted", "probability_of_true", "probability_of_predicted"),
        lambda row: (
            names[truth[row]], names[chosen[row]], of_true[row], probabilities[row, chosen[row]],
        ),
    )  # fmt: skip


def _worst_of_several(outcomes: Outcomes, max_rows: int) -> Table:
    truth, probabilities = outcomes.truth == 1, outcomes.predicted
    gaps = np.abs(truth - probabilities)
    wrong = np.flatnonzero((truth != (probabilities >= _THRESHOLD)).any(axis=1))
    rows = wrong[np.argsort(-gaps[wrong].max(axis=1), kind="stable")][:max_rows]

    def listed(chosen: np.ndarray) -> str:
        return "|".join(name for name, is_in in zip(outcomes.names, chosen, strict=True) if is_in)

    def values(row: int) -> tuple[Any, ...]:
        at = gaps[row].argmax()
        predicted = listed(probabilities[row] >= _THRESHOLD)
        return listed(truth[row]), predicted, outcomes.names[at], probabilities[row, at]

    header = ("true", "predicted", "most_wrong_about", "probability")
    return _with_texts(outcomes, rows, header, values)


def _worst_numbers(outcomes: Outcomes, max_rows: int) -> Table:
    truth, predicted = outcomes.truth, outcomes.predicted
    gaps = np.abs(predicted - truth)
    rows = np.argsort(-gaps.max(axis=1), kind="stable")[:max_rows]

    def values(row: int) -> tuple[Any, ...]:
        at = gaps[row].argmax()
        return truth[row, at], predicted[row, at], predicted[row, at] - truth[row, at]

    return _with_texts(outcomes, rows, ("true", "predicted", "error"), values)


def _with_texts(outcomes: Outcomes, rows: Any, header: tuple[str, ...], values: Any) -> Table:
    """Returns a table of examples: their place from 1 on, the values, the texts."""
    features = sorted(outcomes.texts)
    found = [
        (int(row) + 1, *values(row), *(outcomes.text(name, row) for name in features))
        for row in rows
    ]
    header = ("row", *header)
    return Table((*header, *(f"{n} (feature)" if n in header else n for n in features)), found)


def _label_scores(truth: np.ndarray, chosen: np.ndarray) -> dict[str, np.ndarray]:
    """Returns `curves.class_scores` of classes that do not exclude each other, bool `[N, K]`."""
    tables = [
        curves.class_scores(curves.confusion_matrix(is_true, is_chosen, 2))
        for is_true, is_chosen in zip(truth.T, chosen.T, strict=True)
    ]
    return {name: np.array([table[name][1] for table in tables]) for name in tables[0]}


def _field(value: Any) -> Any:
    if isinstance(value, (float, np.floating)):
        return "" if np.isnan(value) else f"{value:.7g}"
    return value


def _cell(value: Any) -> str:
    if isinstance(value, (float, np.floating)):
        return "-" if np.isnan(value) else f"{value:.4g}"
    text = texts.one_line(str(value))
    return text if len(text) <= _CELL_LETTERS else f"{text[:_CELL_LETTERS]}..."


def _escaped(text: str) -> str:
    """Returns a text that Markdown shows as it is in the cell of a table."""
    for letter in "\\|<*_`[":
        text = text.replace(letter, f"\\{letter}")
    return text
