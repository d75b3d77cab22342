"""Resolves paths: folders as they are, archives by unpacking them into the cache."""

from __future__ import annotations

import dataclasses
import os
import urllib.parse

from hub_estimator import errors, files
from hub_estimator.resolver.cache import Cache, Origin
from hub_estimator.resolver.contents import digest
from hub_estimator.resolver.handle import Handle
from hub_estimator.resolver.hosted import unpack
from hub_estimator.resolver.settings import Settings


@dataclasses.dataclass(frozen=True)
class FolderResolver:
    """Returns folders on any filesystem that `tf.io.gfile` knows."""

    def supports(self, handle: Handle) -> bool:
        """Whether `handle` is a path."""
        return not handle.is_url

    def __call__(self, handle: Handle) -> str:
        """Returns the path, if there is a folder."""
        path = handle.text
        _check_exists(handle)
        if not files.is_folder(path):
            raise errors.NotAModuleError(
                f"{path!r} is a file: give the folder of the module, or its .tar.gz."
            )
        return path


@dataclasses.dataclass(frozen=True)
class ArchiveResolver:
    """Unpacks archives on any filesystem that `tf.io.gfile` knows into the cache.

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
            _check_exists(handle)
            status = os.stat(handle.text)
            # A file that was replaced is another module under the same name.
            stamp = f"{status.st_size} bytes, modified {status.st_mtime_ns}"

        def fetch(folder: str, spare: str) -> Origin:
            return self._fetch(handle, folder, os.path.join(spare, "archive"))

        # Offline forbids the network: a file on the local disk may be unpacked all the same.
        return self.cache.get(
            handle, fetch, offline=self.settings.offline and not stamp, stamp=stamp
        )

    def _fetch(self, handle: Handle, folder: str, copy: str) -> Origin:
        archive = handle.text
        if files.is_remote(archive):
            _check_exists(handle)
            files.copy_file(archive, copy)
            archive = copy
        unpack(archive, folder, handle, self.settings)
        return Origin(handle.text, os.path.getsize(archive), digest(archive))


def _check_exists(handle: Handle) -> None:
    """Raises an error if there is nothing at a path, or nothing can be."""
    path = handle.text
    there = _exists_remotely(path) if files.is_remote(path) else os.path.exists(path)
    if not there:
        given = "" if os.path.isabs(path) or files.is_remote(path) else f" (in {os.getcwd()})"
        raise errors.HandleNotFoundError(
            f"There is nothing at {path!r}{given}: check the path of the module."
        )


def _exists_remotely(path: str) -> bool:
    try:
        return files.exists(path)
    except Exception as error:
        # TensorFlow's errors of a filesystem it does not know, or cannot reach.
        scheme = urllib.parse.urlsplit(path).scheme
        raise errors.UnsupportedHandleError(
            f"{path!r} cannot be read: {getattr(error, 'message', error)} Give a URL that begins "
            f"with https://, a local path, or a path that tf.io.gfile reads ({scheme}:// is none)."
        ) from error
