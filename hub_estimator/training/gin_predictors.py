"""Predictors of model folders, which need nothing but the folder: its settings are read from there."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from hub_estimator import errors, files
from hub_estimator.training.experiment import Experiment
from hub_estimator.training.gin_experiments import from_gin
from hub_estimator.training.model_folder.choice import DEFAULT, CheckpointChoice
from hub_estimator.training.model_folder.model_folder import ModelFolder
from hub_estimator.training.running.predictor import Predictor

_OPENING = threading.Lock()
"""Held while gin, of which a process has one, has the settings of a folder."""


def predictor(
    model_dir: files.PathLike,
    experiment: Experiment | None = None,
    checkpoint: CheckpointChoice | str | int = DEFAULT,
    gin_bindings: Sequence[str] = (),
    allowed_imports: Sequence[str] = (),
) -> Predictor:
    """Loads the model of a model folder once, for rows that a program has.

        with training.predictor("/tmp/model", checkpoint="best") as predictor:
            predictor.predict(["a good one", "a bad one"])

    Any number of them may be open at once. Where the settings are read from the folder, call it
    outside of `from_gin` blocks: a process has one configuration at a time, and this one takes the
    place of others until it returns.

    Args:
      model_dir: the folder in which training ran.
      experiment: what was trained, where it was made in Python; None reads the folder's settings, as
        data.
      checkpoint: which one to predict with: `"latest"`, `"best"`, a step, or a `CheckpointChoice`.
      gin_bindings: settings that differ from the training's, such as `"MODULE = '/modules/moved'"`.
      allowed_imports: modules to import before; see `from_gin`.

    Returns:
      The predictor.

    Raises:
      errors.ModelFolderError: no training ran in this folder, or it was made in Python.
      errors.Error: see `from_gin` and `Predictor`.
    """
    if not isinstance(checkpoint, CheckpointChoice):
        checkpoint = CheckpointChoice(checkpoint)
    if experiment is not None:
        if gin_bindings or allowed_imports:
            raise errors.InvalidSettingError(
                "predictor.experiment is given, so gin_bindings and allowed_imports have no effect. "
                "Change the experiment with dataclasses.replace, or leave it out."
            )
        return Predictor(experiment, model_dir, checkpoint)
    folder = ModelFolder(files.as_path(model_dir))
    folder.check()
    given = [folder.operative_config], gin_bindings, allowed_imports
    with _OPENING, from_gin(*given) as trained:
        return Predictor(trained, model_dir, checkpoint)
