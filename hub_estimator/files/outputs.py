"""The output is not the input: what is written never takes the place of what is read."""

from __future__ import annotations

from collections.abc import Iterable

from hub_estimator import errors
from hub_estimator.files.access import is_folder
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
