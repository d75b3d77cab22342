"""Makes what follows from the versions of a site: archives' names, pages, the index and the feed.

A publisher may die between any two steps of it; the next one does what is missing. The page of a
model comes after those of its versions: where it is as it must be, which release of ours wrote it
included, they are too, unless somebody removed them.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet

from hub_estimator import errors, files
from hub_estimator.site import index, pages
from hub_estimator.site.records import Version, newest_of
from hub_estimator.site.site_folder import ARCHIVE, FEED, INDEX, PAGE, Site

Models = Mapping[str, Sequence[Version]]


def refresh(site: Site) -> None:
    """Brings all that follows from the versions up to date; call it while the site is held.

    In a store others may publish meanwhile, and write what they know after it: it is done again until
    nothing is new. So who comes last has seen all.

    Raises:
      errors.SiteError: something is there that a site does not have.
    """
    models = site.models()
    _refresh(site, models, set())
    while files.is_store(site.path):
        before, models = models, site.models()
        new = {name for name, versions in models.items() if before.get(name) != versions}
        if not new:
            return
        _refresh(site, models, new)


def _refresh(site: Site, models: Models, new: AbstractSet[str]) -> None:
    """Brings up to date what follows from versions.

    Args:
      site: the site.
      models: the versions of each model.
      new: the models of which others published versions meanwhile.
    """
    _remove_abandoned(site, models)
    writer = pages.Pages(site.url(), models)
    # Before a link leads to a new archive: who follows that finds its digest here.
    _write(site.top(INDEX), index.text(models).encode())
    for name, versions in models.items():
        page = writer.model(name, versions).encode()
        is_current = name not in new and _has(files.join(site.folder(name), PAGE), page)
        _link_newest(site, name, versions, is_current)
        _remove_withdrawn_archives(site, versions)
        _write_pages(site, writer, name, versions, page, is_current)
    for name, content in pages.static_files().items():
        _write(site.top(name), content)
    _write(site.top(FEED), writer.feed().encode())
    _write(site.top(PAGE), writer.site().encode())


def page_of(site: Site, version: Version) -> bytes:
    """Returns the page that a version begins with; `refresh` keeps it up to date."""
    versions = [version, *site.versions(version.name)]
    versions.sort(key=lambda version: version.number, reverse=True)
    return pages.Pages(site.url(), {version.name: versions}).version(version, versions).encode()


def _remove_abandoned(site: Site, models: Models) -> None:
    """Removes what killed publishers left, but for what is in the folders of versions."""
    folders = {site.path}
    for name in models:
        folders |= {site.folder(name), files.parent(site.folder(name))}
    for folder in folders:
        files.remove_abandoned(folder)


def _remove_withdrawn_archives(site: Site, versions: Sequence[Version]) -> None:
    for version in versions:
        if not version.is_there:
            files.remove(site.archive(version.name, version.number))


def _link_newest(site: Site, name: str, versions: Sequence[Version], is_current: bool) -> None:
    path = site.newest_link(name)
    newest = newest_of(versions)
    if newest is None:
        files.remove(path)
        return
    if files.is_store(path):  # which has no links: there it is a copy, made by the store
        is_there = files.exists(path) and files.size(path) == newest.archive_bytes
        if not is_current or not is_there:
            files.copy_file(site.archive(name, newest.number), path)
        return
    target = f"{os.path.basename(site.folder(name))}/{newest.number}{ARCHIVE}"
    if os.path.lexists(path) and not os.path.islink(path):
        raise errors.SiteError(f"{path!r} is no link to the newest archive. Remove it.")
    if not os.path.islink(path) or os.readlink(path) != target:
        files.switch_link(path, target)


def _write_pages(
    site: Site,
    writer: pages.Pages,
    name: str,
    versions: Sequence[Version],
    page: bytes,
    is_current: bool,
) -> None:
    """Writes the pages of versions, and then that of their model, where that is not current."""
    folders = [site.version_folder(name, version.number) for version in versions]
    if is_current and all(files.exists(files.join(folder, PAGE)) for folder in folders):
        return
    for version, folder in zip(versions, folders, strict=True):
        files.remove_abandoned(folder)
        _write(files.join(folder, PAGE), writer.version(version, versions).encode())
    _write(files.join(site.folder(name), PAGE), page)


def _write(path: str, content: bytes) -> None:
    """Writes a file, where it is not so already; a link in its place goes, what it leads to stays."""
    if not _has(path, content):
        files.write_bytes(path, content)


def _has(path: str, content: bytes) -> bool:
    if files.is_link(path):
        return False
    try:
        with files.open_file(path) as file:
            return file.read(len(content) + 1) == content
    except (FileNotFoundError, errors.NotAFileError):
        return False
