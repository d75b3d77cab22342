"""Predictions for the examples of a file, in one pass on one graph and one session."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from hub_estimator import errors, files
from hub_estimator.training import checks
from hub_estimator.training.inputs.base import Input
from hub_estimator.training.inputs.failures import clear_errors
from hub_estimator.training.model.model_fn import Model
from hub_estimator.training.running import places
from hub_estimator.training.running.evaluation import LATEST, Choice
from hub_estimator.training.running.folder_model import FolderModel, Settings
from hub_estimator.training.running.interruption import Signals
from hub_estimator.training.running.prediction_formats import Form, Writer
from hub_estimator.training.running.progress import RowCount

_FORMS: dict[str, Form] = {".csv": "csv", ".jsonl": "jsonl"}


@dataclasses.dataclass(frozen=True)
class Predicted:
    """What a prediction made: the file, its number of rows, and the checkpoint's global step."""

    path: str
    num_rows: int
    step: int


def form_of(path: str) -> Form:
    """Returns the form that the name of an output file asks for.

    Raises:
      errors.DataFileError: it is none.
    """
    form = _FORMS.get(os.path.splitext(path)[1])
    if form is None:
        raise errors.DataFileError(
            f"The output {path!r} is neither CSV nor JSON lines. Give it a name that ends in .csv "
            "or .jsonl."
        )
    return form


def predict(
    model_dir: files.PathLike,
    input_path: files.PathLike,
    output_path: files.PathLike,
    model: Model,
    eval_input: Input,
    seed: int = 1,
    checkpoint: Choice = LATEST,
    settings: Settings | None = None,
) -> Predicted:
    """Predicts for each example of a file, and writes a file that is there whole or not at all.

    Args:
      model_dir: a folder in which `train_and_evaluate` ran.
      input_path: data of the form that `eval_input` reads; it needs no labels.
      output_path: the file to write, `.csv` or `.jsonl`; see `prediction_formats`.
      model: the model that was trained.
      eval_input: how to read the data.
      seed: that of training.
      checkpoint: which one to predict with.
      settings: checked before the work starts.

    Returns:
      What was made.

    Raises:
      errors.Error: something is wrong; the class and the message say what.
    """
    source, target = files.as_path(input_path), files.as_path(output_path)
    form = form_of(target)
    if files.is_folder(target):
        raise errors.DataFileError(f"The output {target!r} is a folder. Give the path of a file.")
    checks.made("predict.eval_input", eval_input, "@TextFile()", "prediction_fn")
    made = FolderModel.make("predict", model_dir, model, seed)
    modules = made.check("infer", eval_input)
    files.check_output("The output", target, [("the input", source), *places.of_modules(modules)])
    made.folder.check_not_own("the output", target)
    writer = Writer(made.spec.labels, form)
    if settings is not None:
        settings.check_given_read()
    input_fn = eval_input.prediction_fn(made.spec.without_weights(), source)
    with Signals().listening(), made.folder.pinned(checkpoint.one(made.folder)) as pinned:
        batches = made.estimator.predict(
            input_fn, writer.keys, checkpoint_path=pinned.path, yield_single_examples=False
        )
        rows = _write(target, writer, batches)
    return Predicted(target, rows, pinned.step)


@clear_errors()
def _write(path: str, writer: Writer, batches: Iterable[Mapping[Any, np.ndarray]]) -> int:
    """Writes the predictions; returns the number of rows."""
    folder = files.parent(path)
    if folder:
        files.make_folder(folder)
    files.remove_abandoned(folder or ".")
    with files.whole_file(path) as file, RowCount("predicted").shown() as count:
        file.write(writer.header())
        for predictions in batches:
            file.write(writer.lines(predictions))
            count.add(len(predictions[writer.keys[0]]))
    return count.rows
