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
import tempfile
import time
from collections.abc import Callable, Iterator

from hub_estimator import errors, files
from hub_estimator.resolver import descriptor as descriptors
from hub_estimator.resolver.descriptor import Descriptor
from hub_estimator.resolver.handle import Handle, without_secrets
from hub_estimator.resolver.locks import locked

_LOG = logging.getLogger("hub_estimator")
_KEY = re.compile(r"[0-9a-f]{40}")
_SUFFIX = ".descriptor.txt"
_PEER_HANDLE = re.compile(r"^Module: (.*)$", re.MULTILINE)
_NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_NO_PERMISSION = (errno.EACCES, errno.EPERM, errno.EROFS)


@dataclasses.dataclass(frozen=True)
class Origin:
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
Fetch = Callable[[str, str], Origin]


@dataclasses.dataclass(frozen=True)
class Entry:
    """One handle's place in a cache, filled or not.

    Attributes:
      folder: where the module is, or will be.
    """

    folder: str

    @property
    def descriptor_path(self) -> str:
        """Where the descriptor is."""
        return self.folder + _SUFFIX

    @property
    def is_there(self) -> bool:
        """Whether there is anything, whole or not."""
        return os.path.lexists(self.folder)

    def descriptor(self) -> Descriptor | None:
        """Returns what was written down; None for an entry that others made.

        Raises:
          ValueError: the descriptor is damaged.
        """
        text = self._descriptor_text()
        return None if text is None or _PEER_HANDLE.match(text) else Descriptor.from_json(text)

    def _descriptor_text(self) -> str | None:
        try:
            return files.read_bytes(self.descriptor_path).decode("utf-8")
        except FileNotFoundError:
            return None
        except OSError as error:
            raise ValueError(f"it cannot be read ({error.strerror})") from error

    @property
    def handle(self) -> str:
        """The handle, as far as a descriptor says it; else empty."""
        with contextlib.suppress(ValueError):
            text = self._descriptor_text() or ""
            peer = _PEER_HANDLE.match(text)
            return peer.group(1) if peer else Descriptor.from_json(text).handle
        return ""

    def damage(self, thorough: bool = False) -> str:
        """Returns what is wrong with the entry, in words; empty if it is whole.

        Args:
          thorough: read every file, not just those that may have changed.
        """
        if not self.is_there:
            return "it is not there"
        try:
            descriptor = self.descriptor()
        except ValueError as error:
            return f"its descriptor is damaged ({error})"
        if descriptor is None:
            return descriptors.find_visible_damage(self.folder)
        present = self._with_present_times(descriptor)
        damage = descriptors.find_damage(self.folder, descriptor, thorough)
        if not damage and present is not None and present != descriptor:
            # Copied, say: remember the times of what was just read, where that can be written.
            with contextlib.suppress(OSError):
                files.write_text(self.descriptor_path, present.to_json())
        return damage

    def _with_present_times(self, descriptor: Descriptor) -> Descriptor | None:
        try:
            return descriptors.with_present_times(self.folder, descriptor)
        except OSError:
            return None

    def is_of(self, stamp: str) -> bool:
        """Whether the entry was made from a local archive in the state `stamp`; "" is any."""
        with contextlib.suppress(ValueError):
            descriptor = self.descriptor()
            return not stamp or (descriptor is not None and descriptor.stamp == stamp)
        return False

    @property
    def size(self) -> int:
        """The size of all files in the folder, in bytes."""
        total = 0
        for here, _, names in os.walk(self.folder):
            with contextlib.suppress(OSError):
                total += sum(os.lstat(os.path.join(here, name)).st_size for name in names)
        return total

    @property
    def age_secs(self) -> float:
        """The time since the entry appeared."""
        with contextlib.suppress(OSError):
            path = self.descriptor_path if os.path.exists(self.descriptor_path) else self.folder
            with contextlib.suppress(ValueError):
                descriptor = self.descriptor()
                if descriptor is not None:
                    then = datetime.datetime.fromisoformat(descriptor.downloaded)
                    return max(0.0, time.time() - then.timestamp())
            return max(0.0, time.time() - os.lstat(path).st_mtime)
        return 0.0


