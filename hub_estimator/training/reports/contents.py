"""What a report has of each kind of head: its tables, its pictures, its numbers."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping

import numpy as np

from hub_estimator.training.reports import curves, plots, tables
from hub_estimator.training.reports.outcomes import Outcomes
from hub_estimator.training.reports.tables import Table

WORST = "worst_mistakes"
_OTHERS = "(others)"


@dataclasses.dataclass(frozen=True)
class Contents:
    """What a report shows of one head.

    Attributes:
      tables: by the name of the file; `worst_mistakes` has texts of the data.
      pictures: each made when it is called, by the name of the file.
    """

    tables: Mapping[str, Table]
    pictures: Mapping[str, Callable[[], bytes]]


def contents(outcomes: Outcomes, title: str, max_classes: int, max_worst: int) -> Contents:
    """Returns what a report shows of one head.

    Args:
      outcomes: the predictions and the truth.
      title: of what they are, for the pictures.
      max_classes: how many classes a picture has at most, the most frequent ones.
      max_worst: how many mistakes the table has at most.
    """
    worst = tables.worst_mistakes(outcomes, max_worst)
    if outcomes.labels.kind == "number":
        return _of_numbers(outcomes, title, worst)
    return _of_classes(outcomes, title, max_classes, worst)


def _of_classes(outcomes: Outcomes, title: str, max_classes: int, worst: Table) -> Contents:
    excludes = outcomes.labels.kind == "class"
    shown = _most_frequent(outcomes, max_classes)
    found = {"classes": tables.classes(outcomes), WORST: worst}
    pictures = {
        "precision_recall": lambda: plots.curve_lines(
            "precision_recall",
            _lines(outcomes, shown, curves.precision_recall_curve),
            f"Precision and recall\n{title}",
        ),
        "roc": lambda: plots.curve_lines(
            "roc",
            _lines(outcomes, shown, curves.roc_curve),
            f"Receiver operating characteristic\n{title}",
        ),
        "calibration": lambda: _calibration(outcomes, title),
    }
    if excludes:
        found["confusion_matrix"] = tables.confusion(outcomes)
        pictures["confusion_matrix"] = lambda: plots.confusion_matrix(
            *_folded(outcomes, shown), f"Confusion matrix\n{title}"
        )
    return Contents(found, pictures)


def _of_numbers(outcomes: Outcomes, title: str, worst: Table) -> Contents:
    truth, predicted = outcomes.truth.ravel(), outcomes.predicted.ravel()
    gaps = predicted - truth
    spread = np.sum((truth - truth.mean()) ** 2)
    numbers = Table(
        ("measure", "value"),
        [
            ("mean absolute error", float(np.mean(np.abs(gaps)))),
            ("root mean squared error", float(np.sqrt(np.mean(gaps**2)))),
            ("mean error (bias)", float(np.mean(gaps))),
            ("R squared", float(1 - np.sum(gaps**2) / spread) if spread else float("nan")),
        ],
    )
    return Contents(
        {"errors": numbers, WORST: worst},
        {
            "predicted_over_true": lambda: plots.scatter(
                truth, predicted, f"Predicted and true numbers\n{title}"
            ),
            "errors": lambda: plots.histogram(gaps, f"Errors\n{title}"),
        },
    )


def _calibration(outcomes: Outcomes, title: str) -> bytes:
    truth, probabilities = outcomes.truth, outcomes.predicted
    if outcomes.labels.kind == "classes":
        correct, of, what = truth.ravel() == 1, probabilities.ravel(), "probability of a class"
    elif len(outcomes.names) == 2:
        name = plots.short(outcomes.names[1])
        correct, of, what = truth == 1, probabilities[:, 1], f"probability of {name}"
    else:
        correct, of = probabilities.argmax(axis=1) == truth, probabilities.max(axis=1)
        what = "probability of the predicted class"
    return plots.calibration(curves.calibration(correct, of), what, f"Calibration\n{title}")


def _lines(
    outcomes: Outcomes, shown: list[int], curve: Callable[[np.ndarray, np.ndarray], curves.Curve]
) -> list[tuple[str, curves.Curve]]:
    if outcomes.labels.kind == "class" and len(outcomes.names) == 2:
        shown = [1]  # that of the other class says the same
    return [
        (outcomes.names[number], curve(_positives(outcomes, number), outcomes.predicted[:, number]))
        for number in shown
    ]


def _positives(outcomes: Outcomes, number: int) -> np.ndarray:
    """Returns which examples are of a class, bool `[N]`."""
    truth = outcomes.truth
    return truth == number if outcomes.labels.kind == "class" else truth[:, number] == 1


def _most_frequent(outcomes: Outcomes, max_classes: int) -> list[int]:
    """Returns the most frequent classes in the order of their numbers."""
    if outcomes.labels.kind == "class":
        counts = np.bincount(outcomes.truth, minlength=len(outcomes.names))
    else:
        counts = np.sum(outcomes.truth == 1, axis=0)
    return sorted(np.argsort(-counts, kind="stable")[:max_classes].tolist())


def _folded(outcomes: Outcomes, shown: list[int]) -> tuple[np.ndarray, list[str]]:
    """Returns a confusion matrix in which the classes that are not shown are one, the last."""
    names = outcomes.names
    group = np.full(len(names), len(shown))
    group[shown] = np.arange(len(shown))
    groups = [names[number] for number in shown]
    if len(shown) < len(names):
        groups.append(_OTHERS)
    chosen = outcomes.predicted.argmax(axis=1)
    return curves.confusion_matrix(group[outcomes.truth], group[chosen], len(groups)), groups
