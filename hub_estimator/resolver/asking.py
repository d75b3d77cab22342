"""Asks a host by HTTP: one request, or one after another where redirects lead.

Proxies and additional certificates come from where `requests` takes them: `HTTPS_PROXY`,
`REQUESTS_CA_BUNDLE`.
"""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import ssl
import urllib.parse
import warnings
from collections.abc import Callable, Iterator

import requests
import urllib3

from hub_estimator import errors, texts
from hub_estimator.resolver import logins
from hub_estimator.resolver.handle import Handle, port_of, without_password, without_secrets
from hub_estimator.resolver.retrying import plain_reason
from hub_estimator.resolver.settings import Settings
from hub_estimator.version import __version__

_logger = logging.getLogger("hub_estimator")
_MAX_REDIRECTS = 10


@dataclasses.dataclass(frozen=True)
class Answer:
    """Where redirects lead to.

    Attributes:
      url: the last URL.
      response: what it answered, its body unread; None if it was not asked.
    """

    url: str
    response: requests.Response | None


class _Session(requests.Session):
    """Leaves redirects alone: `requests` would read the whole body of each."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Says that no answer is a redirect."""


@contextlib.contextmanager
def open_session() -> Iterator[requests.Session]:
    """Gives a session for requests to the host of a handle."""
    with _Session() as session:
        # "identity": the bytes of the archive itself, so that their number can be checked.
        session.headers.update(
            {"Accept-Encoding": "identity", "User-Agent": f"hub_estimator/{__version__}"}
        )
        yield session


def follow(
    session: requests.Session,
    handle: Handle,
    url: str,
    settings: Settings,
    headers: dict[str, str] | None = None,
    ends: Callable[[str, int | None], bool] = lambda url, status: False,
) -> Answer:
    """Asks `url`, and where it redirects to, until an answer is no redirect.

    Args:
      session: see `open_session`.
      handle: what messages call it; its login goes to its place.
      url: where to begin.
      settings: how long to wait.
      headers: what to ask with.
      ends: called with a URL and None before it is asked, and with the status it answers; where it
        returns True, that is the end.

    Raises:
      errors.DownloadError: the request cannot succeed; the network's passing troubles are raised as
        they come from `requests`.
    """
    for _ in range(_MAX_REDIRECTS):
        if ends(url, None):
            return Answer(url, None)
        response = _ask(session, handle, url, settings, headers)
        if ends(url, response.status_code) or not response.is_redirect:
            return Answer(url, response)
        response.close()
        url = _redirect_target(handle, url, response, settings)
    raise errors.DownloadError(
        f"{handle} redirects more than {_MAX_REDIRECTS} times. Check the handle, and where it "
        "redirects to."
    )


def _ask(
    session: requests.Session,
    handle: Handle,
    url: str,
    settings: Settings,
    headers: dict[str, str] | None,
) -> requests.Response:
    login = logins.login_for(url, handle.text)
    try:
        with warnings.catch_warnings():
            # Said once, in our own words, by `warn_of_unverified_hosts`.
            warnings.simplefilter("ignore", urllib3.exceptions.InsecureRequestWarning)
            return session.get(
                without_password(url),
                headers=headers,
                # Without, `requests` takes one from .netrc.
                auth=login or _without_login,
                stream=True,
                timeout=settings.timeout_secs,
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
        requests.exceptions.InvalidSchema,
        requests.exceptions.InvalidURL,
        requests.exceptions.MissingSchema,
        urllib3.exceptions.LocationParseError,
        UnicodeError,
    ) as error:
        raise errors.DownloadError(
            f"{handle} cannot be downloaded: {plain_reason(error)}. Check the handle, and where it "
            "redirects to."
        ) from error


def _without_login(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _redirect_target(
    handle: Handle, url: str, response: requests.Response, settings: Settings
) -> str:
    # Headers are decoded as ISO 8859-1; what hosts mean is UTF-8.
    location = response.headers["Location"].encode("latin-1").decode("utf-8", "replace")
    try:
        target = urllib.parse.urljoin(url, location)
        port_of(target)
    except ValueError as error:
        raise errors.DownloadError(
            f"{handle} redirects to {texts.shown(without_secrets(location))}, which is no URL. "
            "Check the handle, and where it redirects to."
        ) from error
    schemes = [urllib.parse.urlsplit(address).scheme for address in (url, target)]
    if schemes == ["https", "http"] and settings.verify_certificates:
        raise errors.DownloadError(
            f"{handle} redirects to {texts.shown(without_secrets(target))}, where anybody on the "
            "network can replace it. Use a handle that stays with https; or, on a network that you "
            "trust, set TFHUB_DISABLE_CERT_VALIDATION=true."
        )
    return target


def warn_of_unverified_hosts(handle: Handle, settings: Settings) -> None:
    """Logs a warning if the certificate of the host of `handle` is not looked at."""
    if not settings.verify_certificates:
        _logger.warning(
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
