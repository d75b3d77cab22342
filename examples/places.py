"""Where examples write: never where they read."""

from __future__ import annotations

from hub_estimator import errors, files

_SAME = "%r would be written, but --%s reads it. Give another path."


class SamePlaceError(errors.Error, ValueError):
    """A command would write where it reads."""


def check_apart(written: files.PathLike, **read: files.PathLike | None) -> None:
    """Checks that nothing that a command reads is where it writes, also by another spelling or link.

    Args:
      written: the path that is written.
      **read: the paths that are read, by flag; None is not given.

    Raises:
      SamePlaceError: one of them is.
    """
    target = files.as_path(written)
    for flag, path in read.items():
        if path is not None and files.is_same(target, files.as_path(path)):
            raise SamePlaceError(_SAME % (target, flag))
