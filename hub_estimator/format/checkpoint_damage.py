"""Whether a checkpoint is whole: of one that is not, which file is damaged."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator, Mapping
from typing import Any

import tensorflow as tf

from hub_estimator import errors, files
from hub_estimator.format.checkpoint_paths import as_prefix

_DATA = re.compile(r"\.data-(?P<shard>\d{5})-of-\d{5}$")
# What TensorFlow says of a value that it cannot read: the name of the file, or its number.
_NAMED = re.compile(r"(?P<name>[^/\s]+\.data-\d{5}-of-\d{5})")
_NUMBERED = re.compile(r"\bshard (?P<number>\d+) ")
# TensorFlow's reader has errors of several kinds, Python's own among them ...
_UNREADABLE = (tf.errors.OpError, ValueError, LookupError, RuntimeError)
# ... some of which say nothing of the files.
_OTHERS = (tf.errors.UNIMPLEMENTED, tf.errors.RESOURCE_EXHAUSTED)


def damage(prefix: str) -> str | None:
    """Returns what is wrong with the files of a checkpoint; None where it is whole.

    Each value is read and compared with its checksum, as restoring it does: what a power cut leaves
    often has its full size. It takes as long as reading the files once.

    Args:
      prefix: the prefix of the checkpoint.

    Returns:
      The beginning of a sentence, such as `model.ckpt-20.index is empty`.

    Raises:
      OSError: a file may not be read.
    """
    try:
        sizes = _sizes(prefix)
    except (errors.NotAFileError, errors.LfsPointerError) as error:
        return str(error).rstrip(".")
    index = f"{os.path.basename(prefix)}.index"
    if not sizes.get(index):
        return f"{index} is {'empty' if index in sizes else 'missing'}"
    try:
        reader = tf.compat.v1.train.NewCheckpointReader(prefix)
        names = sorted(reader.get_variable_to_shape_map())
    except _UNREADABLE:
        return f"{index} is no index of a checkpoint any more"
    for name in names:
        try:
            reader.get_tensor(name)
        except _UNREADABLE as error:
            if getattr(error, "error_code", None) not in _OTHERS:
                return _damage_of_data(error, sizes, prefix)
    return None


@contextlib.contextmanager
def naming_damage(path: str) -> Iterator[None]:
    """Says of an error of reading a checkpoint which of its files is damaged, where one is.

    Args:
      path: names the checkpoint; see `as_prefix`.

    Raises:
      errors.DamagedCheckpointError: in place of such an error.
    """
    try:
        yield
    except errors.Error:
        raise
    except _UNREADABLE as error:
        found = damage(as_prefix(path))
        if found is None:
            raise
        raise errors.DamagedCheckpointError(
            f"The checkpoint {path!r} is damaged: {found}. Give another one."
        ) from error


def _sizes(prefix: str) -> dict[str, int]:
    """Returns the size of each file of a checkpoint by its name."""
    folder, start = files.parent(prefix), f"{os.path.basename(prefix)}."
    there = files.listing(folder or ".") if files.is_folder(folder or ".") else []
    sizes = {}
    for name in there:
        if name.startswith(start) and (name.endswith(".index") or _DATA.search(name)):
            path = files.join(folder, name)
            files.check_file(path)
            sizes[name] = files.size(path)
    return sizes


def _damage_of_data(error: Exception, sizes: Mapping[str, int], prefix: str) -> str:
    """Returns what is wrong with the data files, given the error of reading a value."""
    data = {name: size for name, size in sizes.items() if _DATA.search(name)}
    named, numbered = _NAMED.search(str(error)), _NUMBERED.search(str(error))
    if named is not None and named["name"] not in data:
        return f"{named['name']} is missing"
    if numbered is not None:
        data = {name: data[name] for name in data if _shard(name) == int(numbered["number"])}
    empty = [name for name, size in data.items() if not size]
    name = (empty or [*data, f"{os.path.basename(prefix)}.data"])[0]
    if empty:
        return f"{name} is empty"
    if numbered is not None:
        return f"{name} does not hold what was saved: its checksum is another one"
    which = name if len(data) == 1 else f"one of {', '.join(data)}"
    return f"{which} is cut short"


def _shard(name: str) -> int:
    found: Any = _DATA.search(name)
    return int(found["shard"])
