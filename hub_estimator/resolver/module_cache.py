"""The cache: one folder per handle, whole or absent, filled by one process at a time.

An entry is `<sha1 of the handle>/`, with `<sha1>.descriptor.txt` beside it: names that the peer
uses too, so that either reads what the other downloaded.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import errno
import logging
import os
import re
import shutil
from collections.abc import Callable, Iterator

from hub_estimator import errors, files, layout, texts
from hub_estimator.resolver import contents, trust
from hub_estimator.resolver import descriptor as descriptors
from hub_estimator.resolver.descriptor import Descriptor
from hub_estimator.resolver.entry import SUFFIX, CacheEntry
from hub_estimator.resolver.handle import Handle, without_secrets
from hub_estimator.resolver.locks import lock_path, locked

_logger = logging.getLogger("hub_estimator")
_KEY = re.compile(r"[0-9a-f]{40}")
# Who is at it for longer, on another machine, is taken for dead.
_LONGEST_FETCH_SECS = 7 * 86400.0
_NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_NO_PERMISSION = (errno.EACCES, errno.EPERM, errno.EROFS)


@dataclasses.dataclass(frozen=True)
class Fetched:
    """Where the files of a new entry came from.

    Attributes:
      source: a URL or a path.
      archive_bytes: the size of the archive they were in; 0 if there was none.
      archive_sha256: its digest; empty if there was none.
    """

    source: str
    archive_bytes: int = 0
    archive_sha256: str = ""


# Puts the files of a module into its first argument, an empty folder; the second is an empty one
# for whatever is needed on the way, and removed afterwards.
Fetch = Callable[[str, str], Fetched]


@dataclasses.dataclass(frozen=True)
class Cache:
    """A local folder of modules.

    Attributes:
      folder: its path; it need not exist.
    """

    folder: str

    def entry(self, handle: Handle) -> CacheEntry:
        """Returns the place of `handle`."""
        return CacheEntry(os.path.join(self.folder, handle.key))

    def entries(self) -> list[CacheEntry]:
        """Returns all that is there."""
        names = files.listing(self.folder) if os.path.isdir(self.folder) else []
        return [
            CacheEntry(os.path.join(self.folder, name)) for name in names if _KEY.fullmatch(name)
        ]

    def get(self, handle: Handle, fetch: Fetch, offline: bool = False, stamp: str = "") -> str:
        """Returns the folder of `handle`, fetched if it is not there or not whole.

        Args:
          handle: what to get.
          fetch: called in at most one process at a time, to fill an empty folder.
          offline: raise an error instead of fetching.
          stamp: the state of the local archive that the entry is made from.

        Raises:
          errors.SettingError: the cache folder is not local.
          errors.OfflineError: it needs fetching, but must not be.
          errors.CacheError: the cache folder cannot be written or is full, or a stranger may have put
            there what is in it.
          errors.NotAModuleError: what was fetched is no module.
          errors.Error: whatever else `fetch` raises.
        """
        if files.is_remote(self.folder):
            raise errors.SettingError(
                f"TFHUB_CACHE_DIR is {self.folder!r}, but the cache needs a local folder: set it "
                "to one, or set TFHUB_MODEL_LOAD_FORMAT=UNCOMPRESSED to read modules from their "
                "bucket."
            )
        entry = self.entry(handle)
        self._check_is_trusted(handle, entry.folder, entry.descriptor_path)
        if entry.is_of(stamp) and not entry.damage():
            return entry.folder  # without a lock: works in a cache that cannot be written
        damage = entry.damage() or "it is out of date"
        if offline:
            raise errors.OfflineError(
                f"HUB_ESTIMATOR_OFFLINE is set, but {handle} cannot be used from the cache "
                f"{self.folder}: {damage}. Fetch it once with the network, or set TFHUB_CACHE_DIR "
                "to a cache that has it."
            )
        self._check_is_trusted(handle, lock_path(self.folder, handle))
        with self._disk_errors_explained(handle, damage), locked(self.folder, handle):
            # Again: they may be new.
            self._check_is_trusted(handle, entry.folder, entry.descriptor_path)
            damage = entry.damage()
            if damage and entry.is_there:
                _logger.warning(
                    "Fetching %s again: its cache entry is damaged, %s.", handle, damage
                )
            if damage or not entry.is_of(stamp):
                self._fill(entry, handle, fetch, stamp)
        return entry.folder

    def _check_is_trusted(self, handle: Handle, *paths: str) -> None:
        for path in paths:
            if stranger := trust.find_stranger(path):
                raise errors.CacheError(
                    f"{handle} is neither taken from nor put into the cache {self.folder}: "
                    f"{stranger}. Set TFHUB_CACHE_DIR to a folder that only you, or people you "
                    "trust, may write to."
                )

    def _fill(self, entry: CacheEntry, handle: Handle, fetch: Fetch, stamp: str) -> None:
        with self._scratch(entry) as scratch:
            module, spare = (os.path.join(scratch, name) for name in ("module", "spare"))
            os.mkdir(module)
            os.mkdir(spare)
            fetched = fetch(module, spare)
            _check_is_module(module, handle)
            _check_files(module, handle)
            files.remove(spare)
            new = Descriptor(
                handle=str(handle),
                source=without_secrets(fetched.source),
                downloaded=datetime.datetime.now(datetime.timezone.utc).isoformat(
                    timespec="seconds"
                ),
                archive_bytes=fetched.archive_bytes,
                archive_sha256=fetched.archive_sha256,
                stamp=stamp,
                files=descriptors.record_files(module),
            )
            files.flush_tree(module)
            for path in (entry.folder, entry.descriptor_path):
                if os.path.lexists(path):
                    os.rename(path, os.path.join(scratch, os.path.basename(path)))
            # First the descriptor, then the folder: no folder is ever there without one.
            files.write_text(entry.descriptor_path, new.to_json())
            os.rename(module, entry.folder)
            files.flush_folder(self.folder)

    @contextlib.contextmanager
    def _scratch(self, entry: CacheEntry) -> Iterator[str]:
        self._remove_leftovers(entry)
        files.remove_abandoned(self.folder, _LONGEST_FETCH_SECS)
        scratch = files.scratch_beside(entry.folder)
        os.mkdir(scratch)
        try:
            yield scratch
        finally:
            _remove(scratch)

    def _remove_leftovers(self, entry: CacheEntry) -> None:
        # Whoever holds the lock knows that nobody else is at work on this entry.
        key = os.path.basename(entry.folder)
        for name in files.listing(self.folder):
            if name.startswith((f".{key}.tmp-", f".{key}{SUFFIX}.tmp-")):
                _remove(os.path.join(self.folder, name))

    def remove(self, entry: CacheEntry) -> None:
        """Removes `entry`, and what killed processes left of it.

        Raises:
          errors.CacheError: the cache folder cannot be written.
        """
        handle = _KeyedHandle(os.path.basename(entry.folder))
        with (
            self._disk_errors_explained(handle, "it is to be removed"),
            locked(self.folder, handle),
        ):
            if entry.is_there:
                with self._scratch(entry) as scratch:
                    os.rename(entry.folder, os.path.join(scratch, "removed"))
            files.remove(entry.descriptor_path)
            self._remove_leftovers(entry)

    @contextlib.contextmanager
    def _disk_errors_explained(self, handle: Handle, why: str) -> Iterator[None]:
        try:
            yield
        except errors.Error:
            raise
        except OSError as error:
            raise errors.CacheError(
                f"The entry of {handle} in the cache {self.folder} cannot be written ({why}): "
                f"{_advice(error)}"
            ) from error


@dataclasses.dataclass(frozen=True)
class _KeyedHandle(Handle):
    """The handle of an entry of which only the key is known."""

    @property
    def key(self) -> str:
        return self.text


def _remove(path: str) -> None:
    """Removes the file or folder `path` as far as this user may."""
    # Too deep a folder, which no archive makes, is more than the library can remove.
    with contextlib.suppress(OSError, RecursionError):
        if os.path.isdir(path) and not os.path.islink(path):
            shutil.rmtree(path, ignore_errors=True)
        else:
            os.remove(path)


def _advice(error: OSError) -> str:
    reason = error.strerror or str(error)
    if error.errno in _NO_SPACE:
        return (
            f"{reason}. Make room (python -m hub_estimator.cache clear), or set TFHUB_CACHE_DIR to "
            "a folder on a larger disk."
        )
    if error.errno in _NO_PERMISSION:
        return f"{reason}. Set TFHUB_CACHE_DIR to a folder that you may write to."
    return f"{reason}. Set TFHUB_CACHE_DIR to a usable folder."


def _check_is_module(folder: str, handle: Handle) -> None:
    if layout.kind_of(folder) is not layout.FolderKind.OTHER:
        return
    names = files.listing(folder)
    found = texts.one_line(", ".join(names[:5])) or "nothing"
    hint = "pack the module with `tar -cz -C <folder of the module> .`"
    if len(names) == 1 and os.path.isdir(os.path.join(folder, names[0])):
        hint = f"the module may be in its folder {names[0]!r}; {hint}"
    raise errors.NotAModuleError(
        f"What {handle} leads to is no module: at its root there is neither "
        f"{layout.MODULE_DEF} nor {layout.SAVED_MODEL}, but {found}; {hint}."
    )


def _check_files(folder: str, handle: Handle) -> None:
    if irregular := contents.find_irregular(folder):
        raise errors.UnsafeArchiveError(
            f"What {handle} leads to is refused: {texts.one_line(irregular)}. A module has only "
            "files and folders."
        )
    if pointer := contents.find_pointer(folder):
        raise errors.LfsPointerError(
            f"What {handle} leads to has a pointer of Git LFS in place of {pointer!r}: pack the "
            "module in a clone after `git lfs pull`."
        )
