"""Exports a checkpoint of a model folder: the modules in the model, or the model for serving."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from hub_estimator import errors, files
from hub_estimator.training.experiment import Experiment
from hub_estimator.training.exporters import folders
from hub_estimator.training.exporters.base import Content, ExportSource, naming_failures
from hub_estimator.training.exporters.checkpoint_reading import read_checkpoint
from hub_estimator.training.exporters.modules import RegisteredModules
from hub_estimator.training.exporters.servables import WholeModel
from hub_estimator.training.model_folder.checkpoints import Checkpoint
from hub_estimator.training.model_folder.choice import DEFAULT, CheckpointChoice
from hub_estimator.training.model_folder.history import metrics_of
from hub_estimator.training.model_folder.model_folder import ModelFolder
from hub_estimator.training.running import places
from hub_estimator.training.running.exported import Exported
from hub_estimator.training.running.interruption import Signals
from hub_estimator.training.running.trained_model import TrainedModel
from hub_estimator.training.serving import Form, ServingInput, check_form

What = Literal["modules", "model"]
WHAT: tuple[What, ...] = ("modules", "model")


def export(
    experiment: Experiment,
    model_dir: files.PathLike,
    export_path: files.PathLike,
    checkpoint: CheckpointChoice = DEFAULT,
    what: What = "modules",
    receives: Form = "features",
) -> Exported:
    """Exports one checkpoint of a model folder; the folder appears whole or not at all.

    Args:
      experiment: what was trained.
      model_dir: the folder in which `train_and_evaluate` ran.
      export_path: the folder to make. Modules come into `<export_path>/<export_name>/`; the model
        is a SavedModel itself. Beside them is what exporters write there, see `FolderExporter`.
      checkpoint: which one to export.
      what: `"modules"`, those of the encoders with an `export_name`, or `"model"`, for serving.
      receives: the form of a request to the model for serving; see `ServingInput`.

    Returns:
      What was exported.

    Raises:
      errors.Error: something is wrong; the class and the message say what.
    """
    target = files.as_path(export_path).rstrip("/")
    folder = ModelFolder(files.as_path(model_dir))
    trained = TrainedModel.of(experiment, folder)
    source = _source(trained, what, receives)
    folders.check_free(target)
    modules = trained.check_model("infer").origins
    files.check_output("The export", target, places.of_modules(modules))
    folder.check_not_own("the export", target)
    if experiment.source is not None:
        experiment.source.check_given_read()
    files.remove_abandoned(files.parent(target) or ".")
    chosen = checkpoint.one(folder, experiment.goal, experiment.ends_on)
    with Signals().listening(), folder.pinned(chosen) as pinned:
        _write(source, trained, pinned, target)
    return Exported(target, tuple(folders.modules_in(target)), pinned.step)


def _write(source: ExportSource, trained: TrainedModel, pinned: Checkpoint, target: str) -> None:
    with source.opened(trained.estimator, pinned.path) as write:
        if write is None:
            raise errors.ExportError(
                "The model has no module to export. Set Encoder.export_name or Model.export_name, "
                "or the export_name of a feature column, or export the whole model for serving."
            )
        values = read_checkpoint(pinned.path)
        content = Content(write, values, _metrics(trained.folder, pinned))
        with content.written(target) as scratch, naming_failures(f"The export {target!r}"):
            if not folders.place(scratch, target):
                raise files.export_path_taken(target)  # by another process meanwhile


def _source(trained: TrainedModel, what: What, receives: Form) -> ExportSource:
    if what not in WHAT:
        raise errors.InvalidSettingError(
            f"export.what is {what!r}; it must be one of {', '.join(map(repr, WHAT))}."
        )
    check_form("export.receives", receives)
    if what == "modules":
        return RegisteredModules("export", ServingInput(trained.spec))
    return WholeModel(ServingInput(trained.spec, receives))


def _metrics(folder: ModelFolder, checkpoint: Checkpoint) -> Mapping[str, Any] | None:
    """Returns the metrics of the checkpoint's evaluation in training; None without one."""
    found = {evaluation["step"]: evaluation for evaluation in folder.history().evaluations()}.get(
        checkpoint.step
    )
    return None if found is None else metrics_of(found)
