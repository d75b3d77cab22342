"""Predictions for the examples of a file, in one pass on one graph and one session."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from hub_estimator import errors, files
from hub_estimator.progress import Progress
from hub_estimator.training import checks
from hub_estimator.training.experiment import Experiment
from hub_estimator.training.inputs.failures import clear_errors
from hub_estimator.training.labels.prediction_lines import Form
from hub_estimator.training.model_folder.choice import DEFAULT, CheckpointChoice
from hub_estimator.training.model_folder.model_folder import ModelFolder
from hub_estimator.training.running import places
from hub_estimator.training.running.interruption import Signals
from hub_estimator.training.running.prediction_formats import Writer
from hub_estimator.training.running.trained_model import TrainedModel

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
    experiment: Experiment,
    model_dir: files.PathLike,
    input_path: files.PathLike,
    output_path: files.PathLike,
    checkpoint: CheckpointChoice = DEFAULT,
) -> Predicted:
    """Predicts for each example of a file, and writes a file that is there whole or not at all.

    Args:
      experiment: what was trained.
      model_dir: the folder in which `train_and_evaluate` ran.
      input_path: data of the form that the experiment's `eval_input` reads; it needs no labels.
      output_path: the file to write, `.csv` or `.jsonl`; see `prediction_formats`.
      checkpoint: which one to predict with.

    Returns:
      What was made.

    Raises:
      errors.Error: something is wrong; the class and the message say what.
    """
    source, target = files.as_path(input_path), files.as_path(output_path)
    form, eval_input = form_of(target), experiment.eval_input
    if files.is_folder(target):
        raise errors.DataFileError(f"The output {target!r} is a folder. Give the path of a file.")
    checks.part("Experiment.eval_input", eval_input, "@TextFile()", "prediction_fn")
    folder = ModelFolder(files.as_path(model_dir))
    trained = TrainedModel.of(experiment, folder)
    modules = trained.check("infer", eval_input)
    files.check_output("The output", target, [("the input", source), *places.of_modules(modules)])
    folder.check_not_own("the output", target)
    writer = Writer(trained.spec.labels, form)
    if experiment.source is not None:
        experiment.source.check_given_read()
    input_fn = eval_input.prediction_fn(trained.spec.without_weights(), source)
    chosen = checkpoint.one(folder, experiment.goal, experiment.ends_on)
    with Signals().listening(), folder.pinned(chosen) as pinned:
        batches = trained.estimator.predict(
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
    shown = Progress(_line, unit=" rows", desc="predicted")
    with files.whole_file(path) as file, shown as progress:
        file.write(writer.header())
        for predictions in batches:
            file.write(writer.lines(predictions))
            progress.add(len(predictions[writer.keys[0]]))
        progress.say(_line(progress))
    return int(progress.done)


def _line(progress: Progress) -> str:
    rate = progress.done / max(progress.seconds, 1e-9)
    return f"predicted {progress.done:.0f} rows, {rate:.0f} rows/s"
