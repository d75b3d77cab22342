"""Checks of settings: what a gin file can get wrong, said in one sentence."""

from __future__ import annotations

import inspect
import math
import numbers
import os
from collections.abc import Sequence
from typing import Any

from hub_estimator import errors


def whole_number(name: str, value: Any, least: int = 1) -> None:
    """Checks a setting that is a whole number.

    Args:
      name: the setting, for the message.
      value: what was given.
      least: the smallest value that it may have.

    Raises:
      errors.InvalidSettingError: it is something else.
    """
    if not isinstance(value, numbers.Integral) or isinstance(value, bool):
        raise errors.InvalidSettingError(f"{name} is {value!r}; it must be a whole number.")
    if value < least:
        raise errors.InvalidSettingError(f"{name} is {value}; it must be at least {least}.")


def text(name: str, value: Any) -> None:
    """Checks a setting that is a text.

    Raises:
      errors.InvalidSettingError: it is something else, or empty.
    """
    if not isinstance(value, str) or not value:
        raise errors.InvalidSettingError(f"{name} is {value!r}; it must be a text in quotes.")


def path(name: str, value: Any) -> None:
    """Checks a setting that is a path.

    Raises:
      errors.InvalidSettingError: it is something else, or empty.
    """
    if not isinstance(value, (str, bytes, os.PathLike)) or not value:
        raise errors.InvalidSettingError(f"{name} is {value!r}; it must be a path in quotes.")


def listed(name: str, value: Any, example: str) -> None:
    """Checks a setting that is a list.

    Args:
      name: the setting, for the message.
      value: what was given.
      example: what to write.

    Raises:
      errors.InvalidSettingError: it is something else.
    """
    if not isinstance(value, Sequence) or isinstance(value, (str, bytes)):
        raise errors.InvalidSettingError(
            f"{name} is {shown(value)}; give it a list, as in {example}."
        )


def part(name: str, value: Any, example: str, *attributes: str) -> None:
    """Checks a setting that is a part of the model: an object, not what makes it.

    Args:
      name: the setting, for the message.
      value: what was given.
      example: what to write.
      *attributes: what such a part has.

    Raises:
      errors.InvalidSettingError: it is a class, or lacks an attribute.
    """
    has_all = all(hasattr(value, attribute) for attribute in attributes)
    if isinstance(value, type) or (inspect.isfunction(value) and not has_all):
        raise errors.InvalidSettingError(
            f"{name} is {shown(value)}, which nothing has called: write {example}, with ()."
        )
    if not has_all:
        raise errors.InvalidSettingError(
            f"{name} is {shown(value)}; give it a part like {example}."
        )


def factory(name: str, value: Any, example: str) -> None:
    """Checks a setting that is a function or class: what makes a part, not the part itself.

    Args:
      name: the setting, for the message.
      value: what was given.
      example: what to write.

    Raises:
      errors.InvalidSettingError: it cannot be called.
    """
    if not callable(value):
        raise errors.InvalidSettingError(
            f"{name} is {shown(value)}; give it what makes one, without (): {example}."
        )


def shown(value: Any) -> str:
    """Returns a value for a message, as gin files write it: also what a class or function made."""
    if isinstance(value, type) or inspect.isfunction(value):
        return f"@{value.__name__}"
    says_nothing = type(value).__repr__ is object.__repr__
    return f"@{type(value).__name__}()" if says_nothing else repr(value)


def number(name: str, value: Any, least: float = 0.0, most: float = math.inf) -> None:
    """Checks a setting that is a number.

    Raises:
      errors.InvalidSettingError: it is something else, too small or too great.
    """
    if not isinstance(value, numbers.Real) or isinstance(value, bool):
        raise errors.InvalidSettingError(f"{name} is {value!r}; it must be a number.")
    if not float(value) >= least:
        raise errors.InvalidSettingError(f"{name} is {value}; it must be at least {least:g}.")
    if float(value) > most:
        raise errors.InvalidSettingError(f"{name} is {value}; it must be at most {most:g}.")


def fraction(name: str, value: Any) -> None:
    """Checks a setting that is at least 0 and less than 1.

    Raises:
      errors.InvalidSettingError: it is something else.
    """
    number(name, value)
    if not float(value) < 1:
        raise errors.InvalidSettingError(f"{name} is {value}; it must be less than 1.")


def positive(name: str, value: Any) -> None:
    """Checks a setting that is a number greater than 0.

    Raises:
      errors.InvalidSettingError: it is something else.
    """
    number(name, value)
    if not float(value) > 0:
        raise errors.InvalidSettingError(f"{name} is {value}; it must be greater than 0.")
