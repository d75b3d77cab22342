"""The files of a module's folder: each is a regular file, and is in it."""

from __future__ import annotations

import itertools
import os

from hub_estimator import files
from hub_estimator.errors import UnsafeLinkError
from hub_estimator.format import layout

# What is read of a module or SavedModel, by this package or by TensorFlow. Other files may be there;
# nobody opens them.
_READ = (
    layout.MODULE_DEF,
    layout.SAVED_MODEL,
    layout.SAVED_MODEL_TEXT,
    layout.FINGERPRINT,
    layout.VARIABLES,
    layout.ASSETS,
    layout.DEBUG,
)


def check_files(folder: str) -> None:
    """Checks all files that are read of a module's folder before anything reads them.

    The folder may itself be a link, and links to places inside of it are fine. Filesystems that only
    TensorFlow reaches have no links and no devices, and are not looked at.

    Args:
      folder: the folder of a module or SavedModel.

    Raises:
      UnsafeLinkError: a link leads out of the folder. A stranger's module could so have files of
        this machine read as its own, and copied into what is exported of it.
      errors.NotAFileError: something is a named pipe, a socket or a device.
      errors.LfsPointerError: something is a pointer of Git LFS in place of a file.
    """
    if files.is_remote(folder):
        return
    pending = [files.join(folder, name) for name in _READ]
    seen: set[str] = set()
    while pending:
        path = pending.pop()
        place = os.path.realpath(path)
        if place in seen or not os.path.lexists(path):
            continue
        seen.add(place)
        if not files.is_within(place, folder) and not _is_in_shared_cache(place, folder):
            raise UnsafeLinkError(
                f"{path} leads out of the module's folder, to {place}, and is not followed. Where "
                f"you know what it leads to, make a copy without links: cp -rL {folder} <copy>"
            )
        if os.path.isdir(place):
            pending += [files.join(path, name) for name in files.listing(place)]
        elif os.path.exists(place):
            files.check_file(path)


def _is_in_shared_cache(place: str, folder: str) -> bool:
    """Whether a file lies where huggingface_hub keeps the files of the snapshot that a folder is.

    Each file of `models--<owner>--<name>/snapshots/<revision>/` there is a link to a file of
    `models--<owner>--<name>/blobs/`. That cache, not the publisher, makes both, and nothing else is
    in the folder of blobs.
    """
    folders = os.path.realpath(folder).split(os.sep)
    return any(
        cache.startswith("models--")
        and snapshots == "snapshots"
        and os.path.dirname(place) == os.sep.join([*folders[: index + 1], "blobs"])
        and os.path.isfile(place)
        for index, (cache, snapshots) in enumerate(itertools.pairwise(folders))
    )
