"""Whether the data is there at all, or a fraction in its place, which needs no TensorFlow to know."""

from __future__ import annotations

import numbers
from typing import Any

from hub_estimator import errors, files
from hub_estimator.training import checks


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


def check_path_or_fraction(name: str, given: Any) -> None:
    """Checks a setting that is a path, or in its place a fraction of the training data.

    Args:
      name: the setting, for messages.
      given: what was given.

    Raises:
      errors.InvalidSettingError: it is neither.
    """
    if isinstance(given, numbers.Integral):
        raise errors.InvalidSettingError(
            f"{name} is {given!r}; it must be a path in quotes or, to evaluate on a part of the training "
            "data, the fraction to hold out: more than 0 and less than 1, such as 0.1."
        )
    if is_fraction(given):
        check_fraction(name, given)
    else:
        checks.path(name, given)


def is_fraction(given: Any) -> bool:
    """Whether what was given in the place of a path is a fraction, a right one or a wrong one."""
    return isinstance(given, numbers.Real) and not isinstance(given, numbers.Integral)


def check_fraction(name: str, given: Any) -> None:
    """Checks a setting that is how much of the training data to evaluate on.

    Raises:
      errors.InvalidSettingError: it is not between 0 and 1.
    """
    if not 0 < given < 1:
        raise errors.InvalidSettingError(
            f"{name} is {given}; as a fraction of the training data, it must be between 0 and 1."
        )
