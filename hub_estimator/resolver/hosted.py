"""Resolves URLs by the hosting protocol: the module as an archive, or its bucket."""

from __future__ import annotations

import dataclasses
import logging
import os

from hub_estimator import digests, errors, files, texts
from hub_estimator.resolver import archives, asking, download, listed, remote
from hub_estimator.resolver.handle import Handle
from hub_estimator.resolver.module_cache import Cache, Fetched
from hub_estimator.resolver.settings import Settings

_logger = logging.getLogger("hub_estimator")
_MAX_SHOWN = 80


@dataclasses.dataclass(frozen=True)
class HostedResolver:
    """Downloads the archive of a URL into the cache.

    Attributes:
      cache: where modules are kept.
      settings: how to download.
    """

    cache: Cache
    settings: Settings

    def supports(self, handle: Handle) -> bool:
        """Whether `handle` is a URL."""
        return handle.is_url

    def __call__(self, handle: Handle) -> str:
        """Returns the folder of the cache that holds the module."""

        def fetch(folder: str, spare: str) -> Fetched:
            return self._fetch(handle, folder, os.path.join(spare, "archive"))

        return self.cache.get(handle, fetch, offline=self.settings.offline)

    def _fetch(self, handle: Handle, folder: str, archive: str) -> Fetched:
        asking.warn_of_unverified_hosts(handle, self.settings)
        urls = [handle.asking_for("compressed")]
        if handle.is_archive and handle.text not in urls:
            urls.append(handle.text)  # a signed URL allows no addition to its query
        got = download.fetch(handle, urls, archive, self.settings)
        try:
            unpack(archive, folder, handle, self.settings)
        except errors.BrokenArchiveError:
            if not got.resumed:
                raise
            # The pieces may be of different files, on a host that does not tell them apart.
            _logger.warning("Downloading %s in one piece: its pieces do not fit.", handle)
            files.remove(folder)
            os.mkdir(folder)
            got = download.fetch(handle, urls, archive, self.settings)
            unpack(archive, folder, handle, self.settings)
        sha256 = digests.of_file(archive)
        listed.check(handle, got.url, archive, got.index, sha256, self.settings)
        return Fetched(got.url, got.size, sha256)


def unpack(archive: str, folder: str, handle: Handle, settings: Settings) -> None:
    """Unpacks the local file `archive`, that of `handle`, into `folder`.

    Raises:
      errors.BrokenArchiveError: it is no whole tar.
      errors.UnsafeArchiveError: it holds what must not be unpacked.
    """
    limits = archives.Limits(settings.max_unpacked_bytes, settings.max_members)
    archives.unpack(archive, folder, limits, f"The archive of {handle}")


@dataclasses.dataclass(frozen=True)
class BucketResolver:
    """Asks a URL for the bucket that holds the module's files, and uses them there.

    Attributes:
      settings: how to ask.
    """

    settings: Settings

    def supports(self, handle: Handle) -> bool:
        """Whether `handle` is a URL and uncompressed modules are wanted."""
        return handle.is_url and self.settings.load_format == "UNCOMPRESSED"

    def __call__(self, handle: Handle) -> str:
        """Returns the path in the bucket, which `tf.io.gfile` reads."""
        if self.settings.offline:
            raise errors.OfflineError(
                f"HUB_ESTIMATOR_OFFLINE is set, and {handle} is to be read from its bucket: unset "
                "TFHUB_MODEL_LOAD_FORMAT to use the cache."
            )
        asking.warn_of_unverified_hosts(handle, self.settings)
        path = self._ask_for_bucket(handle)
        says = f"The host of {handle} says that the module is at {texts.one_line(path, _MAX_SHOWN)}"
        try:
            is_there = remote.exists(path)
        except errors.UnsupportedHandleError as error:
            raise errors.DownloadError(
                f"{says}, which cannot be read here: set TFHUB_MODEL_LOAD_FORMAT=COMPRESSED."
            ) from error
        if not is_there:
            raise errors.HandleNotFoundError(f"{says}, but there is nothing.")
        return path

    def _ask_for_bucket(self, handle: Handle) -> str:
        def answers(url: str, status: int | None) -> bool:
            return status == 303 or (status is not None and 200 <= status < 300)

        url = handle.asking_for("uncompressed")
        answer = download.trace(handle, self.settings, url, answers)
        if answer.status != 303:
            raise errors.DownloadError(
                f"The host of {handle} does not tell where the uncompressed module is (it answered "
                f"{answer.status}, not 303): set TFHUB_MODEL_LOAD_FORMAT=COMPRESSED."
            )
        return _bucket_path(handle, answer.body)


def _bucket_path(handle: Handle, body: bytes) -> str:
    path = body.decode("utf-8", "replace").strip()
    is_no_bucket = path.lower().startswith(("file:", "http:", "https:"))
    # A host does not choose which of the libraries here reads, with which of the user's logins.
    if not files.is_remote(path) or is_no_bucket or files.is_store(path):
        raise errors.DownloadError(
            f"The host of {handle} names {texts.shown(path, _MAX_SHOWN)} as the place of the uncompressed module, "
            "which is no bucket (like gs://bucket/module): set TFHUB_MODEL_LOAD_FORMAT=COMPRESSED."
        )
    return path
