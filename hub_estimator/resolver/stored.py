"""Resolves folders of stores, `s3://bucket/module`: copied into the cache, file by file."""

from __future__ import annotations

import dataclasses
import os

from hub_estimator import errors, files, layout, texts
from hub_estimator.files import StoredFile
from hub_estimator.resolver import archives, remote
from hub_estimator.resolver.handle import Handle
from hub_estimator.resolver.module_cache import Cache, Fetched
from hub_estimator.resolver.settings import Settings


@dataclasses.dataclass(frozen=True)
class StoredFolderResolver:
    """Copies folders that TensorFlow cannot read itself into the cache.

    Attributes:
      cache: where modules are kept.
      settings: how large they may be.
    """

    cache: Cache
    settings: Settings

    def supports(self, handle: Handle) -> bool:
        """Whether `handle` is the path of a folder of a store."""
        return not handle.is_url and files.is_store(handle.text) and not handle.is_archive

    def __call__(self, handle: Handle) -> str:
        """Returns the folder of the cache that holds the module."""

        def fetch(folder: str, spare: str) -> Fetched:
            return self._fetch(handle, folder)

        return self.cache.get(handle, fetch, offline=self.settings.offline)

    def _fetch(self, handle: Handle, folder: str) -> Fetched:
        remote.check_exists(handle)
        if not files.is_folder(handle.text):
            raise errors.NotAModuleError(
                f"'{handle}' is a file: give the folder of the module, or its .tar.gz."
            )
        if layout.kind_of(handle.text) is layout.FolderKind.OTHER:
            # Before the files below it are listed: there may be millions.
            names = texts.shown_names(files.listing(handle.text))
            raise errors.NotAModuleError(
                f"What {handle} leads to is no module: at its root there is neither "
                f"{layout.MODULE_DEF} nor {layout.SAVED_MODEL}, but {names}."
            )
        found = files.files_below(handle.text)
        self._check(handle, found)
        targets = {}
        for file in found:
            target = os.path.join(folder, *file.path.split("/"))
            os.makedirs(os.path.dirname(target), exist_ok=True)
            targets[files.join(handle.text, file.path)] = target
        remote.fetch(handle, targets, self.settings)
        return Fetched(handle.text)

    def _check(self, handle: Handle, found: list[StoredFile]) -> None:
        """Checks that the files of a module can be copied, and do no harm where they are copied to."""
        what = f"The folder {handle}"
        archives.check_size(
            sum(file.size for file in found), self.settings.max_unpacked_bytes, what
        )
        if len(found) > self.settings.max_members:
            raise errors.UnsafeArchiveError(
                f"{what} has more than {self.settings.max_members} files: a module has a few dozen."
            )
        paths = {file.path for file in found}
        for file in found:
            reason = archives.why_unsafe_name(file.path)
            above = file.path.split("/")[:-1]
            if not file.is_file:
                reason = "it is a link or no file"
            elif "" in above or "." in above:
                reason = "its path has a name that is empty or a dot"
            elif any("/".join(above[:depth]) in paths for depth in range(1, len(above) + 1)):
                reason = "a file is in the place of a folder above it"
            if reason:
                raise errors.UnsafeArchiveError(
                    f"{what} holds {texts.shown(file.path)}, which is refused: {reason}. A module has "
                    "only files and folders, by relative paths."
                )
