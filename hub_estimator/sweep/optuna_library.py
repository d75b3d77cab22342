"""Optuna, which the extra `sweep` brings: loaded when it is needed, and quiet."""

from __future__ import annotations

import contextlib
import importlib
import logging
import warnings
from collections.abc import Iterator
from typing import Any

from hub_estimator import errors


def module(name: str = "") -> Any:
    """Returns Optuna, or one of its modules.

    Raises:
      errors.MissingExtraError: it is not installed.
    """
    try:
        found = importlib.import_module(f"optuna.{name}" if name else "optuna")
    except ImportError as error:
        raise errors.MissingExtraError(
            "Sweeps need Optuna: pip install 'hub_estimator[sweep]'."
        ) from error
    # What it says of trials is in the sweep's own log.
    logging.getLogger("optuna").setLevel(logging.ERROR)
    return found


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Hides, for the time of a `with` block, that something of Optuna's is experimental there."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", module("exceptions").ExperimentalWarning)
        yield
