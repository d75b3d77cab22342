"""Predictions as lines of CSV or JSON, a batch at a time: one formatting call, no loop over rows.

| head | CSV columns | JSON |
|---|---|---|
| binary, multi-class | `class`, `class_id`, `probability_<name>` of each class | `"class"`, `"class_id"`, `"probabilities": {name: ...}` |
| multi-label | `classes`, those of at least 0.5, joined by a bar; `probability_<name>` of each | `"classes": [...]`, `"probabilities": {name: ...}` |
| regression | `prediction`, or `prediction_<n>` of each number | `"prediction"`: a number, or a list |
| several | those of each head, after `<head>.` | `"<head>": {...}` |

The first column is `row`: 1 for the first example. A class without a name goes by its number.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import numpy as np

from hub_estimator import errors
from hub_estimator.training.example_spec import Labels, LabelSpec

PROBABILITIES, PREDICTIONS = "probabilities", "predictions"
# As many digits as tell float32 numbers apart where it matters.
_NUMBER = "%.7g"
_THRESHOLD = 0.5

Form = Literal["csv", "jsonl"]
# A key of an Estimator's predictions; of a model with several heads, with the head's name before.
Key = str | tuple[str, str]


@dataclasses.dataclass(frozen=True)
class Part:
    """How the predictions of one head are written.

    Attributes:
      key: which predictions are needed.
      header: the names of the columns.
      template: what becomes a row by `%`; without the number of the row.
      columns: makes the values for the template from the predictions, float32 `[B, K]`: one array
        `[B]` for each.
    """

    key: Key
    header: tuple[str, ...]
    template: str
    columns: Callable[[np.ndarray], list[np.ndarray]]


class Writer:
    """Turns batches of predictions into lines.

    Args:
      labels: the labels of the model.
      form: `"csv"` or `"jsonl"`.

    Raises:
      errors.ModelError: it has a head of somebody else, whose predictions nothing is known of.
    """

    def __init__(self, labels: Labels, form: Form) -> None:
        self._form = form
        self._rows = 0
        if isinstance(labels, LabelSpec):
            self._parts = [_part(labels, form)]
        else:
            self._parts = [_of_head(name, each, form) for name, each in labels.items()]
        templates = [part.template for part in self._parts]
        if form == "csv":
            self._template = ",".join(["%d", *templates]) + "\n"
        else:
            self._template = '{"row": %d, ' + ", ".join(templates) + "}\n"

    @property
    def keys(self) -> list[Key]:
        """The predictions that are needed, for `Estimator.predict(predict_keys=...)`."""
        return [part.key for part in self._parts]

    def header(self) -> bytes:
        """Returns the first line; empty where there is none."""
        names = ["row", *(name for part in self._parts for name in part.header)]
        return f"{','.join(map(_csv_field, names))}\n".encode() if self._form == "csv" else b""

    def lines(self, predictions: Mapping[Any, np.ndarray]) -> bytes:
        """Returns the lines of the next batch.

        Args:
          predictions: by key, float32 `[B, K]`.

        Raises:
          errors.ModelError: one of them is not a number, or infinite.
        """
        arrays = [(part, np.asarray(predictions[part.key])) for part in self._parts]
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
            raise errors.ModelError(
                f"The model's prediction for row {row} is not a finite number. Look at the input "
                "there, or choose another checkpoint."
            )


def _of_head(head: str, labels: LabelSpec, form: Form) -> Part:
    """Returns how to write one head of several."""
    part = _part(labels, form, head)
    template = part.template
    if form == "jsonl":
        template = f"{_json_text(head)}: {{{template}}}"
    header = tuple(f"{head}.{name}" for name in part.header)
    return dataclasses.replace(part, key=(head, str(part.key)), header=header, template=template)


def _part(labels: LabelSpec, form: Form, head: str = "") -> Part:
    if labels.kind == "number":
        return _numbers(labels.size, form)
    if labels.kind == "any":
        name = f" {head!r}" if head else ""
        raise errors.ModelError(
            f"Nothing is known of the predictions of the head{name}, which is none of "
            "tf.estimator's. Use Estimator.predict from Python."
        )
    names = labels.class_names or tuple(map(str, range(labels.size)))
    return _one_class(names, form) if labels.kind == "class" else _any_classes(names, form)


def _numbers(size: int, form: Form) -> Part:
    template = ",".join([_NUMBER] * size)
    if form == "jsonl":
        numbers = ", ".join([_NUMBER] * size)
        template = f'"prediction": {numbers if size == 1 else f"[{numbers}]"}'
    header = ("prediction",) if size == 1 else tuple(f"prediction_{n}" for n in range(size))
    return Part(PREDICTIONS, header, template, _unstacked)


def _one_class(names: Sequence[str], form: Form) -> Part:
    quoted = _texts(names, form)

    def columns(probabilities: np.ndarray) -> list[np.ndarray]:
        chosen = probabilities.argmax(axis=1)
        return [quoted[chosen], chosen, *_unstacked(probabilities)]

    header = ("class", "class_id", *(f"probability_{name}" for name in names))
    if form == "jsonl":
        template = f'"class": %s, "class_id": %d, {_json_probabilities(names)}'
    else:
        template = ",".join(["%s", "%d", *[_NUMBER] * len(names)])
    return Part(PROBABILITIES, header, template, columns)


def _any_classes(names: Sequence[str], form: Form) -> Part:
    def columns(probabilities: np.ndarray) -> list[np.ndarray]:
        # There are few different sets of classes in a batch, so each is written once.
        sets, places = np.unique(probabilities >= _THRESHOLD, axis=0, return_inverse=True)
        chosen = [[name for name, is_in in zip(names, each, strict=True) if is_in] for each in sets]
        if form == "jsonl":
            texts = [json.dumps(each, ensure_ascii=False) for each in chosen]
        else:
            texts = [_csv_field("|".join(each)) for each in chosen]
        return [np.array(texts, dtype=object)[places.ravel()], *_unstacked(probabilities)]

    header = ("classes", *(f"probability_{name}" for name in names))
    if form == "jsonl":
        template = f'"classes": %s, {_json_probabilities(names)}'
    else:
        template = ",".join(["%s", *[_NUMBER] * len(names)])
    return Part(PROBABILITIES, header, template, columns)


def _unstacked(values: np.ndarray) -> list[np.ndarray]:
    return list(values.T)


def _json_probabilities(names: Sequence[str]) -> str:
    fields = ", ".join(f"{_json_text(name)}: {_NUMBER}" for name in names)
    return f'"probabilities": {{{fields}}}'


def _json_text(text: str) -> str:
    """Returns a text in JSON that stays as it is when `%` is applied."""
    return json.dumps(text, ensure_ascii=False).replace("%", "%%")


def _texts(names: Sequence[str], form: Form) -> np.ndarray:
    quoted = [_csv_field(n) if form == "csv" else json.dumps(n, ensure_ascii=False) for n in names]
    return np.array(quoted, dtype=object)


def _csv_field(text: str) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerow([text, ""])
    return buffer.getvalue()[:-2]  # of two fields the first: one alone, if empty, is quoted
