"""Object stores, and what else `fsspec` reaches: `s3://`, `gcs://`, `az://`, `hf://`, `memory://`.

A file appears there in one step, by one upload; a folder is only what the names of files begin with,
so it never does. There are no locks and no links. Credentials come from where the library of each
store looks for them. None of them is in an error: neither a login in a path nor what the environment
holds.
"""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import importlib.util
import io
import os
import re
import tempfile
import time
from collections.abc import Callable, Iterator
from typing import IO, Any, cast

from hub_estimator import errors, texts
from hub_estimator.files.paths import scheme_of, without_login, without_logins

# Of fsspec's, those that are no places of modules, and that the local disk or HTTP itself serve.
_NO_STORES = frozenset({"", "file", "local", "http", "https", "data"})
# What TensorFlow reads by itself, and fsspec writes with conditions and types of content.
_OTHER_NAMES = {"gs": "gcs"}
_SECRET = re.compile(r"KEY|SECRET|TOKEN|PASSWORD|CREDENTIAL|CONNECTION_STRING|SAS", re.IGNORECASE)
_SHORTEST_SECRET = 6
_QUERY = re.compile(r"\?[^\s'\"<>]+")
_MAX_REASON = 300
_BUFFER = 1 << 20
# What is said of the local disk, to which files are copied.
_OF_THIS_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)
_ATTEMPTS = 3
_PAUSE_SECS = 0.5
_AT_ONCE = 8 << 20  # bytes of a file that is read by one request


@dataclasses.dataclass(frozen=True)
class StoredFile:
    """A file below a folder of a store.

    Attributes:
      path: its path within the folder, with `/`, as the store has it: nobody vouches for it.
      size: in bytes.
      is_file: whether it is a plain file, no link.
    """

    path: str
    size: int
    is_file: bool


def is_known(path: str) -> bool:
    """Whether `fsspec` is installed and knows the scheme of a path; no driver is imported."""
    scheme = scheme_of(path)
    if scheme in _NO_STORES or "::" in path or not is_installed():
        return False
    from fsspec.registry import known_implementations, registry

    return scheme in known_implementations or scheme in registry


def is_installed() -> bool:
    """Whether `fsspec` is installed."""
    return importlib.util.find_spec("fsspec") is not None


def as_store(what: str, path: str) -> str:
    """Checks that a remote path can be a place of a store to write to; returns it as stores name it.

    Args:
      what: what has the path, to start messages with.
      path: the path, as a user gave it.

    Raises:
      errors.MissingExtraError: what reaches the store is not installed.
      errors.UnsupportedHandleError: nothing does; or it is not to be written to.
      errors.InvalidSettingError: it holds a login.
    """
    if without_login(path) != path:
        raise errors.InvalidSettingError(
            f"{what} is {without_login(path)!r} with a login, which would be written down in many "
            "places. Leave it out, and put it where the library of the store looks for it."
        )
    if not is_installed():
        raise errors.MissingExtraError(
            f"{what} is {path!r}, which needs: pip install 'hub_estimator[remote]'."
        )
    scheme = scheme_of(path)
    named = _OTHER_NAMES.get(scheme, scheme)
    found = f"{named}{path[len(scheme) :]}".rstrip("/")
    if not is_known(found) or not found.partition("://")[2]:
        raise errors.UnsupportedHandleError(
            f"{what} is {path!r}, and no store is known that is written to by such a path. Give a "
            "folder of this machine, or one like s3://bucket/folder."
        )
    _check_driver(found)
    return found


def files_below(folder: str) -> list[StoredFile]:
    """Returns all files below a folder of a store, sorted; none where nothing is.

    Raises:
      errors.RemotePlaceError: the store cannot be asked.
    """
    with _explained(folder):
        filesystem, inner = _filesystem(folder)
        found = filesystem.find(inner, detail=True)
    start = inner.rstrip("/") + "/"
    return sorted(
        (
            StoredFile(name.removeprefix(start), about.get("size") or 0, about["type"] == "file")
            for name, about in found.items()
            if name.rstrip("/") != inner.rstrip("/") and not _is_marker(name)
        ),
        key=lambda file: file.path,
    )


