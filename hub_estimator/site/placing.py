"""Puts a version to its place: on a disk by one rename, in a store file by file, its record last.

On a disk one publisher at a time does so. In a store, which has no locks, who puts the archive of a
number first has the number; where two do so at once, the store tells one of them that it is taken.
"""

from __future__ import annotations

import dataclasses
import os

from hub_estimator import digests, errors, files
from hub_estimator.site import names, refreshing
from hub_estimator.site.records import Version
from hub_estimator.site.site_folder import ARCHIVE, PAGE, VERSION, Site


@dataclasses.dataclass(frozen=True)
class Draft:
    """A version that is about to be published, in a scratch folder.

    Attributes:
      scratch: the folder.
      version: what is known of it, all but its number.
      number: the number that it is to have; None is the next one.
    """

    scratch: str
    version: Version
    number: int | None

    @property
    def folder(self) -> str:
        """What becomes the version's folder."""
        return folder_in(self.scratch)

    @property
    def archive(self) -> str:
        """What becomes its archive."""
        return archive_in(self.scratch)


def folder_in(scratch: str) -> str:
    """Returns the path of what becomes the folder of a version."""
    return files.join(scratch, "version")


def archive_in(scratch: str) -> str:
    """Returns the path of what becomes the archive of a version."""
    return files.join(scratch, "archive")


def place(site: Site, draft: Draft) -> Version:
    """Puts a version to its place; call it while the site is held.

    Raises:
      errors.VersionTakenError: there is one of its number.
    """
    return _in_store(site, draft) if files.is_store(site.path) else _on_disk(site, draft)


def check_free(site: Site, name: str, number: int | None) -> None:
    """Checks that there is no such version; None is the next one, which is free.

    Raises:
      errors.VersionTakenError: there is one.
    """
    if number in {found.number for found in site.versions(name)}:
        raise errors.VersionTakenError(
            f"There is a version {number} of {name} in {site.path!r} already, and versions never "
            "change. Leave --version out for the next one, or give another number."
        )


def _write_texts(site: Site, draft: Draft, number: int) -> Version:
    version = dataclasses.replace(draft.version, number=number)
    files.write_text(files.join(draft.folder, VERSION), version.to_json())
    files.write_bytes(files.join(draft.folder, PAGE), refreshing.page_of(site, version))
    return version


# --- in a store ---------------------------------------------------------------------------------


def _in_store(site: Site, draft: Draft) -> Version:
    version = _write_texts(site, draft, _take_number(site, draft))
    folder = site.version_folder(version.name, version.number)
    for name in files.listing(draft.folder):
        if name != VERSION:
            files.copy_file(files.join(draft.folder, name), files.join(folder, name))
    if not files.put_new(files.join(draft.folder, VERSION), files.join(folder, VERSION)):
        raise errors.VersionTakenError(
            f"Somebody else has published a version {version.number} of {version.name} in "
            f"{site.path!r} meanwhile: the store has no conditional writes. Publish again, one after "
            "the other."
        )
    return version


def _take_number(site: Site, draft: Draft) -> int:
    """Puts the archive where no other is; returns its number."""
    name, number = draft.version.name, 0
    check_free(site, name, draft.number)
    while True:
        number = draft.number or max(site.next_number(name), number + 1)
        if files.put_new(draft.archive, site.archive(name, number)):
            return number
        if draft.number:
            raise errors.VersionTakenError(
                f"There is an archive of a version {number} of {name} in {site.path!r} already: of a "
                "publisher that is at it, or was killed. Leave --version out for the next one, or "
                "give another number."
            )


# --- on a disk ----------------------------------------------------------------------------------


def _on_disk(site: Site, draft: Draft) -> Version:
    """First the archive, which nothing names yet, then the folder."""
    name = draft.version.name
    check_free(site, name, draft.number)
    version = _write_texts(site, draft, draft.number or _next_number(site, draft))
    site.make_model_folder(name)
    files.flush_tree(draft.scratch)
    _remove_left_archives(site, name)
    files.move(draft.archive, site.archive(name, version.number), overwrite=True)
    files.move(draft.folder, site.version_folder(name, version.number))
    files.flush_folder(site.folder(name))
    return version


def _next_number(site: Site, draft: Draft) -> int:
    """Returns the number of the new version.

    Where a publisher of the same archive died before its version was there, that of its archive.
    """
    version = draft.version
    number = site.next_number(version.name)
    left = site.archive(version.name, number - 1)
    is_left = number > 1 and not os.path.isdir(site.version_folder(version.name, number - 1))
    if is_left and files.is_plain_file(left) and digests.of_file(left) == version.archive_sha256:
        return number - 1
    return number


def _remove_left_archives(site: Site, name: str) -> None:
    """Removes archives whose publishers died before their versions were there."""
    for entry in files.listing(site.folder(name)):
        number = names.version_of(entry.removesuffix(ARCHIVE)) if entry.endswith(ARCHIVE) else None
        path = files.join(site.folder(name), entry)
        if (
            number
            and files.is_plain_file(path)
            and not os.path.isdir(site.version_folder(name, number))
        ):
            files.remove(path)
