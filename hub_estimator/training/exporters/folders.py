"""The folder of an exporter: its exports, named by the time, and the link to one of them.

Several processes may export into one folder at once. What names an export, and what follows it, is
done by one of them at a time, which `held` sees to.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import time
from collections.abc import Iterator

from hub_estimator import errors, files, layout
from hub_estimator.files import locks
from hub_estimator.training.exporters import export_records

_TIMESTAMP = re.compile(r"^[0-9]{10,}$")

_logger = logging.getLogger("hub_estimator")


@contextlib.contextmanager
def held(folder: str) -> Iterator[None]:
    """Keeps other processes from naming and removing exports, for the time of a `with` block.

    Not on remote filesystems, which have no locks: there one process at a time may export into a
    folder. In a store it keeps those of this user and this machine from it.

    Args:
      folder: the exporter's folder; where it is not there, there is nothing to keep.
    """
    is_known = files.is_store(folder) or not files.is_remote(folder) and files.is_folder(folder)
    if not is_known:
        yield
        return
    with locks.held_folder(folder):
        yield


def own_exports(folder: str, exporter: str) -> list[str]:
    """Returns the paths of the exports that an exporter made here, the oldest first.

    They are known by the records in them. What other programs put there, or another exporter, is
    none of them, and neither is what a link leads to.

    Args:
      folder: the exporter's folder.
      exporter: its name.
    """
    return [path for path in _exports(folder) if _is_own(path, exporter)]


def newest(folder: str, exporter: str) -> str | None:
    """Returns the path of the newest export that an exporter made here; None without one."""
    paths = own_exports(folder, exporter)
    return paths[-1] if paths else None


def next_path(folder: str) -> str:
    """Returns the path of an export that is not there yet and comes after all that are."""
    # Exports may follow one another within a second; their order must still be that of their names.
    # Servers take the greatest number, whoever made it.
    last = _exports(folder)[-1:]
    timestamp = max([int(time.time()), *(int(os.path.basename(path)) + 1 for path in last)])
    while files.is_there(files.join(folder, f"{timestamp:010d}")):
        timestamp += 1
    return files.join(folder, f"{timestamp:010d}")


def publish(scratch: str, folder: str) -> str:
    """Gives a whole export the next free name in one step; returns its path.

    Args:
      scratch: the folder that becomes the export.
      folder: the exporter's folder, on the same filesystem.
    """
    path = next_path(folder)
    while not place(scratch, path):
        path = next_path(folder)
    return path


def place(scratch: str, path: str) -> bool:
    """Moves a folder to where nothing is, in one step; returns False where something is.

    Args:
      scratch: the folder, with something in it.
      path: where it shall be, on the same filesystem.
    """
    if files.is_there(path):
        return False
    try:
        files.move(scratch, path)
    except OSError:
        if not files.is_there(path):
            raise
        return False  # another process made it meanwhile
    files.flush_folder(files.parent(path))
    return True


def remove_old(folder: str, exporter: str, exports_to_keep: int | None, link: str) -> None:
    """Removes what an exporter made here but the newest ones and the one that the link leads to.

    What cannot be removed stays, with a warning: the exports are whole nevertheless.

    Args:
      folder: the exporter's folder.
      exporter: its name.
      exports_to_keep: how many to keep; None keeps all.
      link: the name of the link, which need not be there.
    """
    if exports_to_keep is None:
        return
    for path in own_exports(folder, exporter)[:-exports_to_keep]:
        if os.path.basename(path) != target(folder, link):
            try:
                files.remove_at_once(path)
            except OSError as error:
                _logger.warning("The old export %s cannot be removed: %s.", path, error)


def check_place(folder: str, model_dir: str | None) -> None:
    """Checks that exports can be made in a folder, as far as that is seen without writing.

    Args:
      folder: the exporter's folder, which need not be there.
      model_dir: the model folder. A folder named within it must be in it; None is nowhere.

    Raises:
      errors.ExportError: it is a file, not writable, or a link leads out of the model folder.
    """
    if files.is_remote(folder):
        return
    if model_dir is not None and _leads_out(folder, model_dir):
        raise errors.ExportError(
            f"The export folder {folder!r} is below the model folder {model_dir!r} by its name, but "
            f"a link leads to {os.path.realpath(folder)!r}, where nothing is written or removed. "
            "Put a folder in place of the link, or link the whole model folder."
        )
    path = os.path.abspath(folder)
    while not os.path.lexists(path):
        path = os.path.dirname(path)
    if not os.path.isdir(path) or not os.access(path, os.W_OK | os.X_OK):
        what = "is not a folder" if not os.path.isdir(path) else "cannot be written to"
        raise errors.ExportError(
            f"The export folder {folder!r} cannot be made or used: {path!r} {what}. Choose another "
            "place, or remove what is there."
        )


def check_free(path: str) -> None:
    """Checks that an export can be made at a path of its own, as `check_place` does.

    Raises:
      errors.ExportError: there is something already, or nothing can be made there.
    """
    files.check_export_path(path)
    check_place(path, None)


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


def links_to(export: str) -> list[str]:
    """Returns the links beside an export that lead to it; on remote filesystems there are none."""
    folder, name = files.parent(export) or ".", os.path.basename(export)
    if files.is_remote(folder) or not files.is_folder(folder):
        return []
    return [
        files.join(folder, link)
        for link in sorted(files.listing(folder))
        if link != name and target(folder, link) == name
    ]


def modules_in(path: str) -> list[str]:
    """Returns the module folders in the folder `path`; none where it is no folder."""
    folders = (
        [files.join(path, name) for name in files.listing(path)] if files.is_folder(path) else []
    )
    return [folder for folder in folders if layout.kind_of(folder) is layout.FolderKind.HUB_MODULE]


def target(folder: str, link: str) -> str | None:
    """Returns the name of what a link in a folder leads to; None where there is no link.

    Args:
      folder: the folder.
      link: the name of the link; on remote filesystems it is a text file that holds the name.
    """
    path = files.join(folder, link)
    if not files.is_remote(path):
        return os.path.basename(os.readlink(path)) if os.path.islink(path) else None
    return files.read_bytes(path).decode() if files.exists(path) else None


def _exports(folder: str) -> list[str]:
    """Returns the paths of all exports, whoever made them, the oldest first."""
    names = files.listing(folder) if files.is_folder(folder) else []
    timestamps = sorted((name for name in names if _TIMESTAMP.match(name)), key=int)
    paths = [files.join(folder, name) for name in timestamps]
    return [path for path in paths if _is_export(path)]


def _is_export(path: str) -> bool:
    try:
        return layout.kind_of(path) is not layout.FolderKind.OTHER or bool(modules_in(path))
    except PermissionError:  # somebody else's
        return False


def _is_own(path: str, exporter: str) -> bool:
    is_link = not files.is_remote(path) and os.path.islink(path)
    return not is_link and export_records.is_by(path, exporter)


def _leads_out(folder: str, model_dir: str) -> bool:
    """Whether a folder is named within the model folder and is somewhere else."""
    named, model = os.path.abspath(folder), os.path.abspath(model_dir)
    is_named_within = os.path.commonpath([named, model]) == model
    return is_named_within and not files.is_within(folder, model_dir)
