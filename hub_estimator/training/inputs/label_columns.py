"""Labels as heads take them, from the columns of a table."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np

from hub_estimator import errors
from hub_estimator.training.cells import Cells
from hub_estimator.training.example_spec import Labels
from hub_estimator.training.inputs.columns import ColumnNames, Table
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
        if isinstance(spec, LabelSpec):
            if isinstance(self.names, Mapping):
                raise errors.PartsMismatchError(
                    f"{self.setting} is {dict(self.names)!r}, but the model has one head: give it "
                    "one column, or a list of columns."
                )
            return self._read(table, self.names, spec)
        if not isinstance(self.names, Mapping) or set(self.names) != set(spec):
            raise errors.PartsMismatchError(
                f"{self.setting} is {self.names!r}, but the model has the heads "
                f"{', '.join(spec)}: give it a dict with a column for each."
            )
        return {head: self._read(table, self.names[head], part) for head, part in spec.items()}

    def _read(self, table: Table, names: ColumnNames, spec: LabelSpec) -> np.ndarray:
        listed = [names] if isinstance(names, (str, int)) else names
        cells = [
            Cells(table.columns[name], ("The label", ""), table.place, errors.LabelError)
            for name in listed
        ]
        return spec.read_columns(cells, self.setting, self.separator)