def _is_marker(name: str) -> bool:
    return name.endswith("/")  # what consoles of stores make in place of an empty folder


def put_new(source: str, path: str) -> bool:
    """Copies a local file to where nothing is in a store; returns False where something is.

    Of two that do so at once, one is told False where the store and its library have conditional
    writes; elsewhere a look comes before.

    Raises:
      errors.RemotePlaceError: the store cannot be used.
    """
    store = Store()
    failures = 0
    while not store.exists(path):
        try:
            store.put(source, path, mode="create")
        except FileExistsError:
            return False
        except errors.RemotePlaceError:
            failures += 1
            if failures == _ATTEMPTS:
                raise
            time.sleep(_PAUSE_SECS)  # stores may ask for that where two write at once
        else:
            return True
    return False


class Store:
    """The filesystems of `fsspec`; see `systems.System`."""

    def exists(self, path: str) -> bool:
        """See `System`."""
        return _about(path) is not None

    def is_folder(self, path: str) -> bool:
        """See `System`."""
        about = _about(path)
        return about is not None and about["type"] == "directory"

    def listing(self, path: str) -> list[str]:
        """See `System`."""
        with _explained(path):
            filesystem, inner = _filesystem(path)
            found = [about["name"].rstrip("/") for about in filesystem.ls(inner, detail=True)]
        return sorted({name.rpartition("/")[2] for name in found if name != inner.rstrip("/")})

    def size(self, path: str) -> int:
        """See `System`."""
        with _explained(path):
            filesystem, inner = _filesystem(path)
            return int(filesystem.info(inner)["size"])

    def make_folder(self, path: str) -> None:
        """Does nothing: a folder is there with the first file in it."""

    def remove(self, path: str) -> None:
        """See `System`."""
        about = _about(path)
        if about is None:
            return
        with _explained(path), contextlib.suppress(FileNotFoundError):
            filesystem, inner = _filesystem(path)
            filesystem.rm(inner, recursive=about["type"] == "directory")

    def open_file(self, path: str) -> IO[bytes]:
        """See `System`."""
        with _explained(path):
            filesystem, inner = _filesystem(path)
            about = filesystem.info(inner)
            if about["type"] == "directory":
                raise errors.NotAFileError(
                    f"{without_login(path)!r} is a folder; a regular file is needed here."
                )
            size = about.get("size")
            if size is not None and size <= _AT_ONCE:  # whole, also where others replace it
                return io.BytesIO(filesystem.cat_file(inner))
            file = filesystem.open(inner, "rb")
        return cast(IO[bytes], io.BufferedReader(_Reading(path, file), _BUFFER))

    def fetch(self, path: str, target: str, at: Callable[[int], None] | None = None) -> None:
        """See `System`.

        Args:
          path: the file.
          target: a local path.
          at: called with the number of bytes that have arrived.
        """
        from fsspec.callbacks import Callback

        hooks = {} if at is None else {"at": lambda size, value, **_: at(value)}
        with _explained(path):
            filesystem, inner = _filesystem(path)
            filesystem.get_file(inner, target, callback=Callback(hooks=hooks))

    def put(self, source: str, path: str, mode: str = "overwrite") -> None:
        """See `System`.

        Args:
          source: a local path.
          path: where to; its name tells the store what kind of file it is.
          mode: `"create"` where nothing may be there.

        Raises:
          FileExistsError: something is there, with `"create"`.
        """
        with _named_as(source, path) as named, _explained(path):
            filesystem, inner = _filesystem(path)
            try:
                filesystem.put_file(named, inner, mode=mode)
            except FileNotFoundError:
                # Where folders are more than names. What has none above, a bucket, is not made.
                if not filesystem.exists(inner.lstrip("/").partition("/")[0]):
                    raise
                filesystem.makedirs(inner.rpartition("/")[0], exist_ok=True)
                filesystem.put_file(named, inner, mode=mode)

    def copy(self, source: str, path: str) -> None:
        """See `System`."""
        with _explained(path):
            filesystem, inner = _filesystem(source)
            filesystem.cp_file(inner, _filesystem(path)[1])

    def move(self, source: str, target: str, overwrite: bool) -> None:
        """See `System`."""
        if not overwrite and self.exists(target):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), without_login(target))
        with _explained(target):
            filesystem, inner = _filesystem(source)
            filesystem.mv(inner, _filesystem(target)[1], recursive=self.is_folder(source))

    @contextlib.contextmanager
    def whole_file(self, path: str, scratch: str) -> Iterator[Any]:
        """See `System`."""
        with tempfile.TemporaryDirectory(prefix="hub_estimator-") as folder:
            local = os.path.join(folder, os.path.basename(path))
            with open(local, "wb") as file:
                yield file
            self.put(local, path)


