"""The folder of an exporter: its exports, named by the time, and the link to one of them."""

from __future__ import annotations

import os
import re
import time

from hub_estimator import errors, files
from hub_estimator.format import layout

_TIMESTAMP = re.compile(r"^\d{10,}$")


def exports(folder: str) -> list[str]:
    """Returns the paths of the exports, the oldest first; what somebody else put there is none."""
    names = files.listing(folder) if files.is_folder(folder) else []
    timestamps = sorted((name for name in names if _TIMESTAMP.match(name)), key=int)
    paths = [files.join(folder, name) for name in timestamps]
    return [path for path in paths if _is_export(path)]


def newest(folder: str) -> str | None:
    """Returns the path of the newest export; None without one."""
    paths = exports(folder)
    return paths[-1] if paths else None


def new_export(folder: str) -> str:
    """Returns the path of an export that is not there yet and comes after all that are."""
    # Exports may follow one another within a second; their order must still be that of their names.
    last = newest(folder)
    timestamp = max(int(time.time()), int(os.path.basename(last)) + 1 if last else 0)
    while files.exists(files.join(folder, f"{timestamp:010d}")):
        timestamp += 1
    return files.join(folder, f"{timestamp:010d}")


def remove_old(folder: str, exports_to_keep: int | None, link: str) -> None:
    """Removes all exports but the newest ones and the one that the link leads to.

    Args:
      folder: the exporter's folder.
      exports_to_keep: how many to keep; None keeps all.
      link: the name of the link, which need not be there.
    """
    if exports_to_keep is None:
        return
    for path in exports(folder)[:-exports_to_keep]:
        if os.path.basename(path) != _target(folder, link):
            files.remove_at_once(path)


def check_link(folder: str, link: str) -> None:
    """Checks that a link can be made or replaced.

    Raises:
      errors.ExportError: there is something else of this name.
    """
    path = files.join(folder, link)
    there = files.is_folder(path) if files.is_remote(path) else os.path.lexists(path)
    if there and (files.is_remote(path) or not os.path.islink(path)):
        raise errors.ExportError(
            f"There is something at {path!r} that is no link. Remove it, or set stable_path=False."
        )


def modules_in(path: str) -> list[str]:
    """Returns the module folders in the folder `path`; none where it is no folder."""
    folders = (
        [files.join(path, name) for name in files.listing(path)] if files.is_folder(path) else []
    )
    return [each for each in folders if files.exists(files.join(each, layout.MODULE_DEF))]


def _is_export(path: str) -> bool:
    return files.exists(files.join(path, layout.SAVED_MODEL)) or bool(modules_in(path))


def _target(folder: str, link: str) -> str | None:
    path = files.join(folder, link)
    if not files.is_remote(path):
        return os.path.basename(os.readlink(path)) if os.path.islink(path) else None
    return files.read_bytes(path).decode() if files.exists(path) else None
