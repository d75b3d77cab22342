"""Paths and the names in them: nothing here looks at what is on a disk, but to tell places apart."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

from hub_estimator import errors, texts

PathLike = str | bytes | os.PathLike[str] | os.PathLike[bytes]

_REMOTE = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]*://")
_LOGIN = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]*://)[^/?#]*@")
_LONGEST_NAME = 200  # bytes: most filesystems take 255, and scratch names are longer than the name


def as_path(path: PathLike) -> str:
    """Returns `path` as `str`, with `~` expanded and a `file://` prefix removed."""
    text = os.fsdecode(path).removeprefix("file://")
    return text if is_remote(text) else os.path.expanduser(text)


def is_remote(path: str) -> bool:
    """Whether `path` names a place that only `tf.io.gfile` or a library of a store reaches."""
    return bool(_REMOTE.match(path))


def scheme_of(path: str) -> str:
    """Returns what a remote path has before `://`; empty for a local one."""
    return path.partition("://")[0] if is_remote(path) else ""


def without_login(path: str) -> str:
    """Returns a remote path or URL without `user:password@`, fit for messages and for the disk."""
    return _LOGIN.sub(r"\1", path)


def without_logins(text: str) -> str:
    """Returns a text without `user:password@` in the URLs that are in it."""
    return re.sub(r"//[^/\s]*@", "//", text)


def join(path: str, *names: str) -> str:
    """Joins a folder and names below it."""
    return os.path.join(path, *names)


def parent(path: str) -> str:
    """Returns the folder above `path`; empty where none is named."""
    scheme, separator, rest = path.rpartition("://")
    folder = os.path.dirname(rest)
    return f"{scheme}{separator}{folder}" if folder or separator else ""


def check_name(what: str, name: object) -> None:
    """Checks that a text can be the name of a file or folder, and leads nowhere else.

    This is the one rule for names that settings, callers or data give and that become part of a
    path: exporters, exported modules, evaluations, heads.

    Args:
      what: what has the name, to start the message with.
      name: what was given.

    Raises:
      errors.InvalidPathNameError: it is no text, empty, starts with a dot, is too long, or holds a
        slash, a backslash or something that cannot be printed.
    """
    if not isinstance(name, str):
        reason = "it is no text"
    elif not name:
        reason = "it is empty"
    elif name.startswith("."):
        reason = "it starts with a dot"
    elif "/" in name or "\\" in name:
        reason = "it holds a slash"
    elif not name.isprintable():
        reason = "it holds what cannot be printed"
    elif len(os.fsencode(name)) > _LONGEST_NAME:
        reason = f"it is longer than {_LONGEST_NAME} bytes"
    else:
        return
    raise errors.InvalidPathNameError(
        f"{what} is {texts.shown(name)}, which cannot be the name of a file or folder: {reason}. "
        "Choose a name of letters, digits, '_' and '-'."
    )


def is_same(path: str, other: str) -> bool:
    """Whether two paths lead to one place, through links or another spelling too.

    Neither needs to be there; nothing is one with something.
    """
    if is_remote(path) or is_remote(other):
        return os.path.normpath(path) == os.path.normpath(other)
    if os.path.exists(path) and os.path.exists(other):
        return os.path.samefile(path, other)
    return os.path.realpath(path) == os.path.realpath(other)


def is_within(path: str, folder: str) -> bool:
    """Whether `path` is `folder` or leads to somewhere below it; neither needs to be there."""
    if is_remote(path) or is_remote(folder):
        inner, outer = os.path.normpath(path), os.path.normpath(folder)
    else:
        inner, outer = os.path.realpath(path), os.path.realpath(folder)
    return inner == outer or inner.startswith(outer.rstrip("/") + "/")


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
