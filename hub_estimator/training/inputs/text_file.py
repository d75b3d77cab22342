"""Examples from a CSV or TSV file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hub_estimator import errors, files
from hub_estimator.training import checks
from hub_estimator.training.inputs import parts, tables
from hub_estimator.training.inputs.columns import ColumnName, ColumnNames, Table
from hub_estimator.training.inputs.label_columns import LabelNames
from hub_estimator.training.inputs.table_input import TableInput, check_features


class TextFile(TableInput):
    """A CSV or TSV file of texts, numbers and labels; each row is an example.

    A feature is of the type and shape that the model takes: a text, a number, or several numbers
    side by side. Labels are numbers, or the names of classes; of a head that takes any of several
    classes, one column of names with `|` between them, or a column of zeros and ones for each class.

    Args:
      path: the file, which may be compressed with gzip; of an `Experiment.eval_input` also a fraction
        of the training data, such as 0.1.
      texts: the column of each text feature, by feature name; None is the column `text` of a feature
        of this name, where there are no `numbers`.
      numbers: the column, or the list of columns, of each feature of numbers, by feature name; also
        of the weights of examples.
      label: the column of the labels, or a list of columns; of several heads, a dict by their names.
      batch_size: `B`, the number of examples in a step.
      delimiter: what separates the fields; None is a tab for `.tsv`, else a comma.
      header: whether the first row names the columns; without it, columns are numbers from 0.
      class_names: the names of the classes in the order of their numbers, where labels are names and
        the head has no vocabulary.
      separator: what is between the classes of an example in one field.
      split_by: where a fraction of it is held out: the column, or the columns, by which examples stay
        together, such as their author; None is the columns of the features.

    Raises:
      errors.InvalidSettingError: a setting is of another type or size.
    """

    def __init__(
        self,
        path: files.PathLike | float,
        texts: Mapping[str, ColumnName] | None = None,
        label: LabelNames = "label",
        batch_size: int = 128,
        delimiter: str | None = None,
        numbers: Mapping[str, ColumnNames] | None = None,
        header: bool = True,
        class_names: Sequence[str] | None = None,
        separator: str = "|",
        split_by: ColumnNames | None = None,
    ) -> None:
        if texts is None:
            texts = {} if numbers else {"text": "text"}
        check_features("TextFile.texts", texts)
        check_features("TextFile.numbers", numbers or {})
        if delimiter is not None and (not isinstance(delimiter, str) or len(delimiter) != 1):
            raise errors.InvalidSettingError(
                f"TextFile.delimiter is {delimiter!r}; it must be one letter."
            )
        if delimiter is not None and delimiter in '"\n\r':
            raise errors.InvalidSettingError(
                f"TextFile.delimiter is {delimiter!r}, which ends fields or lines in another way."
            )
        checks.text("TextFile.separator", separator)
        super().__init__(
            {**texts, **(numbers or {})}, label, batch_size, class_names, separator, split_by
        )
        self.path, self.fraction = parts.path_or_fraction("TextFile.path", path)
        self._delimiter = delimiter
        self._header = header

    @property
    def paths(self) -> Sequence[str]:
        """The file."""
        return (self.path,)

    def _column_to_keep(self, name: str) -> ColumnName:
        return int(name) if not self._header and name.isdecimal() else name

    def _read_table(self, names: Sequence[ColumnName], path: files.PathLike | None) -> Table:
        path = self.path if path is None else files.as_path(path)
        read = tables.read_columns(path, names, self._delimiter, self._header)
        return Table(repr(path), read, first_row=2 if self._header else 1)
