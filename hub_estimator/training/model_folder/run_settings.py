"""The settings that a run keeps in its model folder, and whether there are any."""

from __future__ import annotations

from hub_estimator import config, errors, files

_EXPERIMENT = "experiment.txt"


def paths(folder: str) -> tuple[str, str]:
    """Returns the path of the settings that commands read, and of those for people."""
    return files.join(folder, config.OPERATIVE_CONFIG), files.join(folder, _EXPERIMENT)


def check(folder: str) -> None:
    """Checks that there is a model folder with settings that commands read.

    Raises:
      errors.ModelFolderError: there is no folder, or nothing of such a run in it.
    """
    gin_path, python_path = paths(folder)
    if not files.is_folder(folder):
        raise errors.ModelFolderError(f"There is no model folder {folder!r}.")
    if files.exists(python_path):
        raise errors.ModelFolderError(
            f"The run in {folder!r} was made in Python, so commands do not know its settings. "
            "In Python, give the same experiment to training.evaluate, training.predict or "
            "training.export, or to training.predictor(model_dir, experiment=...)."
        )
    if not files.exists(gin_path):
        raise errors.ModelFolderError(
            f"The folder {folder!r} has no {config.OPERATIVE_CONFIG}. Give the --model_dir of a "
            "run of hub_estimator.train."
        )
