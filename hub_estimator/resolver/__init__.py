"""From a handle to a folder that can be read: `resolve("https://…/1")`, `resolve("/a/folder")`."""

from __future__ import annotations

from hub_estimator import errors, files

__all__ = ["resolve"]


def resolve(handle: files.PathLike) -> str:
    """Returns the folder that `handle` stands for.

    Args:
      handle: a folder, on the local disk or any filesystem that `tf.io.gfile` knows.

    Raises:
      errors.HandleNotFoundError: there is nothing at `handle`.
    """
    path = files.as_path(handle)
    if not files.exists(path):
        raise errors.HandleNotFoundError(
            f"There is nothing at {path!r}: check the path of the module."
        )
    return path
