"""What lines of predictions are made of, in CSV and in JSON: names, numbers, and a template."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np

Form = Literal["csv", "jsonl"]

# As many digits as tell float32 numbers apart where it matters.
NUMBER = "%.7g"


@dataclasses.dataclass(frozen=True)
class Part:
    """How the predictions of one head are written.

    Attributes:
      header: the names of the columns.
      template: what becomes a row by `%`: fields of CSV, or members of a JSON object.
      columns: makes the values for the template from the predictions, float32 `[B, size]`: one array
        `[B]` for each.
    """

    header: tuple[str, ...]
    template: str
    columns: Callable[[np.ndarray], list[np.ndarray]]


def number_columns(values: np.ndarray) -> list[np.ndarray]:
    """Returns the columns of float32 `[B, K]`."""
    return list(values.T)


def probability_names(names: Sequence[str]) -> tuple[str, ...]:
    """Returns the names of the columns of the probabilities of classes."""
    return tuple(f"probability_{name}" for name in names)


def probabilities(names: Sequence[str], form: Form) -> str:
    """Returns the template of the probabilities of classes."""
    if form == "csv":
        return ",".join([NUMBER] * len(names))
    members = ", ".join(f"{json_text(name)}: {NUMBER}" for name in names)
    return f'"probabilities": {{{members}}}'


def csv_field(text: str) -> str:
    """Returns a text as a field of CSV, in quotes where it needs them."""
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerow([text, ""])
    return buffer.getvalue()[:-2]  # of two fields the first: one alone, if empty, is quoted


def json_text(text: str) -> str:
    """Returns a text in JSON that stays as it is when `%` is applied."""
    return json.dumps(text, ensure_ascii=False).replace("%", "%%")
