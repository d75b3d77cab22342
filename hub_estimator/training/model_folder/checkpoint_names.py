"""The names that Estimators give checkpoints, `model.ckpt-<step>`, and those that are there."""

from __future__ import annotations

import os
import re

from hub_estimator import errors, files
from hub_estimator.format.checkpoint_paths import without_ending

_PREFIX = re.compile(r"model\.ckpt-(?P<step>\d+)", re.ASCII)


def step_of(path: str) -> int | None:
    """Returns the global step of the checkpoint that a path names; None where it names none.

    Args:
      path: a checkpoint's prefix, or one of its files.
    """
    found = _PREFIX.fullmatch(without_ending(os.path.basename(path)))
    return int(found["step"]) if found else None


def name_of(step: int) -> str:
    """Returns the name of the prefix of the checkpoint of a step."""
    return f"model.ckpt-{step}"


def steps_in(folder: str) -> list[int]:
    """Returns the steps of the checkpoints in a folder that have an index, the smallest first."""
    names = files.listing(folder) if files.is_folder(folder) else []
    steps = {step_of(name) for name in names if name.endswith(".index")}
    return sorted(step for step in steps if step is not None)


def check_step(folder: str, step: int) -> None:
    """Checks that a folder that has checkpoints has one of a step.

    Raises:
      errors.ModelFolderError: there is none.
    """
    steps = steps_in(folder)
    if steps and step not in steps:
        raise errors.ModelFolderError(
            f"The model folder {folder!r} has no checkpoint of step {step}. It has those of "
            f"{', '.join(map(str, steps))}."
        )
