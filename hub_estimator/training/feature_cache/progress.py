"""Shows how far a computation is: a bar on a terminal, lines in a log."""

from __future__ import annotations

import contextlib
import logging
import sys
import time
from collections.abc import Iterator
from typing import Any

_EVERY_SECS = 10.0

_logger = logging.getLogger("hub_estimator")


class Progress:
    """The progress through a known number of examples.

    Args:
      what: what is computed.
      total: the number of examples.

    Attributes:
      done: the number of examples that are done.
    """

    def __init__(self, what: str, total: int) -> None:
        self.done = 0
        self._what, self._total = what, total
        self._bar: Any = None
        self._said = 0.0

    @contextlib.contextmanager
    def shown(self, done: int) -> Iterator[Progress]:
        """Shows the progress for the time of a `with` block, from `done` examples on."""
        self.done = done
        start = time.monotonic()
        if sys.stderr.isatty():
            from tqdm import tqdm

            self._bar = tqdm(total=self._total, initial=done, unit=" examples", desc=self._what)
        else:
            self._say("computing")
        try:
            yield self
            if self._bar is None:
                self._say("computed", f" in {time.monotonic() - start:.1f} s")
        finally:
            if self._bar is not None:
                self._bar.close()

    def add(self, count: int) -> None:
        """Says that `count` more examples are done."""
        self.done += count
        if self._bar is not None:
            self._bar.update(count)
        elif time.monotonic() - self._said > _EVERY_SECS:
            self._say("computing")

    def _say(self, how: str, took: str = "") -> None:
        self._said = time.monotonic()
        _logger.info("%s %s: %d of %d%s", how, self._what, self.done, self._total, took)
