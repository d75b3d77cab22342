"""Whether the data is there at all, which needs no TensorFlow to know."""

from __future__ import annotations

from hub_estimator import errors, files


def check_file(path: str) -> None:
    """Checks that there is something at the path of a data file.

    Raises:
      errors.DataFileNotFoundError: there is nothing.
    """
    if not files.exists(path):
        raise errors.DataFileNotFoundError(f"There is no data file {path!r}.")


def check_folder(path: str) -> None:
    """Checks that there is a folder of images at a path.

    Raises:
      errors.DataFileNotFoundError: there is nothing.
      errors.DataFileError: there is a file.
    """
    if not files.exists(path):
        raise errors.DataFileNotFoundError(f"There is no folder {path!r}.")
    if not files.is_folder(path):
        raise errors.DataFileError(f"{path!r} is a file; a folder of images is needed.")
