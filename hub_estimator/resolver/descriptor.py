"""What the cache writes down beside an entry, and whether the entry still agrees with it.

A file is *trusted* while its size and its two times are those written down; otherwise it is read
and its digest compared. Small files are always read: that costs nothing next to loading a module,
and finds what a failing disk changed.
"""

from __future__ import annotations

import dataclasses
import json
import os
import stat
import time
from collections.abc import Mapping
from typing import Any

from hub_estimator import digests, files, layout, texts
from hub_estimator.resolver import contents

VERSION = 1
_SMALL = 1 << 20
# Coarser than the clock that filesystems stamp files with: a later change has a later stamp.
_CLOCK_SECS = 0.02


@dataclasses.dataclass(frozen=True)
class FileRecord:
    """One file of an entry.

    Attributes:
      size: in bytes.
      sha256: the digest of its content, hexadecimal.
      modified_ns: when its content changed.
      changed_ns: when its content or its attributes changed; programs cannot set it.
    """

    size: int
    sha256: str
    modified_ns: int
    changed_ns: int


@dataclasses.dataclass(frozen=True)
class Descriptor:
    """What an entry of the cache is and holds.

    Attributes:
      handle: the handle, without a password.
      source: where it came from in the end, without password and query.
      downloaded: when, ISO 8601 in UTC.
      archive_bytes: the size of the archive; 0 if there was none.
      archive_sha256: its digest; empty if there was none.
      stamp: which state of a local archive this was made from; else empty.
      files: the files by their paths in the entry, with `/`.
    """

    handle: str
    source: str
    downloaded: str
    archive_bytes: int
    archive_sha256: str
    stamp: str
    files: Mapping[str, FileRecord]

    @property
    def module_bytes(self) -> int:
        """The size of all files."""
        return sum(record.size for record in self.files.values())

    def to_json(self) -> str:
        """Returns the descriptor's text on disk."""
        content = {"version": VERSION, **dataclasses.asdict(self)}
        return json.dumps(content, indent=1, sort_keys=True) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Descriptor:
        """Returns the descriptor that `to_json` wrote.

        Raises:
          ValueError: the text is anything else.
        """
        try:
            content: dict[str, Any] = json.loads(text)
            if content.pop("version") != VERSION:
                raise ValueError("it is of another version")
            records = {path: FileRecord(**v) for path, v in content.pop("files").items()}
            descriptor = cls(files=records, **content)
        except (TypeError, KeyError, AttributeError, RecursionError) as error:
            raise ValueError("it is of another form") from error
        if not records:
            raise ValueError("it names no file")
        _check_types(descriptor)
        for path, record in records.items():
            _check_path(path)
            _check_types(record)
        return descriptor


def _check_types(part: Descriptor | FileRecord) -> None:
    for field in dataclasses.fields(part):
        kind = type(getattr(part, field.name)).__name__
        if field.type in ("int", "str") and kind != field.type:
            raise ValueError(f"its {field.name} is of type {kind}")


def _check_path(path: str) -> None:
    os.fsencode(path)  # raises a ValueError where no file can have this name
    if {"", ".", ".."} & set(path.split("/")) or "\0" in path:
        raise ValueError("it names what is not in the entry")


def record_files(folder: str) -> dict[str, FileRecord]:
    """Reads all files below the local `folder`; call it when nothing more will be written."""
    paths = contents.file_paths(folder)
    newest = max((os.lstat(os.path.join(folder, path)).st_ctime for path in paths), default=0.0)
    # So that whatever changes a file from now on gives it other times.
    time.sleep(max(0.0, min(_CLOCK_SECS, newest + _CLOCK_SECS - time.time())))
    return {path: _record(os.path.join(folder, path)) for path in paths}


def _record(path: str) -> FileRecord:
    status = os.lstat(path)
    sha256 = digests.of_file(path)
    return FileRecord(status.st_size, sha256, status.st_mtime_ns, status.st_ctime_ns)


