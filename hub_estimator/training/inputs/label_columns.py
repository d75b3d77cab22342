"""Labels as heads take them, from the columns of a table."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from hub_estimator import errors
from hub_estimator.training.cells import Cells
from hub_estimator.training.example_spec import Labels
from hub_estimator.training.inputs.columns import ColumnName, ColumnNames, Table
from hub_estimator.training.labels.class_counts import Classes
from hub_estimator.training.labels.classes import ClassLabels
from hub_estimator.training.labels.label_spec import LabelSpec

# The column of the labels, several of them, or those of each head of a multi-head by its name.
LabelNames = ColumnNames | Mapping[str, ColumnNames]


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
          `[N]` or `[N, size]`; of each head by its name, where there are several.

        Raises:
          errors.LabelError: a label is none that the head takes; the message says where.
          errors.PartsMismatchError: there are other columns than the heads need.
        """
        return self._of_each(
            spec,
            lambda names, part: part.read_columns(
                self._cells(table, names), self.setting, self.separator
            ),
        )

    def class_names(self, table: Table, spec: LabelSpec) -> tuple[str, ...] | None:
        """Returns the names of classes that the labels of all rows are; None where one is none.

        Args:
          table: see `read`.
          spec: what the model's only head takes.
        """
        if not isinstance(spec, ClassLabels) or isinstance(self.names, Mapping):
            return None
        return spec.names_in_columns(self._cells(table, _listed(self.names)), self.separator)

    def classes(self, table: Table, spec: Labels) -> dict[str, Classes]:
        """Returns the classes of the labels of all rows, counted.

        Args:
          table: see `read`.
          spec: see `read`.

        Returns:
          By the names of heads; of a model's only head by "". Heads of other labels have none.

        Raises:
          errors.Error: see `read`.
        """

        def counted(names: list[ColumnName], part: LabelSpec) -> Classes | None:
            if not isinstance(part, ClassLabels):
                return None
            columns = self._cells(table, names)
            return part.classes_in_columns(columns, names, self.setting, self.separator)

        found = self._of_each(spec, counted)
        by_head = found if isinstance(found, dict) else {"": found}
        return {head: classes for head, classes in by_head.items() if classes is not None}

    def _of_each(self, spec: Labels, function: Callable[[list[ColumnName], LabelSpec], Any]) -> Any:
        """Calls a function with the columns of each head and what it takes.

        Returns:
          What it returns; of each head by its name, where there are several.
        """
        if isinstance(spec, LabelSpec):
            if isinstance(self.names, Mapping):
                raise errors.PartsMismatchError(
                    f"{self.setting} is {dict(self.names)!r}, but the model has one head: give it "
                    "one column, or a list of columns."
                )
            return function(_listed(self.names), spec)
        if not isinstance(self.names, Mapping) or set(self.names) != set(spec):
            raise errors.PartsMismatchError(
                f"{self.setting} is {self.names!r}, but the model has the heads "
                f"{', '.join(spec)}: give it a dict with a column for each."
            )
        return {head: function(_listed(self.names[head]), part) for head, part in spec.items()}

    def _cells(self, table: Table, names: list[ColumnName]) -> list[Cells]:
        return [
            Cells(table.columns[name], ("The label", ""), table.place, errors.LabelError)
            for name in names
        ]


def _listed(names: ColumnNames) -> list[ColumnName]:
    return [names] if isinstance(names, (str, int)) else list(names)
