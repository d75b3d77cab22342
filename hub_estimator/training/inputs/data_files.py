"""Data files while they are read: whatever goes wrong is one error that names the file."""

from __future__ import annotations

import contextlib
import sys
import zlib
from collections.abc import Iterator

from hub_estimator import errors


@contextlib.contextmanager
def reading(what: str, path: str) -> Iterator[None]:
    """Raises what reading a file raises as one error that names it; errors of ours but one as they are.

    Args:
      what: what the file is called.
      path: the file.

    Raises:
      errors.DataFileError: it cannot be read, or is none.
    """
    try:
        yield
    except _kinds() as error:
        if isinstance(error, errors.Error) and not isinstance(error, errors.NotAFileError):
            raise
        raise errors.DataFileError(
            f"The {what} {path!r} cannot be read: {str(error).rstrip('.')}."
        ) from error


def _kinds() -> tuple[type[Exception], ...]:
    """Returns what reading raises; TensorFlow's own errors only where somebody imported it."""
    tensorflow = sys.modules.get("tensorflow")
    of_tensorflow = () if tensorflow is None else (tensorflow.errors.OpError,)
    return (OSError, EOFError, zlib.error, *of_tensorflow)
