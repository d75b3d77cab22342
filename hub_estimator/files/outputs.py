"""What is written takes the place of nothing: neither of what is read, nor of what is there."""

from __future__ import annotations

from collections.abc import Iterable

from hub_estimator import errors
from hub_estimator.files.access import is_folder, is_there
from hub_estimator.files.paths import is_same, is_within


def check_output(what: str, path: str, inputs: Iterable[tuple[str, str]]) -> None:
    """Checks that what is to be written is neither what is read, nor in a folder that is.

    Links, other spellings and other names of one file are seen through.

    Args:
      what: what is to be written, to start the message with: `"The output"`.
      path: where; it need not be there.
      inputs: what messages call each thing that is read, `"the module"`, and its path.

    Raises:
      errors.OutputIsInputError: it is one of them, or would be in one of them.
    """
    for name, source in inputs:
        if is_same(path, source):
            where = f"{name} itself" if path == source else f"{name} itself, {source!r}"
        elif is_within(path, source) and is_folder(source):
            where = f"in {name}, {source!r}"
        else:
            continue
        raise errors.OutputIsInputError(
            f"{what} {path!r} is {where}, which is read and must stay as it is. Choose another "
            "place."
        )


def check_export_path(path: str) -> None:
    """Checks that there is nothing yet where an export is to be made.

    Raises:
      errors.ExportError: there is something, or the path is none.
    """
    if not path:
        raise errors.ExportError("The export_path is empty, or the root of all. Give it a path.")
    if is_there(path):
        raise export_path_taken(path)


def export_path_taken(path: str) -> errors.ExportError:
    """Returns the error that says that something is where an export should be."""
    return errors.ExportError(
        f"There is something at {path!r} already. Give another export_path, or remove that."
    )
