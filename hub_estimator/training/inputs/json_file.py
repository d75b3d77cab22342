"""Examples from a file of JSON lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hub_estimator import errors, files, json_text, texts
from hub_estimator.training import checks
from hub_estimator.training.inputs import data_text, formats, parts
from hub_estimator.training.inputs.columns import ColumnName, ColumnNames, Table
from hub_estimator.training.inputs.label_columns import LabelNames
from hub_estimator.training.inputs.table_input import TableInput, check_features

_BLANK = " \t\r"
"""What may be in a line that is no example."""


class JsonlFile(TableInput):
    """A file with a JSON object in each line; each line is an example.

    A feature is of the type and shape that the model takes: a text, a number, a list of numbers, or
    a list of any length, such as the ids of tokens; shorter lists end with 0. The label of a head
    that takes any of several classes is a list of names or numbers.

    Args:
      path: the file, which may be compressed with gzip; of an `Experiment.eval_input` also a fraction
        of the training data, such as 0.1.
      features: the key, or the list of keys, of each feature, by feature name.
      label: the key of the labels, or a list of keys; of several heads, a dict by their names.
      batch_size: `B`, the number of examples in a step.
      class_names: the names of the classes in the order of their numbers, where labels are names and
        the head has no vocabulary.
      separator: what is between the classes of an example in one text.
      split_by: where a fraction of it is held out: the key, or the keys, by which examples stay
        together, such as their author; None is the keys of the features.

    Raises:
      errors.InvalidSettingError: a setting is of another type or size.
    """

    def __init__(
        self,
        path: files.PathLike | float,
        features: Mapping[str, ColumnNames] | None = None,
        label: LabelNames = "label",
        batch_size: int = 128,
        class_names: Sequence[str] | None = None,
        separator: str = "|",
        split_by: ColumnNames | None = None,
    ) -> None:
        features = {"text": "text"} if features is None else features
        check_features("JsonlFile.features", features)
        checks.text("JsonlFile.separator", separator)
        super().__init__(features, label, batch_size, class_names, separator, split_by)
        self.path, self.fraction = parts.path_or_fraction("JsonlFile.path", path)

    @property
    def paths(self) -> Sequence[str]:
        """The file."""
        return (self.path,)

    def _read_table(self, names: Sequence[ColumnName], path: files.PathLike | None) -> Table:
        path = self.path if path is None else files.as_path(path)
        text = data_text.read(path, formats.JSON_LINES)
        try:
            return _table(path, text, names)
        except errors.Error:
            formats.refuse_other(path, text, formats.JSON_LINES)
            raise


def _table(path: str, text: str, names: Sequence[ColumnName]) -> Table:
    lines = text.split(data_text.line_end(text))
    numbered = [(number, line) for number, line in enumerate(lines, 1) if line.strip(_BLANK)]
    if not numbered:
        raise errors.DataFileError(f"The data file {path!r} is empty.")
    columns: dict[ColumnName, list[Any]] = {name: [] for name in names}
    for number, line in numbered:
        row = _parse(path, number, line)
        for name, values in columns.items():
            if name not in row:
                raise errors.ColumnNotFoundError(
                    f"Row {number} of the data file {path!r} has no {name!r}. It has: "
                    f"{texts.shown_names(list(row)) or 'nothing'}."
                )
            values.append(row[name])
    return Table(repr(path), columns, row_numbers=[number for number, _ in numbered])


def _parse(path: str, number: int, line: str) -> dict[Any, Any]:
    try:
        row = json_text.parse(line)
    except ValueError as error:
        raise errors.DataFileError(
            f"Row {number} of the data file {path!r} is not JSON: {error}."
        ) from error
    if not isinstance(row, dict):
        raise errors.DataFileError(
            f"Row {number} of the data file {path!r} is not an object, as in "
            f'{{"text": "good", "label": 1}}.'
        )
    return row
