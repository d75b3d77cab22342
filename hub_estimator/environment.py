"""Numbers that environment variables give: limits and times."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping

from hub_estimator import errors


def number_of(name: str, default: float, environment: Mapping[str, str] | None = None) -> float:
    """Returns the number that an environment variable gives.

    Args:
      name: the variable.
      default: what stands where it is not set, or empty.
      environment: where it is looked up; None is the process's own.

    Raises:
      errors.SettingError: its value is no number above zero.
    """
    text = (os.environ if environment is None else environment).get(name) or default
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < math.inf:
        raise errors.SettingError(f"{name} is {text!r}; it must be a number above zero.")
    return value
