"""Where a module or a SavedModel on disk is."""

from __future__ import annotations

import dataclasses

from hub_estimator import files, resolver


@dataclasses.dataclass(frozen=True)
class Origin:
    """What a module was named by, and where it is.

    Attributes:
      handle: the handle, without a password.
      folder: the folder that it stands for.
    """

    handle: str
    folder: str


def find(handle: files.PathLike) -> Origin:
    """Returns where the module under a handle is; errors are those of `resolver.resolve`."""
    return Origin(str(resolver.Handle.parse(handle)), resolver.resolve(handle))
