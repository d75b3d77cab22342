"""Predictions for rows that a program has, as often as it likes: one graph, one session."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Any

import numpy as np

from hub_estimator import errors, files
from hub_estimator.training.example_spec import ExampleSpec
from hub_estimator.training.experiment import Experiment
from hub_estimator.training.inputs import given_rows
from hub_estimator.training.inputs.base import check_spec
from hub_estimator.training.inputs.columns import ColumnName, ColumnNames, Table
from hub_estimator.training.inputs.failures import clear_errors
from hub_estimator.training.inputs.values import Column
from hub_estimator.training.model_folder.choice import DEFAULT, CheckpointChoice
from hub_estimator.training.model_folder.model_folder import ModelFolder
from hub_estimator.training.running.image_decoder import ImageDecoder
from hub_estimator.training.running.loaded_model import LoadedModel
from hub_estimator.training.running.prediction_formats import Writer
from hub_estimator.training.running.trained_model import TrainedModel

_BATCH_SIZE = 128  # of an input that has none of its own


class Predictor:
    """The model of a model folder, loaded once, for rows that a program has.

    Several threads may call `predict` at once. `close`, which a `with` block calls in the end, waits
    for those that are under way.

    Args:
      experiment: what was trained; it is needed no longer than this call.
      model_dir: the folder in which `train_and_evaluate` ran.
      checkpoint: which one to predict with.

    Attributes:
      step: the global step of the checkpoint.

    Raises:
      errors.Error: something is wrong; the class and the message say what.
    """

    def __init__(
        self,
        experiment: Experiment,
        model_dir: files.PathLike,
        checkpoint: CheckpointChoice = DEFAULT,
    ) -> None:
        folder = ModelFolder(files.as_path(model_dir))
        trained = TrainedModel.of(experiment, folder)
        built = trained.check_model("infer")
        self._model_dir = folder.path
        self._labels = trained.spec.labels
        self._spec = trained.spec.without_weights()
        self._columns = _columns(experiment.eval_input, self._spec)
        self._batch_size = getattr(experiment.eval_input, "batch_size", _BATCH_SIZE)
        with folder.pinned(checkpoint.one(folder, experiment.goal, experiment.ends_on)) as pinned:
            self.step = pinned.step
            keys = Writer(self._labels, "jsonl").keys
            self._model = LoadedModel(built, keys, pinned.path, trained.estimator.config)
        self._decoder = ImageDecoder(self._spec.features)
        if experiment.source is not None:
            experiment.source.check_given_read()
        self._idle = threading.Condition()
        self._num_calls = 0
        self._is_closed = False

    def predict(self, rows: Any) -> list[dict[str, Any]]:
        """Predicts for each row.

        Args:
          rows: texts, or what else the one column of the model holds, in a list or an array; dicts of
            the columns, in a list; a dict of columns, lists or arrays; or a pandas frame. Columns have
            the names that the data for training has. Images are paths, the contents of files as
            bytes, or arrays `[H, W, C]` of the size that the model takes, whole numbers of 8 bits or
            real ones of 0 to 1.

        Returns:
          For each row what `training.predict` writes as a line of JSON, `"row"` from 1 on.

        Raises:
          errors.ClosedError: the predictor is closed.
          errors.ColumnNotFoundError: a column is missing.
          errors.DataFileError: a value is none that the model takes; the message says where, the first
            row being 1.
          errors.InputError: the rows are of another kind.
          errors.PredictionNotFiniteError: a prediction is not a number, or infinite.
        """
        with self._calling(), clear_errors():
            table = given_rows.read(rows, _names(self._columns))
            if not len(table):
                return []
            given = self._values(table)
            # The command's own lines, of batches of the same size: so the numbers are the same.
            writer, size = Writer(self._labels, "jsonl"), self._batch_size
            lines: list[bytes] = []
            for start in range(0, len(table), size):
                batch = np.arange(start, min(start + size, len(table)))
                lines += writer.lines(self._run(given, batch)).splitlines()
            return [json.loads(line) for line in lines]

    def close(self) -> None:
        """Frees the session, when calls that are under way have ended; calling it again does nothing."""
        with self._idle:
            self._is_closed = True
            self._idle.wait_for(lambda: not self._num_calls)
        self._model.close()
        self._decoder.close()

    def __enter__(self) -> Predictor:  # noqa: PYI034 - `Self` is not in every Python here
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    @contextlib.contextmanager
    def _calling(self) -> Iterator[None]:
        """Keeps the session open for the time of a `with` block."""
        with self._idle:
            if self._is_closed:
                raise errors.ClosedError(
                    f"The predictor of {self._model_dir!r} is closed. Call it inside of the `with` "
                    "block, or before close()."
                )
            self._num_calls += 1
        try:
            yield
        finally:
            with self._idle:
                self._num_calls -= 1
                self._idle.notify_all()

    def _values(self, table: Table) -> dict[str, Column]:
        """Returns the values of all rows by feature; of images that are files, these."""
        found: dict[str, Column] = {}
        for name, spec in self._spec.features.items():
            names = self._columns[name]
            values: Column | None = None
            if self._decoder.decodes(name) and isinstance(names, (str, int)):
                values = given_rows.image_contents(table, names)
            if values is None:
                values = given_rows.feature(table, name, names, spec)
            found[name] = values
        return found

    def _run(self, given: Mapping[str, Column], rows: np.ndarray) -> Mapping[Any, np.ndarray]:
        feeds = {}
        for name in self._spec.features:
            values = given[name][rows]
            if self._decoder.decodes(name) and values.dtype == object:
                values = self._decoder(name, values, rows, given_rows.WHAT)
            feeds[name] = values
        predictions: Mapping[Any, np.ndarray] = self._model.predictions(feeds)
        return predictions


def _columns(source: Any, spec: ExampleSpec) -> Mapping[str, ColumnNames]:
    """Returns the columns of each feature that the model takes, as the data for training has them."""
    named = getattr(source, "feature_columns", None)
    if named is None:
        return {name: name for name in spec.features}
    check_spec(source, spec)
    return {name: named[name] for name in spec.features}


def _names(columns: Mapping[str, ColumnNames]) -> list[ColumnName]:
    """Returns each column once."""
    parts = [[names] if isinstance(names, (str, int)) else names for names in columns.values()]
    return list(dict.fromkeys(name for part in parts for name in part))
