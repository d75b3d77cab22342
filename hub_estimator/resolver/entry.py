"""One handle's place in the cache: what is there, and whether it is whole."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import os
import re
import time

from hub_estimator import files
from hub_estimator.resolver import contents
from hub_estimator.resolver import descriptor as descriptors
from hub_estimator.resolver.descriptor import Descriptor

SUFFIX = ".descriptor.txt"
_PEER_HANDLE = re.compile(r"^Module: (.*)$", re.MULTILINE)
# Of 100,000 files with names of the usual length.
_MAX_DESCRIPTOR = 64 << 20


@dataclasses.dataclass(frozen=True)
class CacheEntry:
    """One handle's place in a cache, filled or not.

    Attributes:
      folder: where the module is, or will be.
    """

    folder: str

    @property
    def descriptor_path(self) -> str:
        """Where the descriptor is."""
        return self.folder + SUFFIX

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
        if os.path.islink(self.descriptor_path):
            raise ValueError("it is a link")
        try:
            with files.open_file(self.descriptor_path) as file:
                content = file.read(_MAX_DESCRIPTOR + 1)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise ValueError(_unreadable(error)) from error
        if len(content) > _MAX_DESCRIPTOR:
            raise ValueError(f"it has more than {_MAX_DESCRIPTOR} bytes")
        return content.decode("utf-8")

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
        if os.path.islink(self.folder):
            return "it is a link"
        try:
            descriptor = self.descriptor()
        except ValueError as error:
            return f"its descriptor is damaged ({error})"
        try:
            return self._damage(descriptor, thorough)
        except OSError as error:
            return _unreadable(error)

    def _damage(self, descriptor: Descriptor | None, thorough: bool) -> str:
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
        return contents.total_size(self.folder)

    @property
    def age_secs(self) -> float:
        """The time since the entry appeared; 0 where nothing tells."""
        with contextlib.suppress(ValueError, OverflowError):
            descriptor = self.descriptor()
            if descriptor is not None:
                then = datetime.datetime.fromisoformat(descriptor.downloaded)
                return max(0.0, time.time() - then.timestamp())
        for path in (self.descriptor_path, self.folder):
            with contextlib.suppress(OSError):
                return max(0.0, time.time() - os.lstat(path).st_mtime)
        return 0.0


def _unreadable(error: OSError) -> str:
    return f"it cannot be read ({error.strerror or error})"
