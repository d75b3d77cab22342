"""Files and folders that appear whole or not at all.

Paths may be `str`, `bytes` or path-like, on the local disk or on any filesystem that
`tf.io.gfile` knows (`gs://`, `ram://`, ...). TensorFlow is imported only for the latter.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from typing import Any

PathLike = str | bytes | os.PathLike[str] | os.PathLike[bytes]

_SCRATCH = re.compile(r"^\..*\.tmp-\d+-[0-9a-f]{8}$")
_NOT_WRITABLE = (errno.EACCES, errno.EPERM, errno.EROFS)
_REMOTE = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]*://")


def as_path(path: PathLike) -> str:
    """Returns `path` as `str`, with `~` expanded and a `file://` prefix removed."""
    text = os.fsdecode(path).removeprefix("file://")
    return text if is_remote(text) else os.path.expanduser(text)


def user_cache_folder(environment: Mapping[str, str] | None = None) -> str:
    """Returns the folder of what this user's runs keep for later ones.

    Args:
      environment: where `XDG_CACHE_HOME` is looked up; None is the process's own.
    """
    # The persistent cache folder: systems clean the temporary one file by file, while in use.
    base = (os.environ if environment is None else environment).get("XDG_CACHE_HOME", "")
    if not os.path.isabs(base):  # the specification says to ignore a relative one
        base = os.path.expanduser(join("~", ".cache"))
    return join(base, "hub_estimator")


def is_remote(path: str) -> bool:
    """Whether `path` names a place that only `tf.io.gfile` reaches."""
    return bool(_REMOTE.match(path))


def gfile() -> Any:
    """Returns `tf.io.gfile`; imported at the first use."""
    import tensorflow as tf

    return tf.io.gfile


def join(path: str, *names: str) -> str:
    """Joins a folder and names below it."""
    return os.path.join(path, *names)


def exists(path: str) -> bool:
    """Whether there is a file or folder at `path`."""
    return gfile().exists(path) if is_remote(path) else os.path.exists(path)


def is_folder(path: str) -> bool:
    """Whether there is a folder at `path`."""
    return gfile().isdir(path) if is_remote(path) else os.path.isdir(path)


def listing(path: str) -> list[str]:
    """Returns the sorted names of what the folder `path` holds."""
    names = gfile().listdir(path) if is_remote(path) else os.listdir(path)
    return sorted(name.rstrip("/") for name in names)


def size(path: str) -> int:
    """Returns the number of bytes of the file `path`."""
    return gfile().stat(path).length if is_remote(path) else os.path.getsize(path)


def make_folder(path: str) -> None:
    """Makes the folder `path` and those above it; one that is there is fine."""
    if is_remote(path):
        gfile().makedirs(path)
    else:
        os.makedirs(path, exist_ok=True)


def remove(path: str) -> None:
    """Removes the file or folder `path`; nothing there is fine."""
    if is_remote(path):
        if gfile().isdir(path):
            gfile().rmtree(path)
        elif gfile().exists(path):
            gfile().remove(path)
    elif os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    else:
        with contextlib.suppress(FileNotFoundError):
            os.remove(path)


def remove_at_once(path: str) -> None:
    """Removes the file or folder `path` so that nobody finds a part of it; nothing there is fine.

    Object stores have no rename, so there a folder goes file by file.
    """
    if is_remote(path) or not exists(path):
        remove(path)
        return
    scratch = _scratch_beside(path)
    move(path, scratch)
    remove(scratch)


def switch_link(path: str, name: str) -> None:
    """Makes `path` lead to `name`, an entry of the same folder, in one step; replaces a link.

    Where there are no links, on remote filesystems, `path` is a text file that holds the name.
    """
    if is_remote(path):
        write_text(path, name)
        return
    scratch = _scratch_beside(path)
    try:
        os.symlink(name, scratch)
        os.replace(scratch, path)
    finally:
        remove(scratch)


def move(source: str, target: str, overwrite: bool = False) -> None:
    """Renames `source` to `target`, in one step where the filesystem has one."""
    if is_remote(source):
        if gfile().isdir(source):
            _move_remote_folder(source, target)
        else:
            gfile().rename(source, target, overwrite=overwrite)
    elif overwrite:
        os.replace(source, target)
    else:
        os.rename(source, target)


def _move_remote_folder(source: str, target: str) -> None:
    # Object stores and `ram://` have no rename of folders. Files come after folders: what makes a
    # folder valid is a file, and the last in its order or alone.
    make_folder(target)
    names = listing(source)
    for name in sorted(names, key=lambda name: (not is_folder(join(source, name)), name)):
        move(join(source, name), join(target, name), overwrite=True)
    remove(source)


def read_bytes(path: str) -> bytes:
    """Returns the content of the file `path`."""
    if is_remote(path):
        with gfile().GFile(path, "rb") as file:
            return file.read()
    with open(path, "rb") as file:
        return file.read()


def copy_file(source: str, target: str) -> None:
    """Copies one file; either end may be remote."""
    if is_remote(source) or is_remote(target):
        gfile().copy(source, target, overwrite=True)
    else:
        shutil.copyfile(source, target)


def link_or_copy(source: str, target: str) -> None:
    """Makes `target` another name of the file `source`, or a copy where there are no links."""
    if not is_remote(source):
        with contextlib.suppress(OSError):
            os.link(source, target)
            return
    copy_file(source, target)


def write_bytes(path: str, content: bytes) -> None:
    """Writes the file `path` whole or not at all, replacing one that is there."""
    with whole_file(path) as file:
        file.write(content)


@contextlib.contextmanager
def whole_file(path: str) -> Iterator[Any]:
    """Gives a file to write bytes to that becomes `path` when the block ends without an exception.

    It replaces one that is there. After an exception nothing of it remains.

    Args:
      path: the file to make.

    Yields:
      The open file.
    """
    scratch = _scratch_beside(path)
    try:
        with gfile().GFile(scratch, "wb") if is_remote(path) else open(scratch, "wb") as file:
            yield file
        move(scratch, path, overwrite=True)
    finally:
        remove(scratch)


def write_text(path: str, content: str) -> None:
    """Writes the file `path` in UTF-8, whole or not at all, replacing one that is there."""
    write_bytes(path, content.encode("utf-8"))


@contextlib.contextmanager
def whole_folder(path: str, last: str | None = None) -> Iterator[str]:
    """Gives a scratch folder that becomes `path` when the block ends without an exception.

    Where nothing is at `path`, that is one rename. Where a folder is, its entries stay, and the new
    ones move in, the file named `last` after all others: a reader that waits for it sees the rest.
    A kill between these moves leaves entries without `last`, which the next run refuses: nothing
    tells them from other people's.
    After an exception (also Ctrl-C) nothing of the scratch folder remains.

    Args:
      path: the folder to make.
      last: the name of the file that makes the folder valid.

    Yields:
      The path of an empty folder on the same filesystem as `path`.

    Raises:
      FileExistsError: the folder has one of the new entries, or `last`, already.
    """
    path = path.rstrip("/") or path
    if parent(path):
        make_folder(parent(path))
    scratch = _scratch_beside(path)
    try:
        make_folder(scratch)
        yield scratch
        if not _move_whole(scratch, path):
            _move_into(scratch, path, last)
    finally:
        remove(scratch)


@contextlib.contextmanager
def scratch_folder(folder: str, name: str, elsewhere: bool = False) -> Iterator[str]:
    """Gives a folder within `folder` that is removed, with what is in it, when the block ends.

    Args:
      folder: the folder above.
      name: what its name tells about what it is for.
      elsewhere: whether it may be in the system's folder for temporary files, where a local `folder`
        cannot be written to.

    Yields:
      The path of an empty folder, which `remove_abandoned` finds after a kill.
    """
    scratch = _scratch_beside(join(folder, name))
    try:
        try:
            make_folder(scratch)
        except OSError as error:
            if not elsewhere or error.errno not in _NOT_WRITABLE:
                raise
            remove_abandoned(tempfile.gettempdir())
            scratch = _scratch_beside(join(tempfile.gettempdir(), name))
            os.mkdir(scratch, 0o700)  # everyone can look into the folder above
        yield scratch
    finally:
        remove(scratch)


def _move_whole(scratch: str, path: str) -> bool:
    """Moves the folder to its place in one step; False where there is something already."""
    if exists(path):
        return False
    try:
        move(scratch, path)
    except OSError:
        if not exists(path):
            raise
        return False  # another process made it meanwhile
    return True


def _move_into(scratch: str, path: str, last: str | None) -> None:
    names = listing(scratch)
    there = [name for name in names if exists(join(path, name))]
    if there:
        raise FileExistsError(f"There is already {', '.join(map(repr, there))} in {path}.")
    for name in sorted(names, key=lambda name: (name == last, name)):
        move(join(scratch, name), join(path, name))


def remove_abandoned(folder: str, older_than_secs: float = 86400.0) -> list[str]:
    """Removes what killed processes left unfinished in a local `folder`; returns the paths.

    What another user left stays where this one may not remove it.

    Args:
      folder: a folder in which `whole_folder` or `write_bytes` made entries; a remote one stays as
        it is.
      older_than_secs: younger ones may still be written by a living process on another machine.
    """
    removed: list[str] = []
    names: list[str] = []
    with contextlib.suppress(OSError):  # some folders can be written to, and not be listed
        names = listing(folder) if not is_remote(folder) and is_folder(folder) else []
    for name in names:
        path = join(folder, name)
        # Also where another process finished or removed it meanwhile.
        with contextlib.suppress(OSError):
            if _SCRATCH.match(name) and time.time() - os.lstat(path).st_mtime > older_than_secs:
                remove(path)
                removed.append(path)
    return removed


def parent(path: str) -> str:
    """Returns the folder above `path`; empty where none is named."""
    scheme, separator, rest = path.rpartition("://")
    folder = os.path.dirname(rest)
    return f"{scheme}{separator}{folder}" if folder or separator else ""


def _scratch_beside(path: str) -> str:
    # Starts with a dot: readers that list the parent (timestamped exports) pass it over.
    name = f".{os.path.basename(path)}.tmp-{os.getpid()}-{secrets.token_hex(4)}"
    folder = parent(path)
    return f"{folder}{name}" if folder.endswith("://") else join(folder, name)
