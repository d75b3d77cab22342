"""Which filesystem a remote path is of, and what can be done there.

TensorFlow's own filesystems (`gs://`, `ram://`, those that plug-ins registered) have the first word;
what TensorFlow does not know, `fsspec` may.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import IO, Any, Protocol

from hub_estimator.files import stores
from hub_estimator.files.paths import join, scheme_of

# Those of the releases that are supported: a plug-in that registers others imports TensorFlow.
_OF_TENSORFLOW = frozenset({"gs", "ram"})


class System(Protocol):
    """A filesystem that is not the local disk; see the functions of `files.access`."""

    def exists(self, path: str) -> bool:
        """Whether there is a file or folder."""

    def is_folder(self, path: str) -> bool:
        """Whether there is a folder."""

    def listing(self, path: str) -> list[str]:
        """Returns the names of what a folder holds."""

    def size(self, path: str) -> int:
        """Returns the number of bytes of a file."""

    def make_folder(self, path: str) -> None:
        """Makes a folder and those above it."""

    def remove(self, path: str) -> None:
        """Removes a file or folder; nothing there is fine."""

    def open_file(self, path: str) -> IO[bytes]:
        """Opens a file to read bytes."""

    def fetch(self, path: str, target: str) -> None:
        """Copies a file to the local disk."""

    def put(self, source: str, path: str) -> None:
        """Copies a file of the local disk to here, replacing one that is there."""

    def copy(self, source: str, path: str) -> None:
        """Copies a file of this filesystem."""

    def move(self, source: str, target: str, overwrite: bool) -> None:
        """Renames a file or folder."""

    def whole_file(self, path: str, scratch: str) -> contextlib.AbstractContextManager[Any]:
        """Gives a file to write bytes to that becomes `path` when the block ends.

        Args:
          path: the file to make.
          scratch: a name beside it that nothing has, for where one is needed.
        """


def gfile() -> Any:
    """Returns `tf.io.gfile`; imported at the first use."""
    import tensorflow as tf

    return tf.io.gfile


def is_store(path: str) -> bool:
    """Whether a path is of a filesystem of `fsspec`: TensorFlow does not read or write it."""
    return stores.is_known(path) and scheme_of(path) not in _schemes_of_tensorflow()


def system_of(path: str) -> System:
    """Returns the filesystem of a remote path; where nobody knows it, TensorFlow will say so."""
    return stores.Store() if is_store(path) else _TensorFlow()


def _schemes_of_tensorflow() -> frozenset[str]:
    if "tensorflow" not in sys.modules:
        return _OF_TENSORFLOW
    return frozenset(gfile().get_registered_schemes())


class _TensorFlow(System):
    """The filesystems of `tf.io.gfile`, with its errors."""

    def exists(self, path: str) -> bool:
        return gfile().exists(path)

    def is_folder(self, path: str) -> bool:
        return gfile().isdir(path)

    def listing(self, path: str) -> list[str]:
        return [name.rstrip("/") for name in gfile().listdir(path)]

    def size(self, path: str) -> int:
        return gfile().stat(path).length

    def make_folder(self, path: str) -> None:
        gfile().makedirs(path)

    def remove(self, path: str) -> None:
        if gfile().isdir(path):
            gfile().rmtree(path)
        elif gfile().exists(path):
            gfile().remove(path)

    def open_file(self, path: str) -> IO[bytes]:
        return gfile().GFile(path, "rb")

    def fetch(self, path: str, target: str) -> None:
        self.copy(path, target)

    def put(self, source: str, path: str) -> None:
        self.copy(source, path)

    def copy(self, source: str, path: str) -> None:
        gfile().copy(source, path, overwrite=True)

    def move(self, source: str, target: str, overwrite: bool) -> None:
        if not gfile().isdir(source):
            gfile().rename(source, target, overwrite=overwrite)
            return
        # Object stores and `ram://` have no rename of folders. Files come after folders: what makes
        # a folder valid is a file, and the last in its order or alone.
        self.make_folder(target)
        names = sorted(self.listing(source))
        for name in sorted(names, key=lambda name: (not self.is_folder(join(source, name)), name)):
            self.move(join(source, name), join(target, name), overwrite=True)
        self.remove(source)

    @contextlib.contextmanager
    def whole_file(self, path: str, scratch: str) -> Iterator[Any]:
        try:
            with gfile().GFile(scratch, "wb") as file:
                yield file
            self.move(scratch, path, overwrite=True)
        finally:
            self.remove(scratch)
