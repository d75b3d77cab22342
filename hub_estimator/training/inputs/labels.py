"""Labels as a head takes them, from columns of numbers, names, or several of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from hub_estimator import errors
from hub_estimator.training.example_spec import Labels, LabelSpec
from hub_estimator.training.inputs import columns
from hub_estimator.training.inputs.base import shown_names
from hub_estimator.training.inputs.columns import Cells, ColumnName, ColumnNames, Table

# The column of the labels, several of them, or those of each head of a multi-head by its name.
LabelNames = ColumnNames | Mapping[str, ColumnNames]

_NO_NAMES = (
    "is not a number. To have classes by name, list the names in the input's class_names or in the "
    "head's label_vocabulary"
)
_NO_NUMBER = (
    "is not a number, as the model's head takes; names of classes are for heads of classes, such as "
    "MultiClassHead"
)


@dataclasses.dataclass(frozen=True)
class LabelReader:
    """Reads labels from a table.

    Attributes:
      setting: what messages call the setting `names`, such as `"TextFile.label"`.
      names: the columns.
      separator: what is between the classes of an example in one text.
    """

    setting: str
    names: LabelNames
    separator: str = "|"

    def read(self, table: Table, spec: Labels) -> np.ndarray | dict[str, np.ndarray]:
        """Returns the labels of all rows, as a head takes them.

        Args:
          table: where the columns are.
          spec: what the head takes, or what each head takes by its name.

        Returns:
          For a class int64 `[N]`, or its name as bytes `[N]`; for any of `K` classes int64 `[N, K]`
          of zeros and ones; for real numbers float32 `[N]` or `[N, size]`. Of each head by its
          name, where there are several.

        Raises:
          errors.LabelError: a label is none that the head takes; the message says where.
          errors.ModelError: there are other columns than the heads need.
        """
        if isinstance(spec, LabelSpec):
            if isinstance(self.names, Mapping):
                raise errors.ModelError(
                    f"{self.setting} is {dict(self.names)!r}, but the model has one head: give it "
                    "one column, or a list of columns."
                )
            return self._read(table, self.names, spec)
        if not isinstance(self.names, Mapping) or set(self.names) != set(spec):
            raise errors.ModelError(
                f"{self.setting} is {self.names!r}, but the model has the heads "
                f"{', '.join(spec)}: give it a dict with a column for each."
            )
        return {head: self._read(table, self.names[head], each) for head, each in spec.items()}

    def _read(self, table: Table, names: ColumnNames, spec: LabelSpec) -> np.ndarray:
        listed = [names] if isinstance(names, (str, int)) else list(names)
        parts = [part for each in listed for part in _split(table, each, spec)]
        if spec.kind == "class":
            self._check_width(parts, 1, "classes")
            return _classes(parts[0], spec)
        if spec.kind == "classes" and len(parts) == 1:
            return _sets(parts[0], spec, self.separator)
        if spec.kind == "any":
            return _side_by_side([_whole_or_not(part) for part in parts])
        self._check_width(parts, spec.size, "numbers" if spec.kind == "number" else "classes")
        if spec.kind == "classes":
            return np.stack([_flags(part) for part in parts], axis=1)
        return _side_by_side([columns.convert(part, np.dtype(np.float32)) for part in parts])

    def _check_width(self, parts: list[Cells], size: int, what: str) -> None:
        if len(parts) != size:
            raise errors.ModelError(
                f"{self.setting} gives {len(parts)} columns of {what}, the model's head takes "
                f"{size}."
            )


def check_name(values: Cells, number: int, names: Sequence[str]) -> None:
    """Checks that a value is the name of a class.

    Raises:
      errors.LabelError: it is not.
    """
    if values.values[number] not in names:
        values.refuse(number, f"is not a class of the model's head. It has: {shown_names(names)}")


def _split(table: Table, name: ColumnName, spec: LabelSpec) -> list[Cells]:
    """Returns the columns of single values that a column is; lists of classes stay what they are."""
    values = table.columns[name]
    whole = Cells(values, ("The label", ""), table.place, errors.LabelError)
    if spec.kind == "number":
        whole = dataclasses.replace(whole, no_number=_NO_NUMBER)
    if isinstance(values, np.ndarray) and values.ndim > 1:
        flat = values.reshape(len(values), -1)
    elif spec.kind == "number" and isinstance(values[0], (list, tuple)):
        for number, row in enumerate(values):
            if not isinstance(row, (list, tuple)) or len(row) != spec.size:
                whole.refuse(number, f"is not a list of {spec.size} numbers")
        flat = np.array(values, object)
    else:
        return [whole]
    return [dataclasses.replace(whole, values=part) for part in flat.T]


def _side_by_side(parts: list[np.ndarray]) -> np.ndarray:
    return parts[0] if len(parts) == 1 else np.stack(parts, axis=1)


def _whole_or_not(values: Cells) -> np.ndarray:
    """Returns numbers as int64 where all are whole, else as float32."""
    numbers = columns.parse_numbers(values)
    whole = np.array_equal(numbers, np.floor(numbers)) and (np.abs(numbers) < 2.0**63).all()
    return numbers.astype(np.int64 if whole else np.float32)


def _flags(values: Cells) -> np.ndarray:
    flags = columns.parse_numbers(values)
    wrong = (flags != 0) & (flags != 1)
    if wrong.any():
        values.refuse(int(np.argmax(wrong)), "is neither 0 nor 1")
    return flags.astype(np.int64)


def _classes(values: Cells, spec: LabelSpec) -> np.ndarray:
    for number, value in enumerate(values.values):
        if isinstance(value, (list, tuple, dict, np.ndarray)):
            values.refuse(number, "is no single class, as the model's head takes")
    if not (spec.class_names and _are_names(values.values, spec)):
        return _numbers_of_classes(values, spec)
    names = {name: number for number, name in enumerate(spec.class_names)}
    texts = dataclasses.replace(values, values=[_text(each) for each in values.values])
    numbers = np.array([names.get(each, -1) for each in texts.values], np.int64)
    if (numbers < 0).any():
        check_name(texts, int(np.argmax(numbers < 0)), spec.class_names)
    if not spec.by_name:
        return numbers
    return np.array([name.encode("utf-8") for name in spec.class_names], object)[numbers]


def _are_names(values: Sequence[Any] | np.ndarray, spec: LabelSpec) -> bool:
    """Whether labels name their classes; one that does decides, as names may be numbers."""
    if spec.by_name:
        return True
    if isinstance(values, np.ndarray) and values.dtype.kind in "iufb":
        return False
    names = set(spec.class_names or ())
    texts = [each for each in values if isinstance(each, (str, bytes))]
    return any(_text(each) in names for each in texts) or not all(map(columns.is_number, values))


def _text(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return str(value) if isinstance(value, (int, np.integer)) else value


def _numbers_of_classes(values: Cells, spec: LabelSpec) -> np.ndarray:
    if spec.class_names is None:
        values = dataclasses.replace(values, no_number=_NO_NAMES)
    numbers = columns.parse_numbers(values)
    wrong = (numbers < 0) | (numbers >= spec.size) | (numbers != np.floor(numbers))
    if wrong.any():
        shown = [int(each) if each.is_integer() else each for each in numbers.tolist()]
        dataclasses.replace(values, values=shown).refuse(
            int(np.argmax(wrong)),
            f"is not a class of the model's head, which takes 0 to {spec.size - 1}",
        )
    return numbers.astype(np.int64)


def _sets(values: Cells, spec: LabelSpec, separator: str) -> np.ndarray:
    """Returns zeros and ones, `[N, K]`, of the classes that each label lists."""
    sets = [_listed(values, number, separator) for number in range(len(values.values))]
    rows = np.repeat(np.arange(len(sets)), [len(each) for each in sets])
    flat = [each for classes in sets for each in classes]
    elements = dataclasses.replace(
        values, values=flat, place=lambda number: values.place(int(rows[number]))
    )
    counts = np.zeros([len(sets), spec.size], np.int64)
    np.add.at(counts, (rows, _classes(elements, dataclasses.replace(spec, by_name=False))), 1)
    for number in np.flatnonzero(counts.max(axis=1) > 1).tolist():
        if not isinstance(values.values[number], (str, bytes)):
            values.refuse(
                number,
                "lists a class twice. Zeros and ones are given as a numpy array, or as one column "
                "for each class",
            )
    return np.minimum(counts, 1)


def _listed(values: Cells, number: int, separator: str) -> list[Any]:
    value = values.values[number]
    if isinstance(value, (list, tuple, np.ndarray)):
        return list(value)
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if isinstance(value, str):
        # No class at all is a label too.
        return [each.strip() for each in value.split(separator) if each.strip()]
    if columns.is_missing(value):
        values.refuse(number, "")
    return [value]
