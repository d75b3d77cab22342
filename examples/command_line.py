"""What the examples' command lines share."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from collections.abc import Iterator

from hub_estimator import errors


@contextlib.contextmanager
def clear_errors() -> Iterator[None]:
    """Shows what is going on, and an error that was foreseen as one line, with exit status 1."""
    # Keeps TensorFlow's remarks about the processor off the screen; it reads this when imported.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        yield
    except errors.Error as e:
        raise SystemExit(f"error: {e}") from e
