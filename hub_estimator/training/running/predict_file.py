"""Predictions for the examples of a file, in one pass: read, predicted and written side by side."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import itertools
import os
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from typing import IO, Any, cast

import numpy as np

from hub_estimator import errors, files
from hub_estimator.progress import Progress
from hub_estimator.training import checks, kept
from hub_estimator.training.experiment import Experiment
from hub_estimator.training.inputs import batches, kept_names
from hub_estimator.training.inputs.base import InputFn
from hub_estimator.training.inputs.failures import clear_errors
from hub_estimator.training.labels.prediction_lines import Form
from hub_estimator.training.model_folder.choice import DEFAULT, CheckpointChoice
from hub_estimator.training.model_folder.model_folder import ModelFolder
from hub_estimator.training.running import places
from hub_estimator.training.running.interruption import Signals
from hub_estimator.training.running.loaded_model import LoadedModel
from hub_estimator.training.running.made_ahead import made_ahead
from hub_estimator.training.running.prediction_formats import Writer
from hub_estimator.training.running.trained_model import TrainedModel

_FORMS: dict[str, Form] = {".csv": "csv", ".jsonl": "jsonl"}
_Predictions = Mapping[Any, np.ndarray]


@dataclasses.dataclass(frozen=True)
class Predicted:
    """What a prediction made.

    Attributes:
      path: the file; empty where an open one was given.
      num_rows: how many rows it has.
      step: the global step of the checkpoint.
    """

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
    output_path: files.PathLike | IO[bytes],
    checkpoint: CheckpointChoice = DEFAULT,
    keep: Sequence[str] = (),
    form: Form | None = None,
) -> Predicted:
    """Predicts for each example of a file, and writes a file that is there whole or not at all.

    Args:
      experiment: what was trained.
      model_dir: the folder in which `train_and_evaluate` ran.
      input_path: data of the form that the experiment's `eval_input` reads; it needs no labels.
      output_path: the file to write, `.csv` or `.jsonl`; see `prediction_formats`. Or an open file of
        bytes, which gets each batch when it is predicted.
      checkpoint: which one to predict with.
      keep: columns of the input to have in the output too, before what is predicted, such as
        `["id"]`. The path of an image is always there.
      form: that of an open file, `"csv"` or `"jsonl"`; None is CSV. That of a path is by its name.

    Returns:
      What was made.

    Raises:
      errors.Error: something is wrong; the class and the message say what.
    """
    source, eval_input = files.as_path(input_path), experiment.eval_input
    is_open = hasattr(output_path, "write")
    output = cast(IO[bytes], output_path) if is_open else files.as_path(cast(Any, output_path))
    target = output if isinstance(output, str) else None
    form = _checked_form(target, form)
    checks.part("Experiment.eval_input", eval_input, "@TextFile()", "prediction_fn")
    names = kept_names.names_to_keep(eval_input, kept.check(keep, "predict.keep"))
    folder = ModelFolder(files.as_path(model_dir))
    trained = TrainedModel.of(experiment, folder)
    built = trained.check("infer", eval_input)
    if target is not None:
        read = [("the input", source), *places.of_modules(built.origins)]
        files.check_output("The output", target, read)
        folder.check_not_own("the output", target)
    writer = Writer(trained.spec.labels, form, names)
    if experiment.source is not None:
        experiment.source.check_given_read()
    spec, config = trained.spec.without_weights(), trained.estimator.config
    input_fn = kept_names.prediction_fn(eval_input, spec, source, names)
    chosen = checkpoint.one(folder, experiment.goal, experiment.ends_on)
    with Signals().listening(), folder.pinned(chosen) as pinned:
        hooks = built.spec.prediction_hooks or ()
        loading = functools.partial(LoadedModel, built, writer.keys, pinned.path, config, hooks)
        rows = _write(output, writer, _predicted(input_fn, loading, config))
    return Predicted(target or "", rows, pinned.step)


def _checked_form(target: str | None, form: Form | None) -> Form:
    """Returns the form of the output; `target` is None where it is an open file."""
    if target is None:
        if form not in (None, *_FORMS.values()):
            raise errors.InvalidSettingError(
                f"predict.form is {form!r}; it must be one of 'csv', 'jsonl'."
            )
        return form or "csv"
    by_name = form_of(target)
    if form not in (None, by_name):
        raise errors.InvalidSettingError(
            f"predict.form is {form!r}, but the output {target!r} is {by_name} by its name. Leave "
            "form out, or rename the output."
        )
    if files.is_folder(target):
        raise errors.DataFileError(f"The output {target!r} is a folder. Give the path of a file.")
    return by_name


def _predicted(
    input_fn: InputFn, loading: Callable[[], LoadedModel], config: Any
) -> Generator[_Predictions, None, None]:
    """Gives the predictions for each batch, and what is kept of it, by key."""
    with batches.reading(input_fn, config) as given, loading() as model:
        run = functools.partial(_of_batch, model)
        wanted = itertools.takewhile(lambda _: not model.should_stop(), given)
        yield from made_ahead(run, wanted, model.calls_at_once)


def _of_batch(model: LoadedModel, batch: Mapping[str, np.ndarray]) -> _Predictions:
    features, to_keep = kept.split(batch)
    return {**model.predictions(features), **to_keep}


@clear_errors()
def _write(
    output: str | IO[bytes],
    writer: Writer,
    predicted: Generator[_Predictions, None, None],
) -> int:
    """Writes the predictions; returns the number of rows."""
    shown = Progress(_line, unit=" rows", desc="predicted")
    with _opened(output) as file, shown as progress, contextlib.closing(predicted):
        header = writer.header()  # of an open file not before the data is known to be right
        for predictions in predicted:
            file.write(header + writer.lines(predictions))
            header = b""
            if not isinstance(output, str):
                file.flush()  # somebody may wait for it
            progress.add(len(predictions[writer.keys[0]]))
        file.write(header)
        progress.say(_line(progress))
    return int(progress.done)


@contextlib.contextmanager
def _opened(output: str | IO[bytes]) -> Iterator[Any]:
    """Gives the file to write to; of a path it is there in the end, whole."""
    if not isinstance(output, str):
        yield output
        return
    folder = files.parent(output)
    if folder:
        files.make_folder(folder)
    files.remove_abandoned(folder or ".")
    with files.whole_file(output) as file:
        yield file


def _line(progress: Progress) -> str:
    rate = progress.done / max(progress.seconds, 1e-9)
    return f"predicted {progress.done:.0f} rows, {rate:.0f} rows/s"
