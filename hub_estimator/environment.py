"""What a process may use, and what environment variables say, read when it is needed."""

from __future__ import annotations

import os
from collections.abc import Mapping

from hub_estimator import errors

_FALSE = frozenset({"", "0", "false", "no", "off"})


def cores() -> int:
    """Returns how many of the processor's cores this process may use."""
    if hasattr(os, "sched_getaffinity"):  # not everywhere
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def is_true(name: str, environment: Mapping[str, str] | None = None) -> bool:
    """Whether a variable is set to anything but a word for no.

    Args:
      name: the variable.
      environment: where to look; None is the process's own.
    """
    env = os.environ if environment is None else environment
    return env.get(name, "").strip().lower() not in _FALSE


def number(
    name: str, default: float, most: float, environment: Mapping[str, str] | None = None
) -> float:
    """Returns the number above zero that a variable has.

    Args:
      name: the variable.
      default: what it is where the variable is not set.
      most: the largest that means something.
      environment: where to look; None is the process's own.

    Raises:
      errors.SettingError: it is something else.
    """
    env = os.environ if environment is None else environment
    text = env.get(name) or default
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not value > 0:
        raise errors.SettingError(f"{name} is {text!r}; it must be a number above zero.")
    if value > most:
        raise errors.SettingError(f"{name} is {text!r}; it can be at most {most:.0e}.")
    return value
