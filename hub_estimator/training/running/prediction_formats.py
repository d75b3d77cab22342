"""Predictions as lines of CSV or JSON, a batch at a time: one formatting call, no loop over rows.

What is written of a head, its kind of labels says: see `LabelSpec.written`. Of several heads, CSV has
the columns of each after `<head>.`, JSON has `"<head>": {...}`.

The first column is `row`: 1 for the first example. Then comes what is kept of the examples. A class
without a name goes by its number.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from hub_estimator import errors, texts
from hub_estimator.training import kept
from hub_estimator.training.example_spec import Labels
from hub_estimator.training.labels.label_spec import LabelSpec
from hub_estimator.training.labels.prediction_lines import Form, Part, csv_field, json_text

# A key of an Estimator's predictions; of a model with several heads, with the head's name before.
Key = str | tuple[str, str]

_ROW = "row"


class Writer:
    """Turns batches of predictions into lines.

    Args:
      labels: the labels of the model.
      form: `"csv"` or `"jsonl"`.
      keep: under which names something of the examples is kept; see `kept`.

    Raises:
      errors.PartsMismatchError: it has a head of somebody else, whose predictions nothing is known of.
      errors.DuplicateNameError: what is kept is called like something that is predicted.
    """

    def __init__(self, labels: Labels, form: Form, keep: Sequence[str] = ()) -> None:
        self._form = form
        self._kept = [kept.feature(name) for name in keep]
        self._rows = 0
        self._parts: list[tuple[Part, Key]]
        if isinstance(labels, LabelSpec):
            self._parts = [(labels.written(form, ""), labels.prediction_key)]
        else:
            self._parts = [
                (_of_head(head, wanted, form), (head, wanted.prediction_key))
                for head, wanted in labels.items()
            ]
        predicted = [name for part, _ in self._parts for name in part.header]
        self._names = [_ROW, *keep, *predicted]
        templates = [part.template for part, _ in self._parts]
        if form == "csv":
            _check_names(keep, [_ROW, *predicted])
            self._template = ",".join(["%d", *("%s" for _ in keep), *templates]) + "\n"
        else:
            heads = [labels] if isinstance(labels, LabelSpec) else labels.values()
            sizes = [head.size for head in heads]
            _check_names(keep, [_ROW, *_members([part for part, _ in self._parts], sizes)])
            members = [f"{json_text(name)}: %s" for name in keep]
            self._template = f'{{"{_ROW}": %d, {", ".join([*members, *templates])}}}\n'

    @property
    def keys(self) -> list[Key]:
        """The predictions that are needed of the model."""
        return [key for _, key in self._parts]

    def header(self) -> bytes:
        """Returns the first line; empty where there is none."""
        line = f"{','.join(map(csv_field, self._names))}\n"
        return line.encode("utf-8", "backslashreplace") if self._form == "csv" else b""

    def lines(self, predictions: Mapping[Any, np.ndarray]) -> bytes:
        """Returns the lines of the next batch.

        Args:
          predictions: by key, float32 `[B, K]`; of what is kept `[B]`, as `kept.column` makes it.

        Raises:
          errors.PredictionNotFiniteError: one of them is not a number, or infinite.
        """
        arrays = [(part, np.asarray(predictions[key])) for part, key in self._parts]
        size = len(arrays[0][1])
        columns: list[np.ndarray] = [np.arange(self._rows + 1, self._rows + size + 1)]
        written = kept.csv_fields if self._form == "csv" else kept.json_values
        columns += [written(predictions[name]) for name in self._kept]
        for part, values in arrays:
            self._check_finite(values)
            columns += part.columns(values)
        self._rows += size
        fields = np.empty((size, len(columns)), dtype=object)
        for number, column in enumerate(columns):
            fields[:, number] = column
        lines = self._template * size % tuple(fields.ravel())
        return lines.encode("utf-8", "backslashreplace")  # what is no text comes of what is kept

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


def _members(parts: Sequence[Part], sizes: Sequence[int]) -> list[str]:
    """Returns the names of what a line of JSON has of heads that predict so many numbers each."""
    template = ", ".join(part.template for part in parts)
    columns = [
        column[0]
        for part, size in zip(parts, sizes, strict=True)
        for column in part.columns(np.zeros([1, size], np.float32))
    ]
    return [
        name for name, _ in json.loads(f"{{{template % tuple(columns)}}}", object_pairs_hook=list)
    ]


def _check_names(keep: Sequence[str], others: Sequence[str]) -> None:
    """Checks that what is kept is called like nothing else in the output."""
    for name in keep:
        if name in others:
            raise errors.DuplicateNameError(
                f"The column {texts.shown(name)} cannot be kept: that is what the output calls "
                f"something of its own. It has: {texts.shown_names(others)}. Rename the column in the "
                "data."
            )
