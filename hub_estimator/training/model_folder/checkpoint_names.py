"""The names that Estimators give checkpoints: `model.ckpt-<step>`."""

from __future__ import annotations

import os
import re

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