def find_damage(folder: str, descriptor: Descriptor, thorough: bool = False) -> str:
    """Returns what is wrong with an entry, in words; empty if it is whole.

    Args:
      folder: the entry's folder.
      descriptor: what was written down when it was made.
      thorough: read every file, not just the small ones and those with other times.

    Raises:
      OSError: the folder cannot be read.
    """
    if irregular := contents.find_irregular(folder):
        return irregular
    for path, record in descriptor.files.items():
        reason = _file_damage(os.path.join(folder, path), record, thorough)
        if reason:
            return f"{path} {reason}"
    strange = [
        path
        for path in contents.file_paths(folder)
        if path not in descriptor.files
        and (path.startswith(f"{layout.VARIABLES}/") or path in layout.ROOT_FILES)
    ]
    return f"{strange[0]} was not in the archive" if strange else ""


def _file_damage(path: str, record: FileRecord, thorough: bool) -> str:
    try:
        status = os.lstat(path)
        if not stat.S_ISREG(status.st_mode):
            return "is no longer a plain file"
        if status.st_size != record.size:
            return f"has {status.st_size} bytes, not {record.size}"
        times = (status.st_mtime_ns, status.st_ctime_ns)
        trusted = times == (record.modified_ns, record.changed_ns) and record.size > _SMALL
        if (thorough or not trusted) and digests.of_file(path) != record.sha256:
            return "has another content than when it was downloaded"
    except (FileNotFoundError, NotADirectoryError):
        return "is missing"
    except OSError as error:
        return f"cannot be read ({error.strerror or error})"
    return ""


def with_present_times(folder: str, descriptor: Descriptor) -> Descriptor:
    """Returns `descriptor` with the times that the files of a whole, copied entry have now."""
    records = {}
    for path, record in descriptor.files.items():
        status = os.lstat(os.path.join(folder, path))
        records[path] = dataclasses.replace(
            record, modified_ns=status.st_mtime_ns, changed_ns=status.st_ctime_ns
        )
    return dataclasses.replace(descriptor, files=records)


def find_visible_damage(folder: str) -> str:
    """Returns what is wrong with a folder that nothing is written down about; empty if nothing is.

    Such are entries of the peer, and what people unpacked into the cache by hand.

    Raises:
      OSError: the folder cannot be read.
    """
    names = files.listing(folder) if os.path.isdir(folder) else []
    if not names:
        return "it is missing or empty"
    if irregular := contents.find_irregular(folder):
        return irregular
    if layout.kind_of(folder) is layout.FolderKind.OTHER:
        only = texts.one_line(", ".join(names[:5]))
        return f"it has neither {layout.MODULE_DEF} nor {layout.SAVED_MODEL} (only: {only})"
    if layout.saved_model_file(folder) is None:
        return f"it has no {layout.SAVED_MODEL}"
    empty = [
        name
        for name in layout.ROOT_FILES
        if name in names and not os.path.getsize(os.path.join(folder, name))
    ]
    return (
        f"{empty[0]} is empty"
        if empty
        else _variables_damage(os.path.join(folder, layout.VARIABLES))
    )


def _variables_damage(folder: str) -> str:
    if not os.path.isdir(folder):
        return ""
    names = set(os.listdir(folder))
    shards = sorted(name for name in names if name.startswith("variables.data-"))
    if shards and "variables.index" not in names:
        return "variables/variables.index is missing"
    if "variables.index" in names and not shards:
        return "variables/variables.data-* is missing"
    for shard in shards:
        count = shard.rpartition("-of-")[2]
        if count.isdigit() and len(shards) != int(count):
            return f"variables/ has {len(shards)} of {int(count)} data files"
    empty = [name for name in ("variables.index",) if name in names and _is_empty(folder, name)]
    return f"variables/{empty[0]} is empty" if empty else ""


def _is_empty(folder: str, name: str) -> bool:
    return os.path.getsize(os.path.join(folder, name)) == 0
