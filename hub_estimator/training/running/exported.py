"""What an export of a checkpoint made."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Exported:
    """What was exported.

    Attributes:
      path: the folder.
      modules: the folders of the modules in it.
      step: the global step of the checkpoint.
    """

    path: str
    modules: tuple[str, ...]
    step: int
