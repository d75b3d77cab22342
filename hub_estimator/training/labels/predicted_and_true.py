"""What a head predicts beside what is true, and what a report shows of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from hub_estimator.training.charts.report_table import ReportTable

if TYPE_CHECKING:
    from hub_estimator.training.labels.label_spec import LabelSpec

WORST = "worst_mistakes"
"""The name of the table of the worst mistakes, which has texts of the data."""
ROW = "row"
"""What a table of examples calls the number of each, from 1 on, as predictions do."""


@dataclasses.dataclass(frozen=True)
class Outcomes:
    """Predictions of one head and the truth, in the order of the examples.

    Attributes:
      labels: which labels the head takes.
      truth: what `LabelSpec.truth` gives, `[N]` or `[N, size]`.
      predicted: float `[N, size]`: probabilities, or numbers.
      texts: the beginning of each text by feature name, bytes `[N]`.
      kept: what says which example each is, by name: texts `[N]`.
      numbers: the number of each example in the data, from 1 on; None is their order.
    """

    labels: LabelSpec
    truth: np.ndarray
    predicted: np.ndarray
    texts: Mapping[str, np.ndarray]
    kept: Mapping[str, Sequence[str]] = dataclasses.field(default_factory=dict)
    numbers: np.ndarray | None = None

    def text(self, name: str, row: int) -> str:
        """Returns the beginning of an example's text."""
        return self.texts[name][row].decode("utf-8", "replace")

    def examples(
        self, rows: np.ndarray, header: tuple[str, ...], values: Callable[[int], tuple[Any, ...]]
    ) -> ReportTable:
        """Returns a table of examples: their numbers, which they are, values, and their texts.

        Args:
          rows: which examples, from 0 on, in the order of the table.
          header: what the values are called.
          values: returns those of an example.
        """
        features = sorted(self.texts)
        found = [
            (
                int(row) + 1 if self.numbers is None else int(self.numbers[row]),
                *(column[row] for column in self.kept.values()),
                *values(row),
                *(self.text(name, row) for name in features),
            )
            for row in rows
        ]
        own = (ROW, *header)
        of_kept = [f"{name} (column)" if name in own else name for name in self.kept]
        names = (ROW, *of_kept, *header)
        of_texts = [f"{name} (feature)" if name in names else name for name in features]
        return ReportTable((*names, *of_texts), found)


@dataclasses.dataclass(frozen=True)
class Contents:
    """What a report shows of one head.

    Attributes:
      tables: by the name of the file; `WORST` has texts of the data.
      pictures: each made when it is called, by the name of the file.
    """

    tables: Mapping[str, ReportTable]
    pictures: Mapping[str, Callable[[], bytes]]
