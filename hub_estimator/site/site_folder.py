"""The folder of a site: where each thing is in it, and which versions are there.

What is read may be a stranger's: links are not followed, and what is no record is an error.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import logging
import re
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from hub_estimator import errors, files, json_text, texts
from hub_estimator.files import locks
from hub_estimator.site import names, records
from hub_estimator.site.records import Version, Withdrawal

SITE, INDEX, FEED, PAGE = "site.json", "index.json", "feed.xml", "index.html"
VERSION, WITHDRAWN = "version.json", "withdrawn.json"
ARCHIVE = ".tar.gz"
_LOCK = ".publishing.lock"
_MOST_BYTES = 64 << 20
_URL = re.compile(r"https?://[A-Za-z0-9.:\[\]_-]+(/[A-Za-z0-9._~%/-]*)?")

T = TypeVar("T")

_logger = logging.getLogger("hub_estimator")


@dataclasses.dataclass(frozen=True)
class Site:
    """A folder in which modules are published.

    Attributes:
      path: the folder.
    """

    path: str
    _known: dict[str, Version] = dataclasses.field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def open(cls, path: files.PathLike) -> Site:
        """Returns the site in a folder, or at a place of a store, that is there.

        Raises:
          errors.SiteError: it is none.
        """
        site = cls(_checked(files.as_path(path)))
        if not files.exists(site.top(SITE)):
            raise errors.SiteError(
                f"{site.path!r} is no site: it has no {SITE}. Give the folder into which "
                "hub_estimator.publish has published."
            )
        site.url()
        return site

    @classmethod
    def open_or_make(cls, path: files.PathLike) -> Site:
        """Returns the site in a folder, which is made where there is none.

        Raises:
          errors.SiteError: something else is in the folder, or it is none.
        """
        site = cls(_checked(files.as_path(path)))
        if files.exists(site.path) and not files.is_folder(site.path):
            raise errors.SiteError(
                f"{site.path!r} is no folder. Choose another place for the site."
            )
        files.make_folder(site.path)
        site.is_begun()  # before a lock is left in somebody else's folder
        with site.held():
            if not site.is_begun():
                site.set_url("")
        site.url()
        return site

    def is_begun(self) -> bool:
        """Whether a site is in the folder by now.

        Raises:
          errors.SiteError: something else is in it.
        """
        entries = files.listing(self.path) if files.is_folder(self.path) else []
        there = [name for name in entries if not name.startswith(".")]
        if there and SITE not in there:
            raise errors.SiteError(
                f"{self.path!r} is no site, and not empty: it holds {texts.shown_names(there)}. "
                "Choose an empty folder, or one that is not there."
            )
        return bool(there)

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Keeps other publishers out for the time of a `with` block; waits for them.

        In a store that is those of this user on this machine.
        """
        path = locks.file_of(self._at(_LOCK))
        _check_is_no_link(path)
        with locks.where_possible(functools.partial(locks.held, waiting=self._say_waiting), path):
            yield

    def _say_waiting(self) -> None:
        _logger.info("Waiting for another publisher in %s.", self.path)

    def url(self) -> str:
        """Returns the address under which the site is served, without a slash in the end.

        Empty where nobody said it.
        """

        def parsed(text: bytes) -> str:
            content = json_text.parse(text)
            if not isinstance(content, dict) or content.get("format") != records.FORMAT:
                raise ValueError("it is of another format")
            return check_url(content["url"]) if content.get("url") else ""

        return _read(self._at(SITE), parsed)

    def set_url(self, url: str) -> None:
        """Writes down the address under which the site is served; see `check_url`, or empty."""
        path = self._at(SITE)
        if not files.exists(path) or url != self.url():
            files.write_text(path, records.as_text({"format": records.FORMAT, "url": url}))

    def models(self) -> dict[str, list[Version]]:
        """Returns the versions of each model that has some, the newest first.

        Raises:
          errors.SiteError: something is there that a site does not have.
        """
        found = {}
        for owner in self._parts(self.path):
            for model in self._parts(self._at(owner)):
                versions = self.versions(f"{owner}/{model}")
                if versions:
                    found[f"{owner}/{model}"] = versions
        return found

    def versions(self, name: str) -> list[Version]:
        """Returns the versions of a model, the newest first, the withdrawn ones too.

        Raises:
          errors.SiteError: something is there that a site does not have.
        """
        found = self._numbers(name)
        return [self._version(name, *about) for about in sorted(found.items(), reverse=True)]

    def _numbers(self, name: str) -> dict[int, bool]:
        """Returns the numbers of versions that are there, and whether each is withdrawn."""
        folder = self.folder(name)
        if files.is_store(folder):
            # The record comes last: before, a publisher is at it, or was killed.
            paths = {file.path for file in files.files_below(folder)}
            recorded = {path.partition("/")[0] for path in paths if path.endswith(f"/{VERSION}")}
            numbers = {names.version_of(name) for name in recorded if f"{name}/{VERSION}" in paths}
            return {number: f"{number}/{WITHDRAWN}" in paths for number in numbers if number}
        entries = files.listing(folder) if self._is_own_folder(folder) else []
        found = [(names.version_of(entry), entry) for entry in entries]
        return {
            number: files.is_there(self.withdrawal(name, number))
            for number, entry in found
            if number is not None and self._is_own_folder(files.join(folder, entry))
        }

    def next_number(self, name: str) -> int:
        """Returns the number of the next version of a model: greater than any that was seen."""
        folder = self.folder(name)
        entries = files.listing(folder) if self._is_own_folder(folder) else []
        # Also an archive that a killed publisher left: somebody may have got it.
        found = [names.version_of(entry.removesuffix(ARCHIVE)) for entry in entries]
        return max((number for number in found if number is not None), default=0) + 1

    def _version(self, name: str, number: int, is_withdrawn: bool) -> Version:
        version = self._record(name, number)
        if not is_withdrawn:
            return version
        withdrawal = _read(self.withdrawal(name, number), Withdrawal.from_json)
        return dataclasses.replace(version, withdrawal=withdrawal)

    def _record(self, name: str, number: int) -> Version:
        path = files.join(self.version_folder(name, number), VERSION)
        if path in self._known:
            return self._known[path]
        version = _read(path, Version.from_json)
        if (version.name, version.number) != (name, number):
            raise errors.SiteError(
                f"{files.join(self.version_folder(name, number), VERSION)!r} is that of another "
                f"version, {texts.shown(version.handle)}. Put the folder back where it was."
            )
        if files.is_store(path):  # where each reading takes a while; and records never change
            self._known[path] = version
        return version

    def folder(self, name: str) -> str:
        """Returns the path of a model's folder."""
        names.check(name)
        return self._at(*name.split("/"))

    def version_folder(self, name: str, number: int) -> str:
        """Returns the path of a version's folder."""
        return files.join(self.folder(name), str(number))

    def withdrawal(self, name: str, number: int) -> str:
        """Returns the path of the file that says why a version is there no more."""
        return files.join(self.version_folder(name, number), WITHDRAWN)

    def archive(self, name: str, number: int) -> str:
        """Returns the path of a version's archive."""
        return f"{self.version_folder(name, number)}{ARCHIVE}"

    def newest_link(self, name: str) -> str:
        """Returns the path of the link to the archive of a model's newest version."""
        return f"{self.folder(name)}{ARCHIVE}"

    def top(self, name: str) -> str:
        """Returns the path of a file at the root of the site."""
        return self._at(name)

    def make_model_folder(self, name: str) -> None:
        """Makes the folder of a model, where it is not there.

        Raises:
          errors.SiteError: a link or a file is in its place.
        """
        folder = self.folder(name)
        for path in (files.parent(folder), folder):
            if not self._is_own_folder(path):
                if files.is_there(path):
                    raise errors.SiteError(
                        f"{path!r} is no folder. Remove it, or choose another name."
                    )
                files.make_folder(path)
                files.flush_folder(files.parent(path))

    def _parts(self, folder: str) -> Sequence[str]:
        return [
            name
            for name in files.listing(folder)
            if names.is_part(name) and self._is_own_folder(files.join(folder, name))
        ]

    def _is_own_folder(self, path: str) -> bool:
        """Whether there is a folder; a link to one is an error."""
        _check_is_no_link(path)
        return files.is_folder(path)

    def _at(self, *parts: str) -> str:
        return files.join(self.path, *parts)


