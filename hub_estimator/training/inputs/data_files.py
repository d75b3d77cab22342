"""Data files while they are read: whatever goes wrong is one error that names the file."""

from __future__ import annotations

import contextlib
import zlib
from collections.abc import Iterator

import tensorflow as tf

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
    except (OSError, EOFError, zlib.error, tf.errors.OpError) as error:
        if isinstance(error, errors.Error) and not isinstance(error, errors.NotAFileError):
            raise
        raise errors.DataFileError(
            f"The {what} {path!r} cannot be read: {str(error).rstrip('.')}."
        ) from error