@dataclasses.dataclass(frozen=True)
class Cache:
    """A local folder of modules.

    Attributes:
      folder: its path; it need not exist.
    """

    folder: str

    def entry(self, handle: Handle) -> Entry:
        """Returns the place of `handle`."""
        return Entry(os.path.join(self.folder, handle.key))

    def entries(self) -> list[Entry]:
        """Returns all that is there."""
        names = files.listing(self.folder) if os.path.isdir(self.folder) else []
        return [Entry(os.path.join(self.folder, name)) for name in names if _KEY.fullmatch(name)]

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
          errors.CacheError: the cache folder cannot be written or is full.
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
        if entry.is_of(stamp) and not entry.damage():
            return entry.folder  # without a lock: works in a cache that cannot be written
        damage = entry.damage() or "it is out of date"
        if offline:
            raise errors.OfflineError(
                f"HUB_ESTIMATOR_OFFLINE is set, but {handle} cannot be used from the cache "
                f"{self.folder}: {damage}. Fetch it once with the network, or set TFHUB_CACHE_DIR "
                "to a cache that has it."
            )
        with self._disk_errors_explained(handle, damage), locked(self.folder, handle):
            damage = entry.damage()
            if damage and entry.is_there:
                _LOG.warning("Fetching %s again: its cache entry is damaged, %s.", handle, damage)
            if damage or not entry.is_of(stamp):
                self._fill(entry, handle, fetch, stamp)
        return entry.folder

    def _fill(self, entry: Entry, handle: Handle, fetch: Fetch, stamp: str) -> None:
        with self._scratch(entry) as scratch:
            module, spare = (os.path.join(scratch, name) for name in ("module", "spare"))
            os.mkdir(module)
            os.mkdir(spare)
            origin = fetch(module, spare)
            _check_is_module(module, handle)
            files.remove(spare)
            new = Descriptor(
                handle=str(handle),
                source=without_secrets(origin.source),
                downloaded=datetime.datetime.now(datetime.timezone.utc).isoformat(
                    timespec="seconds"
                ),
                archive_bytes=origin.archive_bytes,
                archive_sha256=origin.archive_sha256,
                stamp=stamp,
                files=descriptors.record_files(module),
            )
            if entry.is_there:
                os.rename(entry.folder, os.path.join(scratch, "replaced"))
            # First the descriptor, then the folder: no folder is ever there without one.
            files.write_text(entry.descriptor_path, new.to_json())
            os.rename(module, entry.folder)

    @contextlib.contextmanager
    def _scratch(self, entry: Entry) -> Iterator[str]:
        self._remove_leftovers(entry)
        prefix = f".{os.path.basename(entry.folder)}.tmp-"
        scratch = tempfile.mkdtemp(prefix=prefix, dir=self.folder)
        try:
            yield scratch
        finally:
            shutil.rmtree(scratch, ignore_errors=True)

    def _remove_leftovers(self, entry: Entry) -> None:
        # Whoever holds the lock knows that nobody else is at work on this entry.
        key = os.path.basename(entry.folder)
        for name in files.listing(self.folder):
            if name.startswith((f".{key}.tmp-", f".{key}{_SUFFIX}.tmp-")):
                shutil.rmtree(os.path.join(self.folder, name), ignore_errors=True)
                with contextlib.suppress(OSError):
                    os.remove(os.path.join(self.folder, name))

    def remove(self, entry: Entry) -> None:
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
    names = files.listing(folder)
    if set(descriptors.ROOT_FILES) & set(names):
        return
    found = ", ".join(names[:5]) or "nothing"
    hint = "pack the module with `tar -cz -C <folder of the module> .`"
    if len(names) == 1 and os.path.isdir(os.path.join(folder, names[0])):
        hint = f"the module may be in its folder {names[0]!r}; {hint}"
    raise errors.NotAModuleError(
        f"What {handle} leads to is no module: at its root there is neither "
        f"{' nor '.join(descriptors.ROOT_FILES)}, but {found}; {hint}."
    )