class _Reading(io.RawIOBase):
    """A file of a store, whose errors are explained."""

    def __init__(self, path: str, file: Any) -> None:
        super().__init__()
        self._path = path
        self._file = file

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        with _explained(self._path):
            piece = self._file.read(len(buffer))
        buffer[: len(piece)] = piece
        return len(piece)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def close(self) -> None:
        self._file.close()
        super().close()


@contextlib.contextmanager
def _named_as(source: str, path: str) -> Iterator[str]:
    """Gives a local file the name that it will have, by which stores tell its type of content."""
    name = os.path.basename(path)
    if os.path.basename(source) == name:
        yield source
        return
    with tempfile.TemporaryDirectory(prefix="hub_estimator-") as folder:
        named = os.path.join(folder, name)
        os.symlink(os.path.abspath(source), named)
        yield named


def _about(path: str) -> dict[str, Any] | None:
    """Returns what a store says of a file or folder; None where there is none."""
    with contextlib.suppress(FileNotFoundError), _explained(path):
        filesystem, inner = _filesystem(path)
        return filesystem.info(inner)
    return None


def _filesystem(path: str) -> tuple[Any, str]:
    """Returns the filesystem of a path, and the path there.

    Raises:
      errors.MissingExtraError: the library that reaches it is not installed.
    """
    from fsspec.core import url_to_fs

    _check_driver(path)
    with _explained(path):
        filesystem, inner = url_to_fs(path)
        filesystem.invalidate_cache()  # others write there too
    return filesystem, inner


def _check_driver(path: str) -> None:
    import fsspec

    scheme = scheme_of(path)
    try:
        fsspec.get_filesystem_class(scheme)
    except ImportError as error:
        raise errors.MissingExtraError(
            f"{without_login(path)!r} needs a library that reaches {scheme}://: "
            f"pip install {_driver(scheme)}."
        ) from error


def _driver(scheme: str) -> str:
    """Returns the package with the driver of a scheme that fsspec knows."""
    from fsspec.registry import known_implementations

    about = known_implementations[scheme]
    package = about["class"].partition(".")[0]
    quoted = re.search(r'"(\w+)"', about.get("err", ""))  # of what fsspec's own drivers need
    return quoted[1] if package == "fsspec" and quoted else package


@contextlib.contextmanager
def _explained(path: str) -> Iterator[None]:
    """Turns what libraries raise, which may be anything, into errors of files without secrets."""
    try:
        yield
    except (errors.Error, MemoryError):
        raise
    except (FileNotFoundError, FileExistsError) as error:
        number = errno.ENOENT if isinstance(error, FileNotFoundError) else errno.EEXIST
        raise type(error)(number, os.strerror(number), without_login(path)) from error
    except Exception as error:
        if isinstance(error, OSError) and error.errno in _OF_THIS_DISK:
            raise
        raise errors.RemotePlaceError(
            f"{without_login(path)!r} cannot be used: {_reason(error, path)}. Check the path, the "
            "network, and the credentials where the library of the store looks for them."
        ) from error


def _reason(error: Exception, path: str) -> str:
    """Returns what an error says in one line, without what must not be told."""
    text = str(error) or type(error).__name__
    login = path.partition("://")[2].partition("/")[0].rpartition("@")[0]
    environment = [value for name, value in os.environ.items() if _SECRET.search(name)]
    for secret in sorted([login, *login.split(":"), *environment], key=len, reverse=True):
        if len(secret) >= _SHORTEST_SECRET or (secret and secret in login):
            text = text.replace(secret, "***")
    return texts.one_line(without_logins(_QUERY.sub("", text)), _MAX_REASON).rstrip(".")
