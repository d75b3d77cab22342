"""Digests: short texts that are equal where contents are."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING, Any

from hub_estimator import files, layout

if TYPE_CHECKING:
    import numpy as np

_CHUNK = 1 << 20


def of_module(folder: str) -> str:
    """Returns a digest of the module or SavedModel in a folder, wherever that is.

    It is of the graph, the assets and the index of the variables' values, which holds a checksum of
    each: the values themselves, which may have gigabytes, are not read.
    """
    digest = Digest()
    index = f"{layout.checkpoint_prefix('')}.index"
    for name in (layout.SAVED_MODEL, layout.SAVED_MODEL_TEXT, index):
        if files.exists(files.join(folder, name)):
            digest.add(name)
            digest.add_file(files.join(folder, name))
    _add_folder(digest, folder, layout.ASSETS)
    return digest.hexadecimal()


def of_checkpoint(prefix: str) -> str:
    """Returns the digest of a checkpoint: of its index, which holds a checksum of each value.

    Args:
      prefix: its prefix.
    """
    return hashlib.sha256(files.read_bytes(f"{prefix}.index")).hexdigest()


def of_file(path: str) -> str:
    """Returns the SHA-256 of a file, which is read piece by piece."""
    sha256 = hashlib.sha256()
    with files.open_file(path) as file:
        while chunk := file.read(_CHUNK):
            sha256.update(chunk)
    return sha256.hexdigest()


def _add_folder(digest: Digest, folder: str, name: str) -> None:
    """Adds what is in a folder within another, if it is there, by its path within that.

    A folder that links lead to a second time is not followed again: links may lead in circles.
    """
    pending, seen = [name], set()
    while pending:
        inner = pending.pop()
        path = files.join(folder, inner)
        if not files.is_folder(path):
            if inner != name:
                digest.add(inner)
                digest.add_file(path)
            continue
        place = path if files.is_remote(path) else os.path.realpath(path)
        if place not in seen:
            seen.add(place)
            pending += [files.join(inner, below) for below in reversed(files.listing(path))]


class Digest:
    """SHA-256 of a row of parts; where one ends and the next begins counts too."""

    def __init__(self) -> None:
        self._sha = hashlib.sha256()

    def add(self, *parts: Any) -> None:
        """Adds parts: bytes as they are, anything else by its `str`."""
        for part in parts:
            content = part if isinstance(part, bytes) else str(part).encode("utf-8")
            self._sha.update(b"%d:" % len(content))
            self._sha.update(content)

    def add_file(self, path: str) -> None:
        """Adds the content of a file."""
        self.add(files.size(path))
        with files.open_file(path) as file:
            while chunk := file.read(_CHUNK):
                self._sha.update(chunk)

    def add_array(self, array: np.ndarray) -> None:
        """Adds the values of an array; those of type object are bytes."""
        import numpy as np

        self.add(array.dtype.str, array.shape)
        if array.dtype == object:
            values = array.reshape(-1).tolist()
            self.add(np.array([len(value) for value in values], np.int64).tobytes())
            self.add(b"".join(values))
        else:
            self.add(np.ascontiguousarray(array).tobytes())

    def hexadecimal(self) -> str:
        """Returns the digest, 64 hexadecimal digits."""
        return self._sha.hexdigest()
