"""Whose files the cache takes: those that nobody but trusted people can have put there.

Who may write to a folder may put anything into it. Where that is a chosen few, they are trusted:
sharing a cache with a group is choosing to. Where it is everybody, as in `/tmp`, the owner tells.
"""

from __future__ import annotations

import contextlib
import os
import stat


def find_stranger(path: str) -> str:
    """Returns which part of a local `path` a stranger may have put there, in words; else empty.

    In a folder that everybody may write to, what belongs to this user, to root or to the folder's
    owner is trusted. `path` need not be there, and is not followed where it is a link.
    """
    if not hasattr(os, "geteuid"):
        return ""
    above, name = os.path.split(os.path.abspath(path))
    here = os.path.join(os.path.realpath(above), name)
    while (above := os.path.dirname(here)) != here:
        with contextlib.suppress(OSError):  # it is not there, or not for this user to see
            folder, inside = os.stat(above), os.lstat(here)
            trusted = (os.geteuid(), 0, folder.st_uid)
            if folder.st_mode & stat.S_IWOTH and inside.st_uid not in trusted:
                return f"{here} belongs to user {inside.st_uid}, and everybody may write to {above}"
        here = above
    return ""
