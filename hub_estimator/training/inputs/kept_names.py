"""Inputs asked for something of each example beside its features; those of somebody else too."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

from hub_estimator import errors, files
from hub_estimator.training.example_spec import ExampleSpec
from hub_estimator.training.inputs.base import Input, InputFn

_PARAMETER = "keep"


def names_to_keep(source: Input, asked: Sequence[str]) -> tuple[str, ...]:
    """Returns what is kept of the examples of an input: what always is, and what is asked for.

    Args:
      source: the input.
      asked: what is asked for, by name.

    Raises:
      errors.ColumnNotFoundError: something is asked for of an input that keeps nothing.
    """
    names = tuple(dict.fromkeys([*getattr(source, "always_kept", ()), *asked]))
    if names and not _takes_names(source.prediction_fn):
        raise errors.ColumnNotFoundError(
            f"{type(source).__name__} gives the features of its examples alone, so it has no "
            f"{', '.join(map(repr, asked))} to keep. The inputs of columns do: TextFile, JsonlFile, "
            "Frame, Arrays."
        )
    return names


def prediction_fn(
    source: Input, spec: ExampleSpec, path: files.PathLike | None, keep: Sequence[str]
) -> InputFn:
    """Returns `source.prediction_fn`, asked for what `names_to_keep` returned."""
    return source.prediction_fn(spec, path, **_asked(keep))


def evaluation_fn(source: Input, spec: ExampleSpec, keep: Sequence[str]) -> InputFn:
    """Returns `source.evaluation_fn`, asked for what `names_to_keep` returned."""
    return source.evaluation_fn(spec, **_asked(keep))


def _asked(keep: Sequence[str]) -> dict[str, Any]:
    """Returns the argument; none where nothing is kept, for inputs that do not know it."""
    return {_PARAMETER: keep} if keep else {}


def _takes_names(function: Callable[..., Any]) -> bool:
    return _PARAMETER in inspect.signature(function).parameters
