"""Folders of versions, on a disk or in a store: under timestamps with a stable path, or numbers."""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Sequence

from hub_estimator import errors, files
from hub_estimator.jobs.destinations import stored_versions
from hub_estimator.jobs.destinations.destination import Destination, Publication, Version, place_of
from hub_estimator.training import checks
from hub_estimator.training.exporters import folders

_NUMBER = re.compile(r"0|[1-9][0-9]*", re.ASCII)


class _VersionFolders(Destination):
    """What both kinds share: each version is a folder in one folder, `path`."""

    path: str

    def _check_path(self, owner: str) -> None:
        checks.path(f"{owner}.path", self.path)
        place_of(f"{owner}.path", self.path)

    @property
    def place(self) -> str:
        """See `Destination`."""
        return place_of("path", self.path)

    def check(self, is_first: bool) -> None:
        """See `Destination`."""
        if not is_first and not files.is_store(self.place) and not os.path.isdir(self.place):
            raise errors.ExportError(
                f"The folder {self.place!r}, which has published versions, is not there: its disk is "
                "away, or it was removed. Bring it back, or make an empty folder there."
            )
        folders.check_place(self.place, None)

    def versions(self, job: str) -> Sequence[Version]:
        """See `Destination`."""
        if not files.is_folder(self.place):
            return []
        found = []
        for name in self._names():
            path = files.join(self.place, name)
            publication = None if files.is_link(path) else Publication.read(path)
            if publication is not None and publication.job == job:
                found.append(Version(name, path, publication, is_current=False))
        current = self._current(found)
        return [dataclasses.replace(each, is_current=each.name == current) for each in found]

    def publish(
        self,
        export: str,
        publication: Publication,
        is_first: bool,
        model_dir: str | None = None,
    ) -> Version:
        """See `Destination`."""
        self.check(is_first)
        files.make_folder(self.place)
        with folders.held(self.place):
            found = self._version_of(publication)
            if found is None:
                self._add(export, publication)
            # Also where an earlier process was killed after it had added the version.
            self._finish(publication.job)
            found = self._version_of(publication)
            assert found is not None
            return found

    def tidy(self) -> None:
        """See `Destination`."""
        files.remove_abandoned(self.place)

    def remove(self, version: Version) -> None:
        """See `Destination`."""
        with folders.held(self.place):
            if files.is_store(version.path):
                stored_versions.remove(version.path)
            else:
                files.remove_at_once(version.path)

    def _add(self, export: str, publication: Publication) -> None:
        if files.is_store(self.place):
            stored_versions.add(self.place, self._next_name, export, publication)
            return
        with files.scratch_folder(self.place, "version") as scratch:
            _copy(export, scratch)
            publication.write(scratch)
            files.flush_tree(scratch)
            while not folders.place(scratch, files.join(self.place, self._next_name())):
                pass  # somebody else took the name

    def _version_of(self, publication: Publication) -> Version | None:
        of_checkpoint = [
            version
            for version in self.versions(publication.job)
            if version.publication.sha256 == publication.sha256
        ]
        return of_checkpoint[-1] if of_checkpoint else None

    def _numbers(self) -> list[int]:
        """Returns the numbers that are taken, whoever took them; the least first."""
        names = files.listing(self.place) if files.is_folder(self.place) else []
        return sorted(int(name) for name in names if _NUMBER.fullmatch(name))

    def _names(self) -> list[str]:
        """Returns the names of versions, whoever made them, the oldest first."""
        return [str(number) for number in self._numbers()]

    def _next_name(self) -> str:
        """Returns the name of the next version."""
        raise NotImplementedError

    def _current(self, found: Sequence[Version]) -> str | None:
        """Returns the name of the version that users get who name none; see `Version`."""
        return found[-1].name if found else None

    def _finish(self, job: str) -> None:
        """Does what follows a version, which can be done again."""


@dataclasses.dataclass(frozen=True)
class Folder(_VersionFolders):
    """A folder of versions under timestamps, and a stable path: a link to the newest.

    Attributes:
      path: the folder; versions are `<path>/<seconds since 1970>/`.
      link: the name of the link in it; in a store it is a text file, which holds the version's name.

    Raises:
      errors.InvalidSettingError: a setting has a value that it cannot have.
      errors.InvalidPathNameError: the link's name cannot be one.
    """

    path: str
    link: str = "latest"

    def __post_init__(self) -> None:
        self._check_path("Folder")
        files.check_name("Folder.link", self.link)
        if _NUMBER.fullmatch(self.link):
            raise errors.InvalidSettingError(
                f"Folder.link is {self.link!r}, which could be a version; take a word."
            )

    def check(self, is_first: bool) -> None:
        """See `Destination`."""
        super().check(is_first)
        path = files.join(self.place, self.link)
        is_else = files.is_folder(path) if files.is_store(path) else not files.is_link(path)
        if is_else and files.is_there(path):
            raise errors.ExportError(
                f"There is something at {path!r} that is no link. Remove it, or give Folder.link "
                "another name."
            )

    def _next_name(self) -> str:
        return os.path.basename(folders.next_path(self.place))

    def _current(self, found: Sequence[Version]) -> str | None:
        return folders.target(self.place, self.link)

    def _finish(self, job: str) -> None:
        newest = self.versions(job)[-1]
        if not newest.is_current:
            files.switch_link(files.join(self.place, self.link), newest.name)


@dataclasses.dataclass(frozen=True)
class NumberedFolder(_VersionFolders):
    """A folder of versions under numbers, `1`, `2`, ..., as TensorFlow Serving takes them.

    Attributes:
      path: the folder: the `base_path` of the model.

    Raises:
      errors.InvalidSettingError: it is no path.
    """

    path: str

    def __post_init__(self) -> None:
        self._check_path("NumberedFolder")

    def _next_name(self) -> str:
        return str(max(self._numbers(), default=0) + 1)


def _copy(source: str, target: str) -> None:
    """Copies what is in a folder into another one, as links where that goes."""
    for name in files.listing(source):
        here, there = files.join(source, name), files.join(target, name)
        if files.is_folder(here):
            files.make_folder(there)
            _copy(here, there)
        else:
            files.link_or_copy(here, there)
