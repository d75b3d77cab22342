"""The folder of stored outputs: an entry for each key, shared by all runs, of limited size.

    <folder>/<key>/00000.npy, 00001.npy, ...   shards, each there whole or not at all
    <folder>/<key>/00000.1.npy, ...            those of further arrays, each before its 00000.npy
    <folder>/<key>/entry.json                  written last: the entry is complete
    <folder>/.<key>.flock                      held while an entry is made, opened or removed

The time of `entry.json` is that of the last use: what was used longest ago is removed first.
"""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
import logging
import os
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import numpy as np

from hub_estimator import files
from hub_estimator.files import locks
from hub_estimator.training.feature_cache import shards
from hub_estimator.training.feature_cache.pieces import Layout
from hub_estimator.training.feature_cache.shards import MappedFiles, Shards, shard_rows
from hub_estimator.training.inputs.values import Column

_ENTRY = "entry.json"
# What is in an entry, and what a killed run was writing there.
_OWN_NAMES = re.compile(r"\d{5}(\.\d+)?\.npy|entry\.json|\..*\.tmp-.*")
_IN_MEMORY_BYTES = 1 << 30
"""Up to this size, outputs are read into memory; larger ones are memory-mapped."""

_T = TypeVar("_T")

_logger = logging.getLogger("hub_estimator")


@dataclasses.dataclass(frozen=True)
class StoredOutputs:
    """What is stored under one key: arrays `[R, D]`, of outputs just one of float32.

    Attributes:
      folder: where they are.
    """

    folder: str

    @property
    def is_complete(self) -> bool:
        """Whether all shards are there."""
        return os.path.exists(files.join(self.folder, _ENTRY))

    @property
    def is_own(self) -> bool:
        """Whether it has files, and only such as entries have; the folder may hold other things."""
        with contextlib.suppress(OSError):
            names = files.listing(self.folder)
            return bool(names) and all(map(_OWN_NAMES.fullmatch, names))
        return False

    @property
    def size(self) -> int:
        """The number of bytes on disk; what another run removes meanwhile has none."""
        size = 0
        with contextlib.suppress(FileNotFoundError):
            for name in files.listing(self.folder):
                with contextlib.suppress(FileNotFoundError):
                    size += os.path.getsize(files.join(self.folder, name))
        return size

    @property
    def last_used(self) -> float:
        """When it was last used, or changed where it is not complete; seconds since the epoch.

        0 where another run removed it meanwhile.
        """
        for path in (files.join(self.folder, _ENTRY), self.folder):
            with contextlib.suppress(FileNotFoundError):
                return os.path.getmtime(path)
        return 0.0

    def rows_there(self, width: int) -> int:
        """Returns the number of rows that whole shards hold, from the first row on.

        What a killed run was writing goes: the lock says that no run is writing now.
        """
        files.remove_abandoned(self.folder, older_than_secs=0)
        number = 0
        while os.path.exists(self._shard(number)):
            number += 1
        return number * shard_rows(width)

    def write_shard(self, number: int, *arrays: np.ndarray) -> None:
        """Writes a shard, `[R, D]` of each array, whole or not at all."""
        files.make_folder(self.folder)
        for array, values in reversed([*enumerate(arrays)]):  # the first one says that it is there
            with files.whole_file(self._shard(number, array)) as file:
                content = io.BytesIO()  # numpy's own writing to files does not tell what failed
                np.save(content, values, allow_pickle=False)
                file.write(content.getbuffer())

    def complete(self, num_rows: int, about: str, contents: Any = None) -> None:
        """Says that all shards are there.

        Args:
          num_rows: `N`.
          about: what tells people what this is.
          contents: what tells what the arrays are, as values of JSON.
        """
        said = {"about": about, "rows": num_rows} | (
            {} if contents is None else {"contents": contents}
        )
        files.write_text(files.join(self.folder, _ENTRY), f"{json.dumps(said, indent=1)}\n")

    def contents(self) -> Any:
        """Returns what `complete` was told of the arrays.

        Raises:
          ValueError: the file says something else.
          OSError: it cannot be read here and now.
        """
        said = json.loads(files.read_bytes(files.join(self.folder, _ENTRY)))
        return said.get("contents") if isinstance(said, dict) else None

    def open(self, num_rows: int) -> Column | None:
        """Opens outputs and makes this the entry used last.

        Args:
          num_rows: `N`.

        Returns:
          float32 `[N, D]`; None where a file was lost or damaged: then the entry is removed.

        Raises:
          OSError: a file is there, and cannot be read here and now.
        """
        return self.opened(lambda: self.arrays(num_rows, Layout())[0])

    def opened(self, read: Callable[[], _T]) -> _T | None:
        """Opens it in some way, and makes this the entry used last.

        Args:
          read: reads it.

        Returns:
          What was read; None where a file was lost or damaged: then the entry is removed.

        Raises:
          OSError: a file is there, and cannot be read here and now.
        """
        with contextlib.suppress(OSError):  # a folder that others own
            os.utime(files.join(self.folder, _ENTRY))
        try:
            return read()
        except (FileNotFoundError, ValueError, EOFError) as error:
            _logger.warning(
                "The stored outputs in %r are damaged, and are removed: %s.",
                self.folder,
                str(error).rstrip("."),
            )
            self.remove()
            return None

    def arrays(self, num_rows: int, layout: Layout) -> list[Column]:
        """Reads the arrays.

        Args:
          num_rows: `N`.
          layout: what they are.

        Raises:
          ValueError, EOFError: a file is damaged.
          OSError: it is missing, or cannot be read here and now.
        """
        found: list[Column] = []
        is_mapped = self.size > _IN_MEMORY_BYTES
        for number, (dtype, lengths) in enumerate(zip(layout.dtypes, layout.lengths, strict=True)):
            paths = self._paths(number)
            shapes = [shards.shape(path, dtype) for path in paths]
            expected = num_rows
            if lengths is not None:
                expected = int(found[lengths][np.arange(num_rows)].sum())
            _check(shapes, expected, is_even=lengths is None)
            if is_mapped:
                ends = np.cumsum([rows for rows, _ in shapes])
                found.append(Shards(MappedFiles(paths), None if lengths is None else ends))
            else:
                found.append(np.concatenate([np.load(path) for path in paths]))
        return found

    def _paths(self, array: int) -> list[str]:
        paths: list[str] = []
        while os.path.exists(self._shard(len(paths), array)):
            paths.append(self._shard(len(paths), array))
        return paths

    def remove(self) -> None:
        """Removes the entry."""
        files.remove(files.join(self.folder, _ENTRY))  # first: what is left is not complete
        files.remove(self.folder)

    def _shard(self, number: int, array: int = 0) -> str:
        name = f"{number:05}.{array}.npy" if array else f"{number:05}.npy"
        return files.join(self.folder, name)


