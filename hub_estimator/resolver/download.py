"""Downloads one file by HTTP: retried, resumed, counted, and every failure explained."""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Callable

import requests

from hub_estimator import errors
from hub_estimator.progress import Progress
from hub_estimator.resolver import answers, asking, listed
from hub_estimator.resolver.archives import check_size, is_gzip
from hub_estimator.resolver.handle import Handle
from hub_estimator.resolver.retrying import TransientError, with_retries
from hub_estimator.resolver.settings import Settings

_MAX_BODY = 4096
_EVERY_SECS = 15.0
_RANGE = re.compile(r"bytes ([0-9]{1,18})-[0-9]{1,18}/([0-9]{1,18}|\*)")
# Of what tells one state of a file from another, what can be sent back to the host:
# a strong ETag, or a date.
_VALIDATOR = re.compile(r'"[!\x23-\x7e\x80-\xff]{1,256}"|[A-Za-z0-9,: +-]{1,64}')


@dataclasses.dataclass(frozen=True)
class Download:
    """A file that arrived whole.

    Attributes:
      url: where it came from after redirects.
      size: in bytes.
      resumed: whether it came in several pieces.
      index: the URL of the list of the host's archives; see `listed.url_of`.
    """

    url: str
    size: int
    resumed: bool
    index: str = ""


@dataclasses.dataclass(frozen=True)
class Trace:
    """Where redirects lead to.

    Attributes:
      url: the last URL.
      status: what it answered; None if it was not asked.
      body: the beginning of the answer.
    """

    url: str
    status: int | None
    body: bytes


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
      errors.UnsafeArchiveError: it is larger than `settings` allow.
      errors.DownloadError: anything else, after the last attempt.
    """
    refusals = []
    with (
        asking.open_session() as session,
        progress_of(handle, settings) as progress,
    ):
        progress.say(f"Downloading {handle}.")
        for url in urls:
            try:
                transfer = _Transfer(session, handle, url, path, settings, progress)
                return with_retries(handle, settings, transfer.attempt, transfer.arrived)
            except _RefusedError as error:
                refusals.append(error)
        raise refusals[0].error from refusals[0]


def progress_of(handle: Handle, settings: Settings) -> Progress:
    """Returns the progress of what is downloaded for a handle, in bytes."""

    def line(progress: Progress) -> str:
        of = f" of {readable(progress.total)}" if progress.total else ""
        return f"Downloading {handle}: {readable(progress.done)}{of}."

    return Progress(
        line, settings.progress_bar, _EVERY_SECS,
        desc=str(handle), unit="B", unit_scale=True, unit_divisor=1000,
    )  # fmt: skip


def readable(size: float) -> str:
    """Returns a number of bytes in words: `12.3 MB`."""
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


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

    def attempt() -> Trace:
        answer = asking.follow(session, handle, url, settings, ends=ends)
        if answer.response is None:
            return Trace(answer.url, None, b"")
        with answer.response as response:
            if not ends(answer.url, response.status_code):
                answers.check_is_lasting(response)
                raise answers.explain_status(handle, response)
            return Trace(answer.url, response.status_code, _beginning(response, settings))

    with asking.open_session() as session:
        return with_retries(handle, settings, attempt)


def _beginning(response: requests.Response, settings: Settings) -> bytes:
    body = b""
    for piece in answers.pieces(response, settings):
        body += piece
        if len(body) >= _MAX_BODY:
            break
    return body[:_MAX_BODY]


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
        answer = asking.follow(
            self._session, self.handle, self._url, self._settings, self._headers()
        )
        assert answer.response is not None  # no URL ends it before it is asked
        with answer.response as response:
            self._check_status(response)
            self._begin(response)
            self._receive(response)
            seconds = f"{self._progress.seconds:.1f} s"
            self._progress.say(f"Downloaded {self.handle}: {readable(self.received)} in {seconds}.")
            index = listed.url_of(response, answer.url)
            return Download(answer.url, self.received, self._resumed, index)

    def _headers(self) -> dict[str, str]:
        if not (self.received and self._resumable and self._would_notice_a_change()):
            return {}
        headers = {"Range": f"bytes={self.received}-"}
        if self._validator:
            headers["If-Range"] = self._validator
        return headers

    def _would_notice_a_change(self) -> bool:
        """Whether pieces of different files would not go for one."""
        with open(self._path, "rb") as file:
            return bool(self._validator) or is_gzip(file.read(2))

    def _check_status(self, response: requests.Response) -> None:
        status = response.status_code
        if status in (200, 206):
            return
        if status == 416:  # what was to be resumed is no longer that long
            self._resumable = False
            raise TransientError("the file changed on the host meanwhile")
        answers.check_is_lasting(response)
        raise _RefusedError(status, answers.explain_status(self.handle, response))

    def _begin(self, response: requests.Response) -> None:
        """Decides whether the answer is the rest of the file, or the file from its start."""
        if response.status_code == 206:
            match = _RANGE.fullmatch(response.headers.get("Content-Range", "").strip())
            total = int(match[2]) if match and match[2] != "*" else None
            if not match or int(match[1]) != self.received or total != self._total:
                self._resumable = False
                raise TransientError("the host sent another part than the one asked for")
            self._resumed = True
            return
        self.received = 0
        self._total = answers.number_of(response, "Content-Length")
        self._check_size(self._total or 0)
        self._resumable = response.headers.get("Accept-Ranges", "").lower() == "bytes"
        etag = response.headers.get("ETag", "")
        date = response.headers.get("Last-Modified", "")
        self._validator = next(
            (validator for validator in (etag, date) if _VALIDATOR.fullmatch(validator)), ""
        )

    def _receive(self, response: requests.Response) -> None:
        with open(self._path, "ab") as file:
            file.truncate(self.received)
            file.seek(0, os.SEEK_END)
            for piece in answers.pieces(response, self._settings):
                self._check_size(self.received + len(piece))
                if self._total is not None and self.received + len(piece) > self._total:
                    self._resumable = False
                    raise TransientError(f"more than the announced {self._total} bytes arrived")
                file.write(piece)
                self.received += len(piece)
                self._progress.at(self.received, self._total)
        if self._total is not None and self.received != self._total:
            raise TransientError(f"only {self.received} of {self._total} bytes arrived")

    def _check_size(self, size: int) -> None:
        limit = self._settings.max_unpacked_bytes
        check_size(size, limit, f"The archive of {self.handle}")
