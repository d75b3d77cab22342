"""The checkpoints in a model folder: which training goes on from, and what killed saves left."""

from __future__ import annotations

import dataclasses
import logging
import os
import re
from collections.abc import Iterator

from hub_estimator import errors, files
from hub_estimator.format import checkpoint_paths
from hub_estimator.training.model_folder.checkpoint_names import name_of, step_of, steps_in

# What TensorFlow writes first, to rename it when it is whole.
_UNFINISHED = re.compile(
    r"model\.ckpt-\d+_temp(_[0-9a-f]+)?|model\.ckpt-\d+\..*\.tempstate\d+"
    r"|(checkpoint|graph\.pbtxt)\.tmp[0-9a-f]+"
)
_MOST_SHOWN = 5

_logger = logging.getLogger("hub_estimator")


@dataclasses.dataclass(frozen=True)
class Checkpoint:
    """A checkpoint: its global step and its prefix."""

    step: int
    path: str


@dataclasses.dataclass(frozen=True)
class Resumption:
    """Where training goes on.

    Attributes:
      checkpoint: from which checkpoint; None is the start.
      damaged: those that would have come first, and what is wrong with each.
    """

    checkpoint: Checkpoint | None
    damaged: dict[Checkpoint, str]

    @property
    def step(self) -> int:
        """The step at which training goes on."""
        return self.checkpoint.step if self.checkpoint is not None else 0


def in_folder(folder: str) -> list[Checkpoint]:
    """Returns the checkpoints that have an index, that of the smallest step first.

    They are found by their names in this folder: what TensorFlow wrote into the file `checkpoint`
    are absolute paths often, which are wrong after the folder moved.
    """
    return [_checkpoint(folder, step) for step in steps_in(folder)]


def resumption(folder: str) -> Resumption:
    """Returns where training in a folder goes on: at the newest whole checkpoint.

    The list of checkpoints says which one is the newest, where somebody chose an older one there,
    unless later ones were saved since: then the process died before it could list them.

    Raises:
      errors.DamagedCheckpointError: there are checkpoints, and none is whole.
    """
    # Not earlier: it brings TensorFlow, which who only lists checkpoints does without.
    from hub_estimator.format.checkpoint_damage import damage

    damaged: dict[Checkpoint, str] = {}
    for checkpoint in _candidates(folder):
        found = damage(checkpoint.path)
        if found is None:
            return Resumption(checkpoint, damaged)
        damaged[checkpoint] = found
    if not damaged:
        return Resumption(None, {})
    shown = "; ".join([*damaged.values()][:_MOST_SHOWN])
    raise errors.DamagedCheckpointError(
        f"No checkpoint in {folder!r} is whole: {shown}. Put a whole one there, or choose another "
        "model folder; to train anew in this one, remove its checkpoints."
    )


def _candidates(folder: str) -> Iterator[Checkpoint]:
    """Gives the checkpoints in the order in which training takes them, as far as they are whole."""
    there = in_folder(folder)[::-1]
    listed = checkpoint_paths.read_list(folder)
    last_listed = max((step_of(name) or 0 for name in listed.names), default=-1)
    later = [checkpoint for checkpoint in there if checkpoint.step > last_listed]
    step = step_of(listed.latest) if listed.latest is not None else None
    named = [] if step is None else [_checkpoint(folder, step)]
    if named and not _has_files(folder, named[0]):
        named = []  # somebody removed it
    yield from dict.fromkeys([*later, *named, *there])


def settle(folder: str, found: Resumption) -> None:
    """Makes TensorFlow go on where it should, and removes what killed saves left.

    To be called where nobody else trains in the folder. Damaged checkpoints stay.

    Args:
      folder: the model folder.
      found: its `resumption`.
    """
    for checkpoint, what in found.damaged.items():
        _logger.warning(
            "The checkpoint of step %d in %s is damaged: %s. Training goes on from that of step %d.",
            checkpoint.step, folder, what, found.step,
        )  # fmt: skip
    listed = checkpoint_paths.read_list(folder)
    if found.checkpoint is None:
        checkpoint_paths.remove_list(folder)  # it names nothing that is there
    else:
        latest = name_of(found.step)
        names = [*_others(folder, listed, found), latest]
        if listed.latest != latest or not listed.is_of(folder) or set(listed.names) != set(names):
            checkpoint_paths.write_list(folder, names)
    for name in _leftovers(folder, found):
        files.remove(files.join(folder, name))


def _others(
    folder: str, listed: checkpoint_paths.CheckpointList, found: Resumption
) -> Iterator[str]:
    """Gives the names of the further checkpoints to list; of no list all that there are."""
    for checkpoint in in_folder(folder):
        name = name_of(checkpoint.step)
        is_listed = listed.latest is None or name in listed.names
        if is_listed and checkpoint != found.checkpoint and checkpoint not in found.damaged:
            yield name


def _leftovers(folder: str, found: Resumption) -> Iterator[str]:
    """Gives the names of what killed processes left: of saves, and of removing older checkpoints.

    Their index goes first; without it the values are of no use.
    """
    kept = {checkpoint.step for checkpoint in (*in_folder(folder), *found.damaged)}
    for name in _names(folder):
        step = step_of(name)
        is_rest = step is not None and step < found.step and step not in kept
        if is_rest or _UNFINISHED.fullmatch(name):
            yield name


def _checkpoint(folder: str, step: int) -> Checkpoint:
    return Checkpoint(step, files.join(folder, name_of(step)))


def _has_files(folder: str, checkpoint: Checkpoint) -> bool:
    start = f"{os.path.basename(checkpoint.path)}."
    return any(name.startswith(start) for name in _names(folder))


def _names(folder: str) -> list[str]:
    return files.listing(folder) if files.is_folder(folder) else []
