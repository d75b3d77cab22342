"""How far something is: a bar on a terminal, lines in the log elsewhere."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable
from typing import Any

EVERY_SECS = 10.0
"""Seconds between two lines, where nobody says how many."""

_logger = logging.getLogger("hub_estimator")


class Progress:
    """The progress through something; a context manager, which takes the bar away in the end.

    Args:
      line: returns the line for the log, given how much is done.
      with_bar: whether to show a bar; None is where standard error is a terminal.
      every_secs: seconds between two lines.
      **bar: the bar's settings, those of `tqdm.tqdm`: `desc`, `total`, `initial`, `unit`, ...

    Attributes:
      done: how much is done, in the unit.
      total: how much there is; None is not known.
    """

    def __init__(
        self,
        line: Callable[[Progress], str],
        with_bar: bool | None = None,
        every_secs: float = EVERY_SECS,
        **bar: Any,
    ) -> None:
        self.done = bar.get("initial", 0)
        self.total = bar.get("total")
        self._line = line
        self._every_secs = every_secs
        self._started = self._said = time.monotonic()
        self._bar = _new_bar(bar) if with_bar or (with_bar is None and _is_terminal()) else None

    def __enter__(self) -> Progress:  # noqa: PYI034 - `Self` is not in every Python here
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Takes the bar away."""
        if self._bar is not None:
            self._bar.close()

    @property
    def seconds(self) -> float:
        """The seconds since it began."""
        return time.monotonic() - self._started

    def at(self, done: float, total: float | None = None, **shown: str) -> None:
        """Says how much is done now, and shows it when it is time to.

        Args:
          done: how much.
          total: of how much, where that was not known before.
          **shown: what the bar shows beside it.
        """
        before, self.done = self.done, done
        self.total = self.total if total is None else total
        if self._bar is not None:
            self._bar.total = self.total
            if shown:
                self._bar.set_postfix(**shown, refresh=False)
            self._bar.update(done - before)
        elif time.monotonic() - self._said >= self._every_secs:
            self.say(self._line(self))

    def add(self, count: float) -> None:
        """Says that so much more is done; see `at`."""
        self.at(self.done + count)

    def say(self, line: str) -> None:
        """Puts a line into the log, where there is no bar."""
        if self._bar is None:
            self._said = time.monotonic()
            _logger.info("%s", line)


def _is_terminal() -> bool:
    return sys.stderr.isatty()


def _new_bar(settings: dict[str, Any]) -> Any:
    import tqdm

    return tqdm.tqdm(**settings)