def _check(shapes: Sequence[tuple[int, int]], num_rows: int, is_even: bool) -> None:
    """Checks the shapes of the shards of an array; of an even one all but the last are equal."""
    rows = sum(rows for rows, _ in shapes)
    if rows != num_rows:
        raise ValueError(f"they have {rows} rows, not {num_rows}")
    if len({width for _, width in shapes}) > 1 or (is_even and len(set(shapes[:-1])) > 1):
        raise ValueError("they are of different sizes")


@dataclasses.dataclass(frozen=True)
class Store:
    """All entries.

    Attributes:
      folder: where they are.
      max_bytes: how large they may be together.
    """

    folder: str
    max_bytes: int

    def entries(self) -> list[StoredOutputs]:
        """Returns all entries, complete or not, that used longest ago first.

        They go to make room: what somebody else put into the folder is none.
        """
        names = files.listing(self.folder) if files.is_folder(self.folder) else []
        paths = (files.join(self.folder, name) for name in names if not name.startswith("."))
        found = [StoredOutputs(path) for path in paths if os.path.isdir(path)]
        own = [entry for entry in found if entry.is_own]
        return sorted(own, key=lambda entry: entry.last_used)

    def entry(self, key: str) -> StoredOutputs:
        """Returns the entry of a key, which need not be there."""
        return StoredOutputs(files.join(self.folder, key))

    @contextlib.contextmanager
    def locked(self, key: str) -> Iterator[StoredOutputs]:
        """Gives the entry of a key; for the time of the `with` block no other process changes it.

        Raises:
          OSError: the folder cannot be used.
        """
        files.make_folder(self.folder)
        with locks.held(self._lock(key), _say_waiting):
            yield self.entry(key)

    def make_room(self, needed: int, key: str) -> bool:
        """Removes what was used longest ago, but for an entry and what other runs work on.

        Args:
          needed: how many bytes the entry will have.
          key: the entry's key.

        Returns:
          Whether there is room now.
        """
        others = [other for other in self.entries() if os.path.basename(other.folder) != key]
        sizes = {other.folder: other.size for other in others}
        for entry in others:
            if needed > self.max_bytes or sum(sizes.values()) + needed <= self.max_bytes:
                break
            if self._remove(entry):
                del sizes[entry.folder]
        return sum(sizes.values()) + needed <= self.max_bytes

    def _remove(self, entry: StoredOutputs) -> bool:
        with locks.held_if_free(self._lock(os.path.basename(entry.folder))) as is_held:
            if is_held:
                entry.remove()
        return is_held

    def _lock(self, key: str) -> str:
        return files.join(self.folder, f".{key}.flock")


def _say_waiting() -> None:
    _logger.info("Waiting for another run that computes the same outputs.")
