"""What a user writes to name a module: a URL, a folder, or an archive."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import urllib.parse

from hub_estimator import errors, files, texts

ARCHIVE_SUFFIXES = (".tar.gz", ".tgz", ".tar")
FORMAT_QUERY = "tf-hub-format"


@dataclasses.dataclass(frozen=True)
class Handle:
    """A module's name, parsed; equal handles name the same cache entry.

    Attributes:
      text: a URL as it was given, or a path with `~` expanded and without `file://`.
    """

    text: str

    @classmethod
    def parse(cls, handle: files.PathLike | Handle) -> Handle:
        """Returns `handle` as a `Handle`.

        Args:
          handle: a URL or a path, as `str`, `bytes` or path-like, or a `Handle`.

        Raises:
          errors.InvalidHandleError: it is none of these, or is empty.
        """
        if isinstance(handle, Handle):
            return handle
        if not isinstance(handle, (str, bytes, os.PathLike)):
            raise errors.InvalidHandleError(
                f"A handle is a str, bytes or path-like, but {texts.shown(handle)} is a "
                f"{type(handle).__name__}: give the URL or the folder of the module."
            )
        text = files.as_path(handle)
        if not text.strip() or "\0" in text:
            raise errors.InvalidHandleError(
                f"The handle {texts.shown(handle)} is empty or has a NUL character: give the URL or the "
                "folder of the module."
            )
        parsed = cls(text)
        if parsed.is_url:
            _check_place(parsed)
        return parsed

    @property
    def is_url(self) -> bool:
        """Whether it is asked for by HTTP."""
        return self.text.lower().startswith(("http://", "https://"))

    @property
    def host(self) -> str:
        """The host of a URL, with the port if there is one, in lower case."""
        try:
            return urllib.parse.urlsplit(self.text).netloc.rpartition("@")[2].lower()
        except ValueError:  # brackets that are no IPv6 address
            return ""

    @property
    def path(self) -> str:
        """The path of a URL without its query; the text of anything else."""
        return urllib.parse.urlsplit(self.text).path if self.is_url else self.text

    @property
    def is_archive(self) -> bool:
        """Whether the name is that of a tar file."""
        return self.path.lower().endswith(ARCHIVE_SUFFIXES)

    @property
    def key(self) -> str:
        """The name of its cache entry: 40 hexadecimal digits, the same as the peer's."""
        return hashlib.sha1(os.fsencode(self.text), usedforsecurity=False).hexdigest()

    def asking_for(self, load_format: str) -> str:
        """Returns the URL with `tf-hub-format=<load_format>` added to the query that is there."""
        parts = urllib.parse.urlsplit(self.text)
        asked = f"{FORMAT_QUERY}={load_format}"
        query = parts.query
        # The query is kept as it is, not parsed and written again: it may be signed.
        if FORMAT_QUERY not in urllib.parse.parse_qs(query):
            query = f"{query}&{asked}" if query else asked
        return urllib.parse.urlunsplit((parts.scheme, parts.netloc, parts.path, query, ""))

    def __str__(self) -> str:
        return without_password(self.text)


def _check_place(handle: Handle) -> None:
    shown = texts.shown(without_password(handle.text))
    if not handle.host or handle.host.startswith(":"):
        raise errors.InvalidHandleError(
            f"The handle {shown} names no host: write it like https://example.com/module/1."
        )
    try:
        port_of(handle.text)
    except ValueError as error:
        raise errors.InvalidHandleError(
            f"The handle {shown} names no port from 0 to 65535: write it like "
            "https://example.com:8080/module/1."
        ) from error


def port_of(url: str) -> int | None:
    """Returns the port that `url` names; None is that of its scheme.

    Raises:
      ValueError: it is no URL, or what it names is no port.
    """
    return urllib.parse.urlsplit(url).port


def without_password(url: str) -> str:
    """Returns `url` without `user:password@`, fit for messages and for the disk."""
    return files.without_login(url)


def without_passwords(text: str) -> str:
    """Returns a text without `user:password@` in the URLs that are in it."""
    return files.without_logins(text)


def without_secrets(url: str) -> str:
    """Returns `url` without password and query: where redirects lead to may be signed there."""
    return without_password(url).partition("?")[0].partition("#")[0]
