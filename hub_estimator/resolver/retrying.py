"""Tries again what failed in a way that may pass, and says in plain words why it failed."""

from __future__ import annotations

import logging
import random
import re
import time
from collections.abc import Callable
from typing import TypeVar

import requests
import urllib3

from hub_estimator import errors, texts
from hub_estimator.resolver.handle import Handle, without_passwords
from hub_estimator.resolver.settings import Settings

T = TypeVar("T")

_logger = logging.getLogger("hub_estimator")
# An attempt that brought this much was no failure: the count starts again.
_HEADWAY = 1 << 20
_MAX_WAIT_SECS = 30.0
_MAX_REASON = 300


class TransientError(Exception):
    """An attempt failed in a way that may not happen again.

    Args:
      reason: why, in words.
      wait_secs: how long the host asks to wait.
    """

    def __init__(self, reason: str, wait_secs: float = 0.0):
        super().__init__(reason)
        self.wait_secs = wait_secs


def with_retries(
    handle: Handle,
    settings: Settings,
    attempt: Callable[[], T],
    received: Callable[[], int] = lambda: 0,
) -> T:
    """Calls `attempt` until it succeeds, or failed too often without headway.

    Args:
      handle: what messages call it.
      settings: how often to try, how long to wait.
      attempt: what to do.
      received: says how many bytes are here; more than ever before are headway.

    Raises:
      errors.DownloadError: the last attempt failed.
    """
    failures, most = 0, 0
    while True:
        try:
            return attempt()
        except (
            TransientError,
            requests.exceptions.RequestException,
            urllib3.exceptions.HTTPError,
        ) as error:
            failures = 1 if received() - most >= _HEADWAY else failures + 1
            most = max(most, received())
            if failures >= settings.attempts:
                raise errors.DownloadError(
                    f"{handle} cannot be downloaded after {failures} attempts: "
                    f"{plain_reason(error)}. Check the network (HTTPS_PROXY behind a proxy); "
                    "what is in the cache works without: HUB_ESTIMATOR_OFFLINE=1."
                ) from error
            wait = _wait_secs(error, failures, settings)
            _logger.warning(
                "Downloading %s again in %.1f s: %s.", handle, wait, plain_reason(error)
            )
            time.sleep(wait)


def _wait_secs(error: Exception, failures: int, settings: Settings) -> float:
    # Spread, so that many clients of a host in trouble do not come back all at once.
    own = settings.first_wait_secs * 2 ** (failures - 1) * random.uniform(0.75, 1.25)
    asked = error.wait_secs if isinstance(error, TransientError) else 0.0
    return min(max(own, asked), _MAX_WAIT_SECS)


def plain_reason(error: BaseException) -> str:
    """Returns the innermost cause, which says more than the layers of wrapping around it.

    It is one line, cut where it is long, and without the passwords of URLs: a proxy's may be there.
    """
    for _ in range(10):
        inner = getattr(error, "reason", None)
        if not isinstance(inner, BaseException):
            inner = next((arg for arg in error.args if isinstance(arg, BaseException)), None)
        if not isinstance(inner, BaseException):
            break
        error = inner
    text = str(error)
    # urllib3 begins with the object's repr: "<...HTTPConnection object at 0x...>: ".
    text = re.sub(r"^.*(?:Connection|Pool)\([^)]*\): ", "", text)
    text = re.sub(r"^<[^>]*>: ", "", text).rstrip(".") or type(error).__name__
    return texts.one_line(without_passwords(text), _MAX_REASON)
