"""Shows how far a download is: a bar on a terminal, log lines otherwise."""

from __future__ import annotations

import logging
import time
from typing import Any

_LOG = logging.getLogger("hub_estimator")
_EVERY_SECS = 15.0


def readable(size: float) -> str:
    """Returns a number of bytes in words: `12.3 MB`."""
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


class Progress:
    """The progress of one download; close it in the end.

    Args:
      shown: what is downloaded.
      bar: show a bar; else write log lines.
    """

    def __init__(self, shown: str, bar: bool):
        self._shown = shown
        self._bar: Any = _new_bar(shown) if bar else None
        self._started = self._said = time.monotonic()
        if self._bar is None:
            _LOG.info("Downloading %s.", shown)

    def close(self) -> None:
        """Takes the bar away."""
        if self._bar is not None:
            self._bar.close()

    def at(self, done: int, total: int | None) -> None:
        """Says that `done` of `total` bytes are here."""
        if self._bar is not None:
            self._bar.total = total
            self._bar.update(done - self._bar.n)
        elif time.monotonic() - self._said > _EVERY_SECS:
            self._said = time.monotonic()
            of = f" of {readable(total)}" if total else ""
            _LOG.info("Downloading %s: %s%s.", self._shown, readable(done), of)

    def finished(self, size: int) -> None:
        """Says that all `size` bytes are here."""
        if self._bar is None:
            secs = time.monotonic() - self._started
            _LOG.info("Downloaded %s: %s in %.1f s.", self._shown, readable(size), secs)


def _new_bar(shown: str) -> Any:
    import tqdm

    return tqdm.tqdm(desc=shown, unit="B", unit_scale=True, unit_divisor=1000)
