"""Downloads one file by HTTP: retried, resumed, counted, and every failure explained.

Proxies, additional certificates and passwords come from where `requests` takes them:
`HTTPS_PROXY`, `REQUESTS_CA_BUNDLE`, `.netrc`.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import logging
import os
import random
import re
import ssl
import time
import urllib.parse
import warnings
from collections.abc import Callable, Iterator
from typing import TypeVar

import requests
import urllib3

from hub_estimator import errors
from hub_estimator.resolver.handle import Handle
from hub_estimator.resolver.progress import Progress
from hub_estimator.resolver.settings import Settings
from hub_estimator.version import __version__

T = TypeVar("T")

_LOG = logging.getLogger("hub_estimator")
_CHUNK = 1 << 18
# An attempt that brought this much was no failure: the count starts again.
_HEADWAY = 1 << 20
_MAX_WAIT_SECS = 30.0
_MAX_REDIRECTS = 10
_MAX_BODY = 4096
_TRANSIENT = frozenset({408, 425, 429, 500, 502, 503, 504})
_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")


@dataclasses.dataclass(frozen=True)
class Download:
    """A file that arrived whole.

    Attributes:
      url: where it came from after redirects.
      size: in bytes.
      resumed: whether it came in several pieces.
    """

    url: str
    size: int
    resumed: bool


@dataclasses.dataclass(frozen=True)
class Trace:
    """Where redirects lead to.

    Attributes:
      url: the last URL.
      status: what it answered; None if it was not asked.
      body: the beginning of the answer.
      ended: whether it is the end.
    """

    url: str
    status: int | None
    body: bytes
    ended: bool


class _TransientError(Exception):
    """An attempt failed in a way that may not happen again."""

    def __init__(self, reason: str, wait_secs: float = 0.0):
        super().__init__(reason)
        self.wait_secs = wait_secs


class _RefusedError(Exception):
    """The host answered with a status that will not change; `error` says it to the user."""

    def __init__(self, status: int, error: errors.HandleError):
        super().__init__(status)
        self.status = status
        self.error = error


def fetch(handle: Handle, urls: list[str], path: str, settings: Settings) -> Download:
    """Downloads the first of `urls` that the host does not refuse into the new local file `path`.

    Args:
      handle: what messages call it.
      urls: the addresses to ask, in order; each further one only after an answer of 4xx.
      path: where to.
      settings: how long to wait, how often to try.

    Raises:
      errors.HandleNotFoundError: 404 or 410.
      errors.AccessDeniedError: 401, 403 or 407.
      errors.CertificateError: the host's certificate is not trusted.
      errors.DownloadError: anything else, after the last attempt.
    """
    refusals = []
    with (
        open_session() as session,
        contextlib.closing(Progress(str(handle), settings.progress_bar)) as progress,
    ):
        for url in urls:
            try:
                transfer = _Transfer(session, handle, url, path, settings, progress)
                return _with_retries(handle, settings, transfer.attempt, transfer.arrived)
            except _RefusedError as refused:
                refusals.append(refused)
        raise refusals[0].error from refusals[0]


def trace(
    handle: Handle, settings: Settings, url: str, ends: Callable[[str, int | None], bool]
) -> Trace:
    """Follows redirects from `url` to where `ends` says.

    Args:
      handle: what messages call it.
      settings: how long to wait, how often to try.
      url: where to begin.
      ends: called with a URL and None before it is asked, and with the status it answers.

    Raises:
      errors.HandleError: an answer that is neither the end nor a redirect, or no answer.
    """

    def step(url: str) -> Trace:
        if ends(url, None):
            return Trace(url, None, b"", ended=True)
        with ask(session, handle, url, settings, follow=False) as response:
            body = next(response.iter_content(_MAX_BODY), b"")
            if ends(url, response.status_code):
                return Trace(url, response.status_code, body, ended=True)
            _check_is_lasting(response)
            if not response.is_redirect:
                raise explain_status(handle, response)
            to = urllib.parse.urljoin(url, response.headers["Location"])
            return Trace(to, response.status_code, b"", ended=False)

    with open_session() as session:
        for _ in range(_MAX_REDIRECTS):
            at = _with_retries(handle, settings, functools.partial(step, url))
            if at.ended:
                return at
            url = at.url
    raise errors.DownloadError(
        f"{handle} redirects more than {_MAX_REDIRECTS} times. Check the handle, and where it "
        "redirects to."
    )


@contextlib.contextmanager
def open_session() -> Iterator[requests.Session]:
    """Gives a session for requests to the host of a handle."""
    with requests.Session() as session:
        # "identity": the bytes of the archive itself, so that their number can be checked.
        session.headers.update(
            {"Accept-Encoding": "identity", "User-Agent": f"hub_estimator/{__version__}"}
        )
        yield session


def ask(
    session: requests.Session,
    handle: Handle,
    url: str,
    settings: Settings,
    headers: dict[str, str] | None = None,
    follow: bool = True,
) -> requests.Response:
    """Sends one GET request and returns the answer, its body unread.

    Raises:
      errors.DownloadError: the request cannot succeed; the network's passing troubles are raised as
        they come from `requests`.
    """
    try:
        with warnings.catch_warnings():
            # Said once, in our own words, by `warn_of_unverified_hosts`.
            warnings.simplefilter("ignore", urllib3.exceptions.InsecureRequestWarning)
            return session.get(
                url,
                headers=headers,
                stream=True,
                timeout=settings.timeout_secs,
                allow_redirects=follow,
                # None leaves it to REQUESTS_CA_BUNDLE.
                verify=None if settings.verify_certificates else False,
            )
    except requests.exceptions.SSLError as error:
        raise errors.CertificateError(
            f"{handle}: the certificate of its host is not trusted ({_certificate_reason(error)}). "
            "Set REQUESTS_CA_BUNDLE to the file of your authority's certificates; or, for a host "
            "that you trust without, TFHUB_DISABLE_CERT_VALIDATION=true."
        ) from error
    except (
        requests.exceptions.TooManyRedirects,
        requests.exceptions.InvalidSchema,
        requests.exceptions.InvalidURL,
        requests.exceptions.MissingSchema,
        UnicodeError,
    ) as error:
        raise errors.DownloadError(
            f"{handle} cannot be downloaded: {plain_reason(error)}. Check the handle, and where it "
            "redirects to."
        ) from error


def warn_of_unverified_hosts(handle: Handle, settings: Settings) -> None:
    """Logs a warning if the certificate of the host of `handle` is not looked at."""
    if not settings.verify_certificates:
        _LOG.warning(
            "TFHUB_DISABLE_CERT_VALIDATION is set: anybody on the network can replace %s.", handle
        )


def _certificate_reason(error: BaseException) -> str:
    seen: BaseException | None = error
    for _ in range(10):
        if seen is None:
            break
        if isinstance(seen, ssl.SSLCertVerificationError):
            return seen.verify_message or str(seen)
        inner = getattr(seen, "reason", None) or (seen.args[0] if seen.args else None)
        seen = inner if isinstance(inner, BaseException) else seen.__context__
    return str(error)


def _with_retries(
    handle: Handle,
    settings: Settings,
    attempt: Callable[[], T],
    received: Callable[[], int] = lambda: 0,
) -> T:
    """Calls `attempt` until it succeeds, or failed too often without headway in `received`."""
    failures, before = 0, 0
    while True:
        try:
            return attempt()
        except (
            _TransientError,
            requests.exceptions.RequestException,
            urllib3.exceptions.HTTPError,
        ) as error:
            failures = 1 if received() - before >= _HEADWAY else failures + 1
            before = received()
            if failures >= settings.attempts:
                raise errors.DownloadError(
                    f"{handle} cannot be downloaded after {failures} attempts: "
                    f"{plain_reason(error)}. Check the network (HTTPS_PROXY behind a proxy); "
                    "what is in the cache works without: HUB_ESTIMATOR_OFFLINE=1."
                ) from error
            wait = _wait_secs(error, failures, settings)
            _LOG.warning("Downloading %s again in %.1f s: %s.", handle, wait, plain_reason(error))
            time.sleep(wait)


def _wait_secs(error: Exception, failures: int, settings: Settings) -> float:
    # Spread, so that many clients of a host in trouble do not come back all at once.
    own = settings.first_wait_secs * 2 ** (failures - 1) * random.uniform(0.75, 1.25)
    asked = error.wait_secs if isinstance(error, _TransientError) else 0.0
    return min(max(own, asked), _MAX_WAIT_SECS)


def plain_reason(error: BaseException) -> str:
    """Returns the innermost cause, which says more than the layers of wrapping around it."""
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
    return re.sub(r"^<[^>]*>: ", "", text).rstrip(".") or type(error).__name__


class _Transfer:
    """One file on its way; what has arrived stays between attempts."""

    def __init__(
        self,
        session: requests.Session,
        handle: Handle,
        url: str,
        path: str,
        settings: Settings,
        progress: Progress,
    ):
        self.handle = handle
        self.received = 0
        self._session = session
        self._url = url
        self._path = path
        self._settings = settings
        self._progress = progress
        self._total: int | None = None
        self._validator = ""
        self._resumable = False
        self._resumed = False

    def arrived(self) -> int:
        """Returns the number of bytes that have arrived."""
        return self.received

    def attempt(self) -> Download:
        """Downloads what is missing; raises if the connection ends before the file does."""
        response = ask(self._session, self.handle, self._url, self._settings, self._headers())
        with response:
            self._check_status(response)
            self._begin(response)
            self._receive(response)
            self._progress.finished(self.received)
            return Download(response.url, self.received, self._resumed)

    def _headers(self) -> dict[str, str]:
        if not (self.received and self._resumable):
            return {}
        headers = {"Range": f"bytes={self.received}-"}
        if self._validator:
            headers["If-Range"] = self._validator
        return headers

    def _check_status(self, response: requests.Response) -> None:
        status = response.status_code
        if status in (200, 206):
            return
        if status == 416:  # what was to be resumed is no longer that long
            self._resumable = False
            raise _TransientError("the file changed on the host meanwhile")
        _check_is_lasting(response)
        raise _RefusedError(status, explain_status(self.handle, response))

    def _begin(self, response: requests.Response) -> None:
        """Decides whether the answer is the rest of the file, or the file from its start."""
        if response.status_code == 206:
            match = _RANGE.fullmatch(response.headers.get("Content-Range", "").strip())
            total = int(match[2]) if match and match[2] != "*" else None
            if not match or int(match[1]) != self.received or total != self._total:
                self._resumable = False
                raise _TransientError("the host sent another part than the one asked for")
            self._resumed = True
            return
        self.received = 0
        length = response.headers.get("Content-Length", "")
        self._total = int(length) if length.isdigit() else None
        self._resumable = response.headers.get("Accept-Ranges", "").lower() == "bytes"
        etag = response.headers.get("ETag", "")
        strong = etag if etag.startswith('"') else ""
        self._validator = strong or response.headers.get("Last-Modified", "")

    def _receive(self, response: requests.Response) -> None:
        with open(self._path, "ab") as file:
            file.truncate(self.received)
            file.seek(0, os.SEEK_END)
            for chunk in response.raw.stream(_CHUNK, decode_content=False):
                file.write(chunk)
                self.received += len(chunk)
                self._progress.at(self.received, self._total)
        if self._total is not None and self.received != self._total:
            raise _TransientError(f"only {self.received} of {self._total} bytes arrived")


def _check_is_lasting(response: requests.Response) -> None:
    if response.status_code in _TRANSIENT:
        raise _TransientError(f"the host answered {_status(response)}", _retry_after(response))


def _status(response: requests.Response) -> str:
    return f"{response.status_code} {response.reason or ''}".strip()


def _retry_after(response: requests.Response) -> float:
    text = response.headers.get("Retry-After", "")
    return float(text) if text.isdigit() else 0.0


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
