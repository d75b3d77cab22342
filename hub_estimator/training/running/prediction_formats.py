"""Predictions as lines of CSV or JSON, a batch at a time: one formatting call, no loop over rows.

What is written of a head, its kind of labels says: see `LabelSpec.written`. Of several heads, CSV has
the columns of each after `<head>.`, JSON has `"<head>": {...}`.

The first column is `row`: 1 for the first example. A class without a name goes by its number.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from hub_estimator import errors
from hub_estimator.training.example_spec import Labels
from hub_estimator.training.labels.label_spec import LabelSpec
from hub_estimator.training.labels.prediction_lines import Form, Part, csv_field, json_text

# A key of an Estimator's predictions; of a model with several heads, with the head's name before.
Key = str | tuple[str, str]


class Writer:
    """Turns batches of predictions into lines.

    Args:
      labels: the labels of the model.
      form: `"csv"` or `"jsonl"`.

    Raises:
      errors.PartsMismatchError: it has a head of somebody else, whose predictions nothing is known of.
    """

    def __init__(self, labels: Labels, form: Form) -> None:
        self._form = form
        self._rows = 0
        self._parts: list[tuple[Part, Key]]
        if isinstance(labels, LabelSpec):
            self._parts = [(labels.written(form, ""), labels.prediction_key)]
        else:
            self._parts = [
                (_of_head(head, wanted, form), (head, wanted.prediction_key))
                for head, wanted in labels.items()
            ]
        templates = [part.template for part, _ in self._parts]
        if form == "csv":
            self._template = ",".join(["%d", *templates]) + "\n"
        else:
            self._template = '{"row": %d, ' + ", ".join(templates) + "}\n"

    @property
    def keys(self) -> list[Key]:
        """The predictions that are needed, for `Estimator.predict(predict_keys=...)`."""
        return [key for _, key in self._parts]

    def header(self) -> bytes:
        """Returns the first line; empty where there is none."""
        names = ["row", *(name for part, _ in self._parts for name in part.header)]
        return f"{','.join(map(csv_field, names))}\n".encode() if self._form == "csv" else b""

    def lines(self, predictions: Mapping[Any, np.ndarray]) -> bytes:
        """Returns the lines of the next batch.

        Args:
          predictions: by key, float32 `[B, K]`.

        Raises:
          errors.PredictionNotFiniteError: one of them is not a number, or infinite.
        """
        arrays = [(part, np.asarray(predictions[key])) for part, key in self._parts]
        size = len(arrays[0][1])
        columns: list[np.ndarray] = [np.arange(self._rows + 1, self._rows + size + 1)]
        for part, values in arrays:
            self._check_finite(values)
            columns += part.columns(values)
        self._rows += size
        fields = np.empty((size, len(columns)), dtype=object)
        for number, column in enumerate(columns):
            fields[:, number] = column
        return (self._template * size % tuple(fields.ravel())).encode("utf-8")

    def _check_finite(self, values: np.ndarray) -> None:
        finite = np.isfinite(values).all(axis=tuple(range(1, values.ndim)))
        if not finite.all():
            row = self._rows + int(np.argmin(finite)) + 1
            raise errors.PredictionNotFiniteError(
                f"The model's prediction for row {row} is not a finite number. Look at the input "
                "there, or choose another checkpoint."
            )


def _of_head(head: str, labels: LabelSpec, form: Form) -> Part:
    """Returns how to write one head of several."""
    part = labels.written(form, head)
    template = part.template
    if form == "jsonl":
        template = f"{json_text(head)}: {{{template}}}"
    return Part(tuple(f"{head}.{name}" for name in part.header), template, part.columns)
