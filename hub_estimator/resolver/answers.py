"""What an answer says: its body as it arrives, its numbers, and what its status means.

Nothing in it is believed to be short, quick or well-formed.
"""

from __future__ import annotations

import re
import time
import urllib.parse
from collections.abc import Iterator

import requests

from hub_estimator import errors, texts
from hub_estimator.resolver.handle import Handle
from hub_estimator.resolver.retrying import TransientError
from hub_estimator.resolver.settings import Settings

_CHUNK = 1 << 18
# A body that comes more slowly, for so many timeouts, might go on for days.
_SLOWEST_BYTES_PER_SEC = 100.0
_SLOW_TIMEOUTS = 3
_TRANSIENT = frozenset({408, 425, 429, 500, 502, 503, 504})
_NUMBER = re.compile(r"[0-9]{1,18}")
_MAX_REASON = 80


def pieces(response: requests.Response, settings: Settings) -> Iterator[bytes]:
    """Yields the body of an answer as it arrives, not decoded.

    Raises:
      TransientError: it comes too slowly.
    """
    began, arrived = time.monotonic(), 0
    while piece := response.raw.read1(_CHUNK, decode_content=False):
        yield piece
        arrived += len(piece)
        secs = time.monotonic() - began
        if secs > _SLOW_TIMEOUTS * settings.timeout_secs:
            if arrived < secs * _SLOWEST_BYTES_PER_SEC:
                raise TransientError(f"only {arrived} bytes arrived in {secs:.1f} s")
            began, arrived = time.monotonic(), 0


def number_of(response: requests.Response, header: str) -> int | None:
    """Returns the whole number that an answer has as `header`; None if it has none."""
    text = response.headers.get(header, "").strip()
    return int(text) if _NUMBER.fullmatch(text) else None


def check_is_lasting(response: requests.Response) -> None:
    """Raises a `TransientError` where a host answers that it is in passing trouble."""
    if response.status_code in _TRANSIENT:
        wait_secs = number_of(response, "Retry-After") or 0
        raise TransientError(f"the host answered {_status(response)}", float(wait_secs))


def explain_status(handle: Handle, response: requests.Response) -> errors.HandleError:
    """Returns the error that says what an unwelcome answer means and what to do."""
    status = _status(response)
    host = urllib.parse.urlsplit(response.url).hostname
    if response.status_code in (404, 410):
        return errors.HandleNotFoundError(
            f"There is no module at {handle}: {host} answered {status}. Check the handle and its "
            "version."
        )
    if response.status_code in (401, 403, 407):
        return errors.AccessDeniedError(
            f"{host} refuses {handle}: it answered {status}. Put the login for the machine {host} "
            "into your .netrc file, or ask its owner for access."
        )
    return errors.DownloadError(
        f"{handle} cannot be downloaded: {host} answered {status}. Check the handle."
    )


def _status(response: requests.Response) -> str:
    reason = texts.one_line(response.reason or "", _MAX_REASON)
    return f"{response.status_code} {reason}".strip()
