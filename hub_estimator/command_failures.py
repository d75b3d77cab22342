"""What the system refused, in one line with what to do: room on a disk, memory, permission.

TensorFlow has errors of its own for these, which say what the system said somewhere in pages of text.
"""

from __future__ import annotations

import errno
import os
import re

_AGAIN = "run the same command again"
_ADVICE = {
    errno.ENOSPC: f"Free or choose another place, and {_AGAIN}.",
    errno.EDQUOT: f"Free or choose another place, and {_AGAIN}.",
    errno.EFBIG: f"Raise the limit of the size of files (ulimit -f), and {_AGAIN}.",
    errno.EACCES: f"Choose a place that you have permission for, and {_AGAIN}.",
    errno.EPERM: f"Choose a place that you have permission for, and {_AGAIN}.",
    errno.EROFS: f"Choose a place that can be written to, and {_AGAIN}.",
}
_OTHERWISE = f"Once that is solved, {_AGAIN}."
_NO_MEMORY = (
    "There is too little memory. Take a smaller batch or module, or a machine with more memory, and "
    f"{_AGAIN}."
)
_NUMBER = re.compile(r"\[Errno (\d+)\]")
# What TensorFlow says of a file: its path, and what the system said.
_NUMBERS = {os.strerror(number): number for number in (*_ADVICE, errno.EIO)}
_OF_FILE = re.compile(rf"(?P<path>[^\n;]+); (?P<text>{'|'.join(_NUMBERS)})")
_UNKNOWN_SCHEME = re.compile(r"File system scheme '(?P<scheme>[^']*)' not implemented")
_RESOURCE_EXHAUSTED = 8  # TensorFlow's number of the error; importing it here would take seconds


def message(error: Exception) -> str | None:
    """Returns the line for an error that is the system's; None where it is another one.

    Args:
      error: an `OSError`, a `MemoryError` or an error of TensorFlow.
    """
    if isinstance(error, MemoryError):
        return _NO_MEMORY
    text = str(error)
    if isinstance(error, OSError):
        # Of the text: what gin raises in an error's place has no number of its own.
        number = _NUMBER.match(text)
        advice = _ADVICE.get(int(number[1]), _OTHERWISE) if number else _OTHERWISE
        return f"{text.rstrip('.')}. {advice}"
    code = getattr(error, "error_code", None)
    if isinstance(code, int) or isinstance(error, RuntimeError):  # some parts raise this
        return _of_tensorflow(text, code)
    return None


def _of_tensorflow(text: str, code: int | None) -> str | None:
    scheme = _UNKNOWN_SCHEME.search(text)
    if scheme is not None:
        return (
            f"No filesystem {scheme['scheme']}:// is known here. Give a local path, or one that "
            "tf.io.gfile reads."
        )
    file = _OF_FILE.search(text)
    if file is not None:
        return message(OSError(_NUMBERS[file["text"]], file["text"], file["path"].strip()))
    return _NO_MEMORY if code == _RESOURCE_EXHAUSTED else None
