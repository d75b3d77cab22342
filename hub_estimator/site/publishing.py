"""Publishes a module: packed, with its page and its record, and then put to its place."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from typing import Any

from hub_estimator import digests, errors, files, layout, resolver
from hub_estimator.site import (
    archive,
    descriptions,
    module_facts,
    names,
    placing,
    refreshing,
    training_facts,
)
from hub_estimator.site.records import Picture, Version, now
from hub_estimator.site.site_folder import Site, check_url

_MOST_TEXT = 1 << 20


@dataclasses.dataclass(frozen=True)
class Published:
    """What was published.

    Attributes:
      version: the version.
      archive: the path of its archive.
      page: the path of its page.
      url: its handle, where the address of the site is known; else empty.
    """

    version: Version
    archive: str
    page: str
    url: str


def publish(
    module: files.PathLike,
    site: files.PathLike,
    name: str,
    version: int | None = None,
    description: files.PathLike | None = None,
    model_dir: files.PathLike | None = None,
    url: str | None = None,
    publication: Mapping[str, Any] | None = None,
) -> Published:
    """Publishes a module as a version of a model; the version appears whole or not at all.

    Args:
      module: a handle: the module's folder, an archive or a URL.
      site: the folder of the site, or its place in a store; made where it is not there.
      name: the name of the model, `owner/model`.
      version: its number; None is the next one.
      description: a Markdown file about it.
      model_dir: the model folder of the run that trained it; None looks for it above an export.
      url: the address under which the site is served, which the site keeps; None leaves it as it is.
      publication: what the publisher writes down for itself, in values that JSON has; `version.json`
        keeps it.

    Raises:
      errors.InvalidModelNameError: the name or the version is none.
      errors.VersionTakenError: there is this version.
      errors.SiteError: the site's folder is none, or damaged.
      errors.RemotePlaceError: the store cannot be used.
      errors.OutputIsInputError: the site is in the module, or the module in the site.
      errors.Error: the module cannot be had, or is none; the class and the message say what.
    """
    names.check(name)
    if version is not None:
        names.parse_version(str(version))
    address = None if url is None else check_url(url)
    text = "" if description is None else _description(files.as_path(description))
    descriptions.require()
    folder = _module_folder(module)
    place = files.as_path(site)
    files.check_output("The site", place, [("the module", folder)])
    files.check_output("The module", folder, [("the site", place)])
    before = digests.of_module(folder)
    about = module_facts.read(folder)
    training = training_facts.read(folder, None if model_dir is None else files.as_path(model_dir))
    opened = Site.open_or_make(place)
    files.remove_abandoned(opened.path)
    opened.models()  # what is wrong with the site is told before there is a new version in it
    placing.check_free(opened, name, version)
    with files.scratch_folder(opened.path, "publication") as scratch:
        pictures = _copy_pictures(training.pictures, placing.folder_in(scratch))
        packed = _pack(folder, before, placing.archive_in(scratch))
        with opened.held():
            if address is not None:
                opened.set_url(address)
            draft = Version(
                name, 0, now(), packed.bytes, packed.sha256, before, text, about,
                training.content, pictures, publication,
            )  # fmt: skip
            new = placing.place(opened, placing.Draft(scratch, draft, version))
            refreshing.refresh(opened)
    return _published(opened, new)


def _published(site: Site, version: Version) -> Published:
    name, number, address = version.name, version.number, site.url()
    url = f"{address}/{version.handle}" if address else ""
    return Published(version, site.archive(name, number), site.version_folder(name, number), url)


def _pack(folder: str, digest: str, target: str) -> archive.Packed:
    """Packs a module whose content has a digest.

    Raises:
      errors.BrokenModuleError: it has another one in the end.
    """
    packed = archive.pack(folder, target)
    if digests.of_module(folder) != digest:
        raise errors.BrokenModuleError(
            f"The module {folder!r} changes while it is published. Publish again once it is whole."
        )
    return packed


def _module_folder(module: files.PathLike) -> str:
    folder = resolver.resolve(module)
    if files.is_remote(folder):
        raise errors.NotAModuleError(
            f"{folder!r} is not on the local disk. Copy the module to a local folder, and publish that."
        )
    folder = os.path.realpath(folder)  # exporters' stable paths are links
    if layout.kind_of(folder) is layout.FolderKind.OTHER:
        raise errors.NotAModuleError(
            f"{folder!r} is no module: it has neither {layout.MODULE_DEF} nor {layout.SAVED_MODEL}. "
            "Give the folder of a module, as exporters and hub.Module.export make it."
        )
    return folder


def _description(path: str) -> str:
    """Returns the text of a description.

    Raises:
      errors.DataFileNotFoundError: there is no such file.
      errors.SiteSettingError: it is none.
    """
    try:
        with files.open_file(path) as file:
            content = file.read(_MOST_TEXT + 1)
    except FileNotFoundError as error:
        raise errors.DataFileNotFoundError(
            f"There is no description {path!r}. Give a Markdown file."
        ) from error
    if len(content) > _MOST_TEXT:
        raise errors.SiteSettingError(
            f"The description {path!r} has more than {_MOST_TEXT:,} bytes. Give a shorter one."
        )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise errors.SiteSettingError(
            f"The description {path!r} is not UTF-8. Give a Markdown file in UTF-8."
        ) from error


def _copy_pictures(found: training_facts.Pictures, folder: str) -> tuple[Picture, ...]:
    files.make_folder(folder)
    pictures = []
    for number, (title, content) in enumerate(found, 1):
        name = f"picture-{number}.png"
        files.write_bytes(files.join(folder, name), content)
        pictures.append(Picture(name, title))
    return tuple(pictures)
