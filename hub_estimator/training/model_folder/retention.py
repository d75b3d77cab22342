"""Which checkpoints of a model folder stay: the newest ones and the best one; removing the others."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import tensorflow as tf

from hub_estimator import files
from hub_estimator.format import checkpoint_paths
from hub_estimator.training.model_folder.checkpoint_names import name_of
from hub_estimator.training.model_folder.checkpoints import Checkpoint, in_folder

_logger = logging.getLogger("hub_estimator")


def superfluous(
    listed: Sequence[Checkpoint], keep: int, best: int | None, evaluated: int
) -> list[Checkpoint]:
    """Returns which of the checkpoints that training lists are to go.

    Args:
      listed: the checkpoints, the oldest first.
      keep: how many of the newest ones stay.
      best: the step of the best one, which stays too; None is not known.
      evaluated: the step that was evaluated last. Where another process evaluates, as in a cluster,
        it is at work on a newer one: up to so many more of those stay.
    """
    stay = {best, *(checkpoint.step for checkpoint in listed[-keep:])}
    stay |= {checkpoint.step for checkpoint in listed[-2 * keep :] if checkpoint.step > evaluated}
    return [checkpoint for checkpoint in listed if checkpoint.step not in stay]


def listed_in(folder: str) -> list[Checkpoint]:
    """Returns the checkpoints that training in a folder lists, the oldest first.

    Others, such as damaged ones, are none of its own: they stay.
    """
    listed = checkpoint_paths.read_list(folder)
    there = {name_of(checkpoint.step): checkpoint for checkpoint in in_folder(folder)}
    found = [there[name] for name in listed.names if name in there]
    # Where somebody chose an older one, the newest is the one that training goes on from.
    return sorted(found, key=lambda checkpoint: name_of(checkpoint.step) == listed.latest)


def remove(folder: str, checkpoints: Sequence[Checkpoint]) -> None:
    """Removes checkpoints and takes them from the list of those in a folder.

    The index goes first: without it there is no checkpoint, and `settle` removes what is left where
    the process dies in between. What cannot be removed stays, with a warning.

    Args:
      folder: the model folder.
      checkpoints: those to remove; never the one that the list calls the latest.
    """
    if not checkpoints:
        return
    old = [name_of(checkpoint.step) for checkpoint in checkpoints]
    listed = [name_of(checkpoint.step) for checkpoint in listed_in(folder)]
    removed = [name for name in old if _is_removed(folder, f"{name}.index")]
    checkpoint_paths.write_list(folder, [name for name in listed if name not in old])
    for name in files.listing(folder):
        if checkpoint_paths.without_ending(name) in removed:
            _is_removed(folder, name)


def _is_removed(folder: str, name: str) -> bool:
    """Removes a file; returns whether it could be removed."""
    try:
        files.remove(files.join(folder, name))
    except (OSError, tf.errors.OpError) as error:
        _logger.warning("%s in %s cannot be removed: %s.", name, folder, error)
        return False
    return True
