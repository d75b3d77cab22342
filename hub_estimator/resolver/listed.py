"""Checks an archive against the list of its host, where there is one.

A site of `hub_estimator.publish` has `index.json`; its server names it beside each archive, in a
header `Link: </index.json>; rel="index"`. Where a server names none, as that of a store, the archive
itself tells: those of sites begin with a comment, and lie at `<owner>/<model>/<version>.tar.gz`
beside the list. Other hosts are asked for nothing.
"""

from __future__ import annotations

import contextlib
import gzip
import logging
import re
import tarfile
import urllib.parse
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO, cast

import requests

from hub_estimator import errors, files, json_text, texts
from hub_estimator.resolver import answers, archives, asking, tars
from hub_estimator.resolver.handle import Handle, port_of
from hub_estimator.resolver.retrying import with_retries
from hub_estimator.resolver.settings import Settings
from hub_estimator.resolver.tars import Stream

COMMENT = "hub_estimator.publish: index.json of the site has the digest of this archive"
"""With what the archives of sites begin."""
_LIST = "index.json"
_OF_A_SITE = re.compile(
    r"(?P<above>.*)/[a-z][a-z0-9_-]{0,63}/[a-z][a-z0-9_-]{0,63}(/[1-9][0-9]{0,8})?(\.tar\.gz|/)?"
)
_START = 8 << 10
_CHUNK = 1 << 16
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


def beside(url: str, archive: str) -> str:
    """Returns where the list of an archive is, which says of itself that it is of a site.

    Args:
      url: where the archive is from, a URL or a path of a store.
      archive: the local file, which has been unpacked.

    Returns:
      The URL or path; empty where it is another archive, or not where a site has it.
    """
    parts = urllib.parse.urlsplit(url)
    place = _OF_A_SITE.fullmatch(parts.path)
    if place is None or not _is_of_a_site(archive):
        return ""
    return parts._replace(path=f"{place['above']}/{_LIST}", query="", fragment="").geturl()


def _is_of_a_site(archive: str) -> bool:
    with files.open_file(archive) as file, contextlib.suppress(tarfile.TarError, errors.Error):
        is_gzip = archives.is_gzip(file.read(2))
        file.seek(0)
        source = gzip.GzipFile(fileobj=file) if is_gzip else file
        return tars.first_comment(Stream(cast(BinaryIO, source), _START, "")) == COMMENT
    return False


def check(
    handle: Handle, url: str, archive: str, named: str, sha256: str, settings: Settings
) -> None:
    """Checks that an archive is the one that the list of its host names.

    What is not in the list is not checked. A handle that names no version is one to the newest; the
    log says which that is.

    Args:
      handle: what messages call it.
      url: where the archive is from.
      archive: the local file.
      named: see `url_of`; where it is empty, the list beside the archive counts, see `beside`.
      sha256: the digest of the archive.
      settings: how long to wait, how often to try.

    Raises:
      errors.ListedDigestError: it is another one.
    """
    index = named or beside(url, archive)
    if not index:
        return
    try:
        models = _models(_read(handle, index, settings))
    except (errors.HandleError, OSError, ValueError) as error:
        if not named and isinstance(error, (FileNotFoundError, PermissionError)):
            return  # the archive was copied to elsewhere, or it alone may be read
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


def _read(handle: Handle, index: str, settings: Settings) -> Any:
    if not Handle(index).is_url:
        with files.open_file(index) as file:
            return json_text.parse(_limited(iter(lambda: file.read(_CHUNK), b"")))

    def attempt() -> bytes:
        answer = asking.follow(session, handle, index, settings)
        assert answer.response is not None  # no URL ends it before it is asked
        with answer.response as response:
            if response.status_code != 200:
                answers.check_is_lasting(response)
                raise answers.explain_status(handle, response)
            return _limited(answers.pieces(response, settings))

    with asking.open_session() as session:
        return json_text.parse(with_retries(handle, settings, attempt))


def _limited(pieces: Iterator[bytes]) -> bytes:
    content = bytearray()
    for piece in pieces:
        content += piece
        if len(content) > _MOST_BYTES:
            raise ValueError("it is too large")
    return bytes(content)


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
    base = urllib.parse.urlsplit(index).path.rpartition("/")[0] + "/"
    path = urllib.parse.urlsplit(url).path
    if not path.startswith(base):
        return ""
    return urllib.parse.unquote(path.removeprefix(base)).rstrip("/").removesuffix(_ARCHIVE)


def _place(url: str) -> tuple[str, str | None, int | None]:
    parts = urllib.parse.urlsplit(url)
    return parts.scheme, parts.hostname, port_of(url)
