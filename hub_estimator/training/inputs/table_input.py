"""Inputs of columns: what is the same for a file of rows, arrays and a data frame."""

from __future__ import annotations

import abc
import functools
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from hub_estimator import errors, files
from hub_estimator.training import checks, kept
from hub_estimator.training.example_spec import ExampleSpec, Labels
from hub_estimator.training.inputs import columns, parts
from hub_estimator.training.inputs.columns import ColumnName, ColumnNames, Table
from hub_estimator.training.inputs.label_columns import LabelNames, LabelReader
from hub_estimator.training.inputs.memory import Examples, InMemory
from hub_estimator.training.labels.class_counts import Classes
from hub_estimator.training.labels.label_spec import LabelSpec


class TableInput(InMemory):
    """An input whose examples are the rows of a table.

    Args:
      features: the column of each feature by its name, or the columns.
      label: the column of the labels, or the columns; of several heads, by their names.
      batch_size: `B`, the number of examples in a step.
      class_names: the names of the classes in the order of their numbers.
      separator: what is between the classes of an example in one text.
      split_by: the column, or the columns, by which examples stay together where a fraction is held
        out; None is those of the features.

    Raises:
      errors.InvalidSettingError: a setting is of another type or size.
    """

    def __init__(
        self,
        features: Mapping[str, ColumnNames],
        label: LabelNames,
        batch_size: int,
        class_names: Sequence[str] | None = None,
        separator: str = "|",
        split_by: ColumnNames | None = None,
    ) -> None:
        super().__init__(batch_size)
        kind = type(self).__name__
        for head, part in (
            label.items() if isinstance(label, Mapping) and label else [(None, label)]
        ):
            _check_columns(f"{kind}.label" if head is None else f"{kind}.label[{head!r}]", part)
        if class_names is not None:
            checks.listed(f"{kind}.class_names", class_names, "['bad', 'good']")
        if split_by is not None:
            _check_columns(f"{kind}.split_by", split_by)
        self._features = dict(features)
        self._split_by = split_by
        self._class_names = None if class_names is None else tuple(map(str, class_names))
        self._labels = LabelReader(f"{kind}.label", label, separator)

    @property
    def feature_names(self) -> list[str]:
        """The names of the features."""
        return sorted(self._features)

    @property
    def feature_columns(self) -> Mapping[str, ColumnNames]:
        """The column of each feature by its name, or the columns."""
        return self._features

    @property
    def num_examples(self) -> int:
        """The number of examples; reads the table."""
        return len(self._table)

    @property
    def row_numbers(self) -> np.ndarray | None:
        """The number of each example in the whole data, from 1 on, int64 `[N]`; None is their order."""
        return None if self._part is None else self._rows_of_part + 1

    @property
    def class_names(self) -> tuple[str, ...] | None:
        """The names of the classes, where they were given."""
        return self._class_names

    def names_in_labels(self, labels: LabelSpec) -> tuple[str, ...] | None:
        """Returns the names of classes that the labels are, held out ones too; None where one is none.

        Args:
          labels: what the model's only head takes.
        """
        other = self._whole
        assert isinstance(other, TableInput)
        return self._labels.class_names(other._whole_table, labels)

    def _column_to_keep(self, name: str) -> ColumnName:
        """Returns the column that is kept under a name."""
        return name

    @abc.abstractmethod
    def _read_table(self, names: Sequence[ColumnName], path: files.PathLike | None) -> Table:
        """Reads columns, of another file where `path` names one."""

    def _count_classes(self, labels: Labels) -> dict[str, Classes]:
        return self._labels.classes(self._table, labels)

    @property
    def _name(self) -> str:
        return self._table.name

    @property
    def _table(self) -> Table:
        return self._whole_table if self._part is None else self._table_of_part

    @functools.cached_property
    def _table_of_part(self) -> Table:
        other = self._whole
        assert isinstance(other, TableInput)
        return other._whole_table.chosen(self._rows_of_part)

    @functools.cached_property
    def _rows_of_part(self) -> np.ndarray:
        """The numbers of the rows of the part that this input is."""
        other = self._whole
        assert isinstance(other, TableInput) and self._part is not None
        rows = np.flatnonzero(self._part.has(other._places))
        self._part.check_not_empty(rows.size > 0, other._whole_table.name)
        return rows

    @functools.cached_property
    def _places(self) -> np.ndarray:
        """Where each row falls, where a fraction is held out."""
        if self._split_by is None:
            names, table = _names(self._features.values()), self._whole_table
        else:
            names = _names([self._split_by])
            table = self._read_table(names, None)
        return parts.places(table.columns[name] for name in names)

    @functools.cached_property
    def _whole_table(self) -> Table:
        return self._read_table(_names([*self._features.values(), *self._label_columns()]), None)

    def _label_columns(self) -> list[ColumnNames]:
        labels = self._labels.names
        return [*labels.values()] if isinstance(labels, Mapping) else [labels]

    def _read(
        self,
        spec: ExampleSpec,
        labels: Labels | None,
        path: files.PathLike | None,
        keep: Sequence[str] = (),
    ) -> Examples:
        chosen = {name: self._features[name] for name in spec.features}
        to_keep = {name: self._column_to_keep(name) for name in keep}
        is_own_part = path is None and self._part is not None
        if (labels or is_own_part) and not to_keep:
            table = self._table
        else:
            of_labels = self._label_columns() if labels else []
            names = _names([*chosen.values(), *of_labels, *to_keep.values()])
            table = self._read_table(names, path)
            if is_own_part:
                table = table.chosen(self._rows_of_part)
        return Examples(
            {
                name: columns.feature(table, name, names, spec.features[name])
                for name, names in chosen.items()
            },
            self._labels.read(table, labels) if labels else None,
            len(table),
            {
                kept.feature(name): kept.column(name, table.columns[column])
                for name, column in to_keep.items()
            },
        )


def check_features(name: str, value: object) -> None:
    """Checks a setting that gives features their columns.

    Raises:
      errors.InvalidSettingError: it is something else.
    """
    if not isinstance(value, Mapping):
        raise errors.InvalidSettingError(
            f"{name} is {value!r}; give it a dict, as in {{'text': 'review'}}."
        )
    for feature, names in value.items():
        _check_columns(f"{name}[{feature!r}]", names)


def _check_columns(name: str, value: object) -> None:
    listed = value if isinstance(value, (list, tuple)) else [value]
    if not listed or not all(_is_column(part) for part in listed):
        raise errors.InvalidSettingError(
            f"{name} is {value!r}; it must be a column in quotes, or a list of columns."
        )


def _is_column(value: object) -> bool:
    whole = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    return whole or (isinstance(value, str) and bool(value))


def _names(columns: Iterable[ColumnNames]) -> list[ColumnName]:
    """Returns each column once."""
    listed = [[column] if isinstance(column, (str, int)) else column for column in columns]
    return list(dict.fromkeys(name for part in listed for name in part))
