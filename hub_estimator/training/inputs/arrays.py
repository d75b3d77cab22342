"""Examples that a program already has: numpy arrays and pandas frames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from hub_estimator import errors, files, texts
from hub_estimator.training import checks
from hub_estimator.training.inputs.columns import ColumnName, ColumnNames, Table
from hub_estimator.training.inputs.label_columns import LabelNames
from hub_estimator.training.inputs.table_input import TableInput, check_features

_LABELS = "labels"


class Arrays(TableInput):
    """Numpy arrays, or lists.

    A feature is of the type and shape that the model takes; images of 8 bits are converted to
    `[0, 1]`. Labels are numbers, or the names of classes; of a head that takes any of several classes
    `[N, K]` of zeros and ones, or lists of classes.

    Args:
      features: the values of each feature by name, `[N, ...]`.
      labels: the labels, `[N]` or `[N, K]`; of several heads, by their names. None where there are
        none, for prediction only.
      batch_size: `B`, the number of examples in a step.
      class_names: the names of the classes in the order of their numbers.

    Raises:
      errors.InvalidSettingError: a setting is of another type or size, or there are no examples.
    """

    def __init__(
        self,
        features: Mapping[str, Any],
        labels: Any = None,
        batch_size: int = 128,
        class_names: Sequence[str] | None = None,
    ) -> None:
        if not isinstance(features, Mapping) or not features:
            raise errors.InvalidSettingError(
                f"Arrays.features is {features!r}; give it a dict, as in {{'text': texts}}."
            )
        # A head may be called like a feature: each has a column of its own.
        columns = {_column("features", name): values for name, values in features.items()}
        label: LabelNames = _LABELS
        if isinstance(labels, Mapping):
            label = {head: _column(_LABELS, head) for head in labels}
            columns |= {_column(_LABELS, head): values for head, values in labels.items()}
        elif labels is not None:
            columns[_LABELS] = labels
        self._columns = {name: _sequence(name, values) for name, values in columns.items()}
        _check_lengths(self._columns)
        super().__init__(
            {name: _column("features", name) for name in features}, label, batch_size, class_names
        )

    @property
    def feature_columns(self) -> Mapping[str, ColumnNames]:
        """The features, each by its own name."""
        return {name: name for name in self._features}

    @property
    def row_numbers(self) -> None:
        """Their order: reports find the images among the examples by it."""
        return None

    def _column_to_keep(self, name: str) -> ColumnName:
        if name not in self._features:
            raise errors.ColumnNotFoundError(
                f"The arrays have no feature {name!r} to keep. They have: "
                f"{texts.shown_names(self.feature_names)}."
            )
        return _column("features", name)

    def _read_table(self, names: Sequence[ColumnName], path: files.PathLike | None) -> Table:
        _check_no_path("Arrays", path)
        if not set(names) <= set(self._columns):
            raise errors.InvalidSettingError(
                "Arrays.labels is not given; without labels, arrays are good for prediction only."
            )
        chosen: dict[ColumnName, Any] = {name: self._columns[str(name)] for name in names}
        return Table("the arrays", chosen, first_row=0)


class Frame(TableInput):
    """A pandas frame of texts, numbers and labels; each row is an example.

    Args:
      frame: a `pandas.DataFrame`.
      features: the column, or the list of columns, of each feature, by feature name.
      label: the column of the labels, or a list of columns; of several heads, a dict by their names.
      batch_size: `B`, the number of examples in a step.
      class_names: the names of the classes in the order of their numbers.
      separator: what is between the classes of an example in one text.
      split_by: where a fraction of it is held out: the column, or the columns, by which examples stay
        together, such as their author; None is the columns of the features.

    Raises:
      errors.InvalidSettingError: a setting is of another type or size.
    """

    def __init__(
        self,
        frame: Any,
        features: Mapping[str, ColumnNames] | None = None,
        label: LabelNames = "label",
        batch_size: int = 128,
        class_names: Sequence[str] | None = None,
        separator: str = "|",
        split_by: ColumnNames | None = None,
    ) -> None:
        checks.part("Frame.frame", frame, "pandas.DataFrame", "columns", "iloc")
        features = {"text": "text"} if features is None else features
        check_features("Frame.features", features)
        checks.text("Frame.separator", separator)
        super().__init__(features, label, batch_size, class_names, separator, split_by)
        self._frame = frame

    def _read_table(self, names: Sequence[ColumnName], path: files.PathLike | None) -> Table:
        _check_no_path("Frame", path)
        found = frame_columns(self._frame, names)
        if not len(self._frame):
            raise errors.DataFileError("The frame has no rows.")
        return Table("the frame", found, first_row=0)


def frame_columns(frame: Any, names: Sequence[ColumnName]) -> dict[ColumnName, np.ndarray]:
    """Returns columns of a pandas frame, `[N]` each.

    Raises:
      errors.ColumnNotFoundError: it has no such column.
      errors.DataFileError: it has it more than once.
    """
    there = list(frame.columns)
    for name in names:
        count = there.count(name)
        if not count:
            raise errors.ColumnNotFoundError(
                f"The frame has no column {name!r}. It has: {texts.shown_names(there)}."
            )
        if count > 1:
            raise errors.DataFileError(
                f"The frame has the column {name!r} {count} times: rename or remove all but one."
            )
    return {name: plain_values(frame[name].to_numpy()) for name in names}


def plain_values(values: np.ndarray) -> np.ndarray:
    """Returns what pandas gives: its own types of texts, categories and numbers become Python's."""
    return values if values.dtype.kind in "iufb" else values.astype(object)


def _column(setting: str, name: str) -> str:
    return f"{setting}[{name!r}]"


def _sequence(name: str, values: Any) -> Any:
    """Returns a list as it is, for its elements may be lists, and anything else as an array."""
    if isinstance(values, (list, tuple)):
        return list(values)
    array = np.asarray(values)
    if array.ndim == 0:
        raise errors.InvalidSettingError(
            f"Arrays.{name} is {values!r}; give it an array, or a list."
        )
    return array


def _check_lengths(columns: Mapping[str, Any]) -> None:
    lengths = {name: len(values) for name, values in columns.items()}
    if len(set(lengths.values())) != 1 or not min(lengths.values()):
        shown = ", ".join(f"{name} has {length}" for name, length in lengths.items())
        raise errors.InvalidSettingError(
            f"Arrays need equally many examples, at least one, but {shown}."
        )


def _check_no_path(kind: str, path: files.PathLike | None) -> None:
    if path is not None:
        raise errors.PartsMismatchError(
            f"{kind} reads no files, but is to predict for {path!r}. Use an input that reads such "
            "files, as TextFile does."
        )