def check_url(url: str) -> str:
    """Checks the address of a site; returns it without a slash in the end.

    Raises:
      errors.SiteSettingError: it is none, or holds a login or a query.
    """
    if not isinstance(url, str) or not _URL.fullmatch(url):
        raise errors.SiteSettingError(
            f"{texts.shown(url)} cannot be the address of a site. Write it as in "
            "https://models.example.com or https://example.com/models."
        )
    return url.rstrip("/")


def _checked(path: str) -> str:
    if not path or "\0" in path:
        raise errors.SiteError("The path of the site is empty, or none. Give a folder.")
    if files.is_remote(path):
        return files.as_store("The site", path)
    return path.rstrip("/") or path


def _check_is_no_link(path: str) -> None:
    if files.is_link(path):
        raise errors.SiteError(
            f"{path!r} is a link, which a site does not have there. Put what it leads to in its place, "
            "or remove it."
        )


def _read(path: str, parse: Callable[[bytes], T]) -> T:
    _check_is_no_link(path)
    try:
        with files.open_file(path) as file:
            text = file.read(_MOST_BYTES + 1)
        if len(text) > _MOST_BYTES:
            raise ValueError("it is too large")
        return parse(text)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise errors.SiteError(
            f"{path!r} is not what a site has there: {texts.one_line(reason).rstrip('.')}. Restore it, "
            "or remove the folder that it is in."
        ) from error
