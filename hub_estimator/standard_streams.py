"""Standard input and output for data: as a file that can be read twice, and with nothing between it."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from typing import IO

from hub_estimator import errors, files

_NAME = "standard_input"


@contextlib.contextmanager
def input_file(like: str) -> Iterator[str]:
    """Gives a file with all that standard input has, which is removed when the block ends.

    Errors speak of standard input in its place. What a killed process left is removed by the next.

    Args:
      like: the path of a file of the same form, whose name tells how to read it.

    Yields:
      The path of the file, which only this user can read.

    Raises:
      errors.DataFileError: there is no standard input.
    """
    if sys.stdin is None:
        raise errors.DataFileError("Standard input is closed. Give --input a file.")
    folder = tempfile.gettempdir()
    files.remove_abandoned(folder)
    with files.scratch_folder(folder, _NAME) as scratch:
        os.chmod(scratch, 0o700)  # everyone can look into the folder above
        suffix = os.path.splitext(like.removesuffix(".gz"))[1]
        path = files.join(scratch, f"{_NAME}{suffix}")
        with open(path, "wb") as file:
            shutil.copyfileobj(sys.stdin.buffer, file)
        try:
            yield path
        except errors.Error as error:
            message = _renamed(str(error), path)
            if message == str(error):
                raise
            raise type(error)(message) from error


@contextlib.contextmanager
def data_output() -> Iterator[IO[bytes]]:
    """Gives standard output for data; what else is printed in the block goes to standard error."""
    sys.stdout.flush()
    before = os.dup(1)
    try:
        os.dup2(2, 1)
        with os.fdopen(os.dup(before), "wb") as file:
            yield file
    finally:
        sys.stdout.flush()
        os.dup2(before, 1)
        os.close(before)


def _renamed(message: str, path: str) -> str:
    """Returns a message that speaks of standard input in the place of a file."""
    for named, meant in (
        (f"The data file {path!r}", "Standard input"),
        (f"the data file {path!r}", "standard input"),
        (repr(path), "standard input"),
    ):
        message = message.replace(named, meant)
    return message
