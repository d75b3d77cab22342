"""Inputs of columns: what is the same for a file of rows, arrays and a data frame."""

from __future__ import annotations

import abc
import functools
from collections.abc import Iterable, Mapping, Sequence

from hub_estimator import errors, files
from hub_estimator.training import checks
from hub_estimator.training.example_spec import ExampleSpec, Labels
from hub_estimator.training.inputs import columns
from hub_estimator.training.inputs.columns import ColumnName, ColumnNames, Table
from hub_estimator.training.inputs.label_columns import LabelNames, LabelReader
from hub_estimator.training.inputs.memory import Examples, InMemory


class TableInput(InMemory):
    """An input whose examples are the rows of a table.

    Args:
      features: the column of each feature by its name, or the columns.
      label: the column of the labels, or the columns; of several heads, by their names.
      batch_size: `B`, the number of examples in a step.
      class_names: the names of the classes in the order of their numbers.
      separator: what is between the classes of an example in one text.

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
    ) -> None:
        super().__init__(batch_size)
        kind = type(self).__name__
        for head, part in (
            label.items() if isinstance(label, Mapping) and label else [(None, label)]
        ):
            _check_columns(f"{kind}.label" if head is None else f"{kind}.label[{head!r}]", part)
        if class_names is not None:
            checks.listed(f"{kind}.class_names", class_names, "['bad', 'good']")
        self._features = dict(features)
        self._class_names = None if class_names is None else tuple(map(str, class_names))
        self._labels = LabelReader(f"{kind}.label", label, separator)

    @property
    def feature_names(self) -> list[str]:
        """The names of the features."""
        return sorted(self._features)

    @property
    def num_examples(self) -> int:
        """The number of examples; reads the table."""
        return len(self._table)

    @property
    def class_names(self) -> tuple[str, ...] | None:
        """The names of the classes, where they were given."""
        return self._class_names

    @abc.abstractmethod
    def _read_table(self, names: Sequence[ColumnName], path: files.PathLike | None) -> Table:
        """Reads columns, of another file where `path` names one."""

    @functools.cached_property
    def _table(self) -> Table:
        labels = self._labels.names
        parts = labels.values() if isinstance(labels, Mapping) else [labels]
        return self._read_table(_names([*self._features.values(), *parts]), None)

    def _read(
        self, spec: ExampleSpec, labels: Labels | None, path: files.PathLike | None
    ) -> Examples:
        chosen = {name: self._features[name] for name in spec.features}
        table = self._table if labels else self._read_table(_names(chosen.values()), path)
        return Examples(
            {
                name: columns.feature(table, name, names, spec.features[name])
                for name, names in chosen.items()
            },
            self._labels.read(table, labels) if labels else None,
            len(table),
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
    parts = value if isinstance(value, (list, tuple)) else [value]
    if not parts or not all(_is_column(part) for part in parts):
        raise errors.InvalidSettingError(
            f"{name} is {value!r}; it must be a column in quotes, or a list of columns."
        )


def _is_column(value: object) -> bool:
    whole = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    return whole or (isinstance(value, str) and bool(value))


def _names(columns: Iterable[ColumnNames]) -> list[ColumnName]:
    """Returns each column once."""
    parts = [[column] if isinstance(column, (str, int)) else column for column in columns]
    return list(dict.fromkeys(name for part in parts for name in part))
