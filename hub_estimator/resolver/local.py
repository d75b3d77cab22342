"""Resolves paths: folders as they are, archives by unpacking them into the cache."""

from __future__ import annotations

import contextlib
import dataclasses
import os

from hub_estimator import digests, errors, files
from hub_estimator.resolver import archives, listed, remote
from hub_estimator.resolver.handle import Handle
from hub_estimator.resolver.hosted import unpack
from hub_estimator.resolver.module_cache import Cache, Fetched
from hub_estimator.resolver.settings import Settings

_START = 512


@dataclasses.dataclass(frozen=True)
class FolderResolver:
    """Returns folders on any filesystem that `tf.io.gfile` knows."""

    def supports(self, handle: Handle) -> bool:
        """Whether `handle` is a path."""
        return not handle.is_url

    def __call__(self, handle: Handle) -> str:
        """Returns the path, if there is a folder."""
        path = handle.text
        remote.check_exists(handle)
        if not files.is_folder(path):
            raise errors.NotAModuleError(
                f"{path!r} is {_kind(path)}: give the folder of the module, or its .tar.gz."
            )
        return path


def _kind(path: str) -> str:
    """Returns what is at `path` that is no folder, in words.

    Raises:
      errors.LfsPointerError: it is a pointer of Git LFS.
    """
    if not files.is_remote(path) and not os.path.isfile(path):
        return "neither a folder nor a file"
    with contextlib.suppress(PermissionError):
        files.check_file(path)
        with files.open_file(path) as file:
            return archives.format_of(file.read(_START)) or "a file"
    return "a file"


@dataclasses.dataclass(frozen=True)
class ArchiveResolver:
    """Unpacks archives on any filesystem that TensorFlow or `fsspec` knows into the cache.

    Attributes:
      cache: where modules are kept.
      settings: how to unpack.
    """

    cache: Cache
    settings: Settings

    def supports(self, handle: Handle) -> bool:
        """Whether `handle` is the path of a tar file."""
        return not handle.is_url and handle.is_archive and not os.path.isdir(handle.text)

    def __call__(self, handle: Handle) -> str:
        """Returns the folder of the cache that holds the module."""
        if files.is_remote(handle.text):
            stamp = ""
        else:
            handle = Handle(os.path.abspath(handle.text))
            remote.check_exists(handle)
            status = os.stat(handle.text)
            # A file that was replaced is another module under the same name.
            stamp = f"{status.st_size} bytes, modified {status.st_mtime_ns}"

        def fetch(folder: str, spare: str) -> Fetched:
            return self._fetch(handle, folder, os.path.join(spare, "archive"))

        # Offline forbids the network: a file on the local disk may be unpacked all the same.
        return self.cache.get(
            handle, fetch, offline=self.settings.offline and not stamp, stamp=stamp
        )

    def _fetch(self, handle: Handle, folder: str, copy: str) -> Fetched:
        archive = handle.text
        if files.is_remote(archive):
            remote.check_exists(handle)
            limit = self.settings.max_unpacked_bytes
            archives.check_size(files.size(archive), limit, f"The archive {handle}")
            remote.fetch(handle, {archive: copy}, self.settings)
            archive = copy
        _check_is_readable(archive)
        unpack(archive, folder, handle, self.settings)
        sha256 = digests.of_file(archive)
        if files.is_store(handle.text):
            listed.check(handle, handle.text, archive, "", sha256, self.settings)
        return Fetched(handle.text, os.path.getsize(archive), sha256)


def _check_is_readable(archive: str) -> None:
    """Raises an error of ours if an archive is no file, or not for this user to read."""
    try:
        files.check_file(archive)
    except PermissionError as error:
        raise errors.AccessDeniedError(
            f"{archive!r} cannot be read: {error.strerror}. Ask its owner for access."
        ) from error
