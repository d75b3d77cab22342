"""Checks an archive against the list of its host, where the host names one.

A site of `hub_estimator.publish` has `index.json`; its server names it beside each archive, in a
header `Link: </index.json>; rel="index"`. Other hosts are asked for nothing.
"""

from __future__ import annotations

import logging
import urllib.parse
from collections.abc import Mapping
from typing import Any

import requests

from hub_estimator import errors, json_text, texts
from hub_estimator.resolver import answers, asking
from hub_estimator.resolver.handle import Handle, port_of
from hub_estimator.resolver.retrying import with_retries
from hub_estimator.resolver.settings import Settings

_ARCHIVE = ".tar.gz"
_FORMAT = 1
_MOST_BYTES = 64 << 20

_logger = logging.getLogger("hub_estimator")


def url_of(response: requests.Response, url: str) -> str:
    """Returns the URL of the list that an answer names; empty where it names none of its own host.

    Args:
      response: the answer that brings an archive.
      url: where that is from.
    """
    named = response.links.get("index", {}).get("url", "")
    try:
        found = urllib.parse.urljoin(url, named)
        is_own = _place(found) == _place(url)
    except ValueError:  # no URL
        return ""
    return found if named and is_own else ""


def check(handle: Handle, url: str, index: str, sha256: str, settings: Settings) -> None:
    """Checks that an archive is the one that the list of its host names.

    What is not in the list is not checked. A handle that names no version is one to the newest; the
    log says which that is.

    Args:
      handle: what messages call it.
      url: where the archive is from.
      index: see `url_of`; empty checks nothing.
      sha256: the digest of the archive.
      settings: how long to wait, how often to try.

    Raises:
      errors.ListedDigestError: it is another one.
    """
    if not index:
        return
    try:
        models = _models(_read(handle, index, settings))
    except (errors.HandleError, ValueError) as error:
        _logger.warning(
            "%s is not checked against the list of its host, which cannot be read: %s",
            handle,
            error,
        )
        return
    name, version = _name(url, index), ""
    if name not in models:
        name, _, version = name.rpartition("/")
    versions = _versions(models.get(name))
    if not version:
        _check_newest(handle, versions, sha256)
    elif versions.get(version, sha256) != sha256:
        raise _differs(handle, f"version {version}", versions[version], sha256)


def _check_newest(handle: Handle, versions: Mapping[str, str], sha256: str) -> None:
    found = [number for number, digest in versions.items() if digest == sha256]
    if found:
        _logger.info(
            "%s names no version: it is version %s, the newest now, which the cache keeps. Add the "
            "version to the handle to have the same one everywhere.",
            handle,
            max(found, key=lambda number: (len(number), number)),
        )
    elif versions:
        listed = ", ".join(versions.values())
        raise _differs(handle, "any of its versions", listed, sha256)


def _differs(handle: Handle, what: str, listed: str, sha256: str) -> errors.ListedDigestError:
    return errors.ListedDigestError(
        f"The archive of {handle} is not that of {what} in the list of its host: its SHA-256 is "
        f"{sha256}, and there is {texts.one_line(listed, 300)}. Try again; if it stays so, tell who "
        "keeps the host."
    )


def _read(handle: Handle, url: str, settings: Settings) -> Any:
    def attempt() -> bytes:
        answer = asking.follow(session, handle, url, settings)
        assert answer.response is not None  # no URL ends it before it is asked
        with answer.response as response:
            if response.status_code != 200:
                answers.check_is_lasting(response)
                raise answers.explain_status(handle, response)
            content = bytearray()
            for piece in answers.pieces(response, settings):
                content += piece
                if len(content) > _MOST_BYTES:
                    raise ValueError("it is too large")
            return bytes(content)

    with asking.open_session() as session:
        return json_text.parse(with_retries(handle, settings, attempt))


def _models(content: Any) -> Mapping[str, Any]:
    models = content.get("models") if isinstance(content, dict) else None
    if not isinstance(models, dict) or content.get("format") != _FORMAT:
        raise ValueError("it is of another format")
    return models


def _versions(model: Any) -> dict[str, str]:
    """Returns the digests of the archives of a model by version, as far as the list has them."""
    versions = model.get("versions") if isinstance(model, dict) else None
    found = versions if isinstance(versions, dict) else {}
    return {
        number: about["sha256"]
        for number, about in found.items()
        if isinstance(about, dict) and isinstance(about.get("sha256"), str)
    }


def _name(url: str, index: str) -> str:
    """Returns what an archive is called beside a list: `owner/model`, or that and a version."""
    base = urllib.parse.urlsplit(urllib.parse.urljoin(index, ".")).path
    path = urllib.parse.urlsplit(url).path
    if not path.startswith(base):
        return ""
    return urllib.parse.unquote(path.removeprefix(base)).rstrip("/").removesuffix(_ARCHIVE)


def _place(url: str) -> tuple[str, str | None, int | None]:
    parts = urllib.parse.urlsplit(url)
    return parts.scheme, parts.hostname, port_of(url)
