"""Where checkpoints are: their prefixes, the names of their files, the list of those in a folder.

Savers write the list into the file `checkpoint` of the folder, with absolute paths often, which are
wrong once the folder has moved: here checkpoints go by their names.
"""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Sequence

from hub_estimator import errors, files

LIST = "checkpoint"

_ENDING = re.compile(r"\.(?:index|meta|data-\d{5}-of-\d{5})$")
# A text proto `CheckpointState`, one field a line. It may be damaged, so it is not parsed as one.
_LISTED = re.compile(
    r'^\s*(?P<all>all_)?model_checkpoint_paths?\s*:\s*"(?P<path>[^"\n]*)"\s*$', re.MULTILINE
)


@dataclasses.dataclass(frozen=True)
class CheckpointList:
    """What a folder's list of checkpoints says.

    Attributes:
      paths: the checkpoints' prefixes as they stand there, the oldest first.
      latest: the name of the one that training goes on from; None where there is no such list.
    """

    paths: tuple[str, ...] = ()
    latest: str | None = None

    @property
    def names(self) -> list[str]:
        """The names of the prefixes, without folders."""
        return [os.path.basename(path) for path in self.paths]

    def is_of(self, folder: str) -> bool:
        """Whether what it names is in `folder`, as TensorFlow reads it."""
        above = {files.parent(path) for path in self.paths}
        return all(not place or files.is_same(place, folder) for place in above)


def read_list(folder: str) -> CheckpointList:
    """Returns the list of a folder; an empty one where there is none, or nothing to be read in it.

    Raises:
      OSError: there is one, and it may not be read.
    """
    path = files.join(folder, LIST)
    try:
        text = files.read_bytes(path).decode("utf-8", "replace") if files.exists(path) else ""
    except (errors.NotAFileError, errors.LfsPointerError):
        text = ""
    found = [(bool(line["all"]), _unescaped(line["path"])) for line in _LISTED.finditer(text)]
    paths = [path for is_of_all, path in found if is_of_all]
    latest = next((path for is_of_all, path in found if not is_of_all), None)
    if latest is None:
        return CheckpointList(tuple(paths))
    paths += [] if latest in paths else [latest]
    return CheckpointList(tuple(paths), os.path.basename(latest))


def write_list(folder: str, names: Sequence[str]) -> None:
    """Writes the list of a folder.

    Args:
      folder: the folder.
      names: the names of the checkpoints' prefixes, in printable ASCII; training goes on from the
        last one.
    """
    lines = [f'model_checkpoint_path: "{names[-1]}"\n']
    lines += [f'all_model_checkpoint_paths: "{name}"\n' for name in names]
    files.write_text(files.join(folder, LIST), "".join(lines))


def remove_list(folder: str) -> None:
    """Removes the list of a folder; none there is fine."""
    path = files.join(folder, LIST)
    if not files.is_folder(path):
        files.remove(path)


def without_ending(path: str) -> str:
    """Returns the prefix of the checkpoint that has the file `path`; a prefix itself as it is."""
    return _ENDING.sub("", path)


def as_prefix(path: str) -> str:
    """Returns the prefix of the checkpoint that a path names.

    Args:
      path: the prefix itself, one of the checkpoint's files, or a folder, for its latest one.

    Returns:
      `path` where it names no checkpoint of which there is an index.
    """
    latest = None
    if not files.exists(f"{path}.index") and files.is_folder(path):
        latest = read_list(path).latest
    candidates = [path, without_ending(path)]
    candidates += [] if latest is None else [files.join(path, latest)]
    return next((prefix for prefix in candidates if files.exists(f"{prefix}.index")), path)


def what_is_there(path: str) -> str:
    """Returns a sentence, with a space before it, on what there is where no checkpoint is.

    Args:
      path: what was given as a checkpoint.
    """
    folder = path if files.is_folder(path) else files.parent(path) or "."
    if not files.is_folder(folder):
        return ""
    names = [name for name in files.listing(folder) if name.endswith(".index")]
    return f" In {folder!r} there are: {', '.join(map(without_ending, names))}." if names else ""


def _unescaped(text: str) -> str:
    """Returns what a text proto has in quotes; it escapes what is not ASCII like a literal of C."""
    if "\\" not in text:
        return text
    octets = text.encode("latin-1", "replace").decode("unicode_escape").encode("latin-1", "replace")
    return octets.decode("utf-8", "replace")
