"""Tables as CSV and as Markdown."""

from __future__ import annotations

import csv
import dataclasses
import io
from collections.abc import Sequence
from typing import Any

import numpy as np

from hub_estimator import texts

_CELL_LETTERS = 120


@dataclasses.dataclass(frozen=True)
class ReportTable:
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
        lines += [[cell(value) for value in row] for row in self.rows[:max_rows]]
        text = "\n".join(f"| {' | '.join(map(escaped, line))} |" for line in lines)
        left = len(self.rows) - len(self.rows[:max_rows])
        return text + (f"\n\n{left} more rows are in the CSV file.\n" if left else "\n")


def _field(value: Any) -> Any:
    if isinstance(value, (float, np.floating)):
        return "" if np.isnan(value) else f"{value:.7g}"
    return value


def cell(value: Any) -> str:
    """Returns a value for people: a number in few digits, a text as one line, cut where it is long."""
    if isinstance(value, (float, np.floating)):
        return "-" if np.isnan(value) else f"{value:.4g}"
    text = texts.one_line(str(value))
    return text if len(text) <= _CELL_LETTERS else f"{text[:_CELL_LETTERS]}..."


def escaped(text: str) -> str:
    """Returns a line of text that Markdown shows as it is, within a line or the cell of a table."""
    for letter in "\\|<&*_`~[":
        text = text.replace(letter, f"\\{letter}")
    return text
