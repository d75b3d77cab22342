"""What reports of both kinds of classes show: a table of the classes, and curves of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from hub_estimator.training.charts import curves, plots
from hub_estimator.training.charts.report_table import ReportTable


@dataclasses.dataclass(frozen=True)
class ClassOutcomes:
    """Probabilities of classes, and which examples are of each.

    Attributes:
      names: of the `K` classes.
      positives: returns which examples are of a class, bool `[N]`.
      probabilities: float `[N, K]`.
    """

    names: Sequence[str]
    positives: Callable[[int], np.ndarray]
    probabilities: np.ndarray

    def table(self, scores: Mapping[str, np.ndarray]) -> ReportTable:
        """Returns a table of what is right about each class: scores `[K]` by name, and areas."""
        rows = []
        for number, name in enumerate(self.names):
            areas = [
                self._curve(curve, number).area
                for curve in (curves.roc_curve, curves.precision_recall_curve)
            ]
            rows.append((name, *(values[number].item() for values in scores.values()), *areas))
        return ReportTable(("class", *scores, "roc_auc", "average_precision"), rows)

    def pictures(self, numbers: Sequence[int], title: str) -> dict[str, Callable[[], bytes]]:
        """Returns the pictures of the curves of some classes, by the name of the file."""
        return {
            "precision_recall": lambda: plots.curve_lines(
                "precision_recall",
                self._named(curves.precision_recall_curve, numbers),
                f"Precision and recall\n{title}",
            ),
            "roc": lambda: plots.curve_lines(
                "roc",
                self._named(curves.roc_curve, numbers),
                f"Receiver operating characteristic\n{title}",
            ),
        }

    def _named(
        self, curve: Callable[..., curves.Curve], numbers: Sequence[int]
    ) -> list[tuple[str, curves.Curve]]:
        return [(self.names[number], self._curve(curve, number)) for number in numbers]

    def _curve(self, curve: Callable[..., curves.Curve], number: int) -> curves.Curve:
        return curve(self.positives(number), self.probabilities[:, number])


def most_frequent(counts: np.ndarray, max_classes: int) -> list[int]:
    """Returns the most frequent classes in the order of their numbers, given how often each is."""
    return sorted(np.argsort(-counts, kind="stable")[:max_classes].tolist())


def calibration(
    is_so: np.ndarray, probabilities: np.ndarray, what: str, title: str
) -> Callable[[], bytes]:
    """Returns the picture of how often probabilities come true.

    Args:
      is_so: bool `[N]`.
      probabilities: float `[N]`.
      what: which probability it is.
      title: what stands above.
    """
    return lambda: plots.calibration(
        curves.calibration(is_so, probabilities), what, f"Calibration\n{title}"
    )
