"""Versions of folders in a store: which of them are whole is said by a record that comes last.

Stores have neither renames of folders nor locks. Who puts a first file, a claim, where there is none
has the name of a version; what a killed process left is known by its claim, and removed by the job.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator

from hub_estimator import errors, files, json_text, layout
from hub_estimator.jobs.destinations.destination import RECORD, Publication

CLAIM = "publishing.json"
"""The name of the claim; see above."""


def add(place: str, next_name: Callable[[], str], export: str, publication: Publication) -> None:
    """Copies an export to a place of a store, as a version that is there once all of it is.

    Args:
      place: the folder of versions.
      next_name: returns a name that none has.
      export: a local folder.
      publication: what is said of the version.

    Raises:
      errors.RemotePlaceError: the store cannot be used.
    """
    _remove_abandoned(place, publication.job)
    with files.scratch_folder(place, "version") as scratch:
        claim = files.join(scratch, CLAIM)
        about = {"job": publication.job, "by": os.path.basename(scratch), "began": time.time()}
        files.write_text(claim, json.dumps(about) + "\n")
        path = files.join(place, next_name())
        while not files.put_new(claim, files.join(path, CLAIM)):
            path = files.join(place, next_name())
    # A server that looks meanwhile finds nothing to load before the rest is there.
    for name in sorted(_names(export), key=lambda name: _is_root_file(name)):
        files.copy_file(files.join(export, name), files.join(path, name))
    publication.write(path)
    files.remove(files.join(path, CLAIM))


def remove(path: str) -> None:
    """Removes a version: first what makes it one for readers, last the record, as long as it is there.

    Raises:
      errors.RemotePlaceError: the store cannot be used; what is left can be removed again.
    """
    names = [file.path for file in files.files_below(path)]
    for name in sorted(names, key=lambda name: (name == RECORD, not _is_root_file(name))):
        files.remove(files.join(path, name))
    files.remove(path)  # where folders are more than names


def _remove_abandoned(place: str, job: str) -> None:
    """Removes what killed processes of a job left: names that are claimed and have no record."""
    for name in files.listing(place) if files.is_folder(place) else ():
        path = files.join(place, name)
        claim = files.join(path, CLAIM)
        if not files.exists(claim):
            continue
        if files.exists(files.join(path, RECORD)):
            files.remove(claim)
        elif _is_abandoned(claim, job):
            files.remove(path)


def _is_abandoned(claim: str, job: str) -> bool:
    try:
        about = json_text.parse(files.read_bytes(claim))
        age_secs = time.time() - float(about["began"])
        return about["job"] == job and files.is_abandoned(str(about["by"]), age_secs)
    except errors.RemotePlaceError:
        raise
    except (OSError, ValueError, TypeError, KeyError):  # somebody else's
        return False


def _names(folder: str, above: str = "") -> Iterator[str]:
    """Yields the paths of the files in a local folder."""
    for name in files.listing(files.join(folder, above)):
        path = f"{above}/{name}" if above else name
        if files.is_folder(files.join(folder, path)):
            yield from _names(folder, path)
        else:
            yield path


def _is_root_file(name: str) -> bool:
    return os.path.basename(name) in layout.ROOT_FILES
