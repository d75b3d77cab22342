"""Saving a Keras model with a module in it, and loading it again."""

from __future__ import annotations

from typing import Any

from hub_estimator import errors, files

ENDING = ".keras"
_ENDING = (
    "The model would be saved as %s, and Keras saves models as files that end in %s. "
    "Give a path such as %s."
)


class WrongEndingError(errors.Error, ValueError):
    """A file's name does not end as Keras wants it."""


def check_path(path: str, **reads: str) -> None:
    """Checks that a model can be saved at a path, before it is trained.

    Args:
      path: where.
      **reads: what the command reads, by flag.

    Raises:
      WrongEndingError: the name does not end in `.keras`.
      errors.OutputIsInputError: it is what the command reads, or in that.
    """
    if not path.endswith(ENDING):
        raise WrongEndingError(_ENDING % (path, ENDING, path + ENDING))
    files.check_output("The model", path, [(f"--{flag}", read) for flag, read in reads.items()])


def save_and_load(model: Any, path: str) -> Any:
    """Saves a model and returns what is loaded again: as trained, and not by the module's values."""
    import tensorflow as tf

    files.make_folder(files.parent(path))
    model.save(path)
    print(f"saved as {path}")
    return tf.keras.models.load_model(path)
