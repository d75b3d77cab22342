"""Commands for people to copy: they run as they are in a shell, in the current folder."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sys

_PLAIN = re.compile(r"[^\"$`\\!]*")  # what a shell leaves as it is between double quotes


def python() -> str:
    """Returns how a shell starts this Python, from the current folder."""
    this = sys.executable or "python"
    if shutil.which("python") == this:
        return "python"
    relative = os.path.relpath(this)
    is_below = not relative.startswith("..") and os.sep in relative
    return shlex.quote(relative if is_below else this)


def quoted(text: str) -> str:
    """Returns a text with quotes in it as a shell takes it: in double quotes where they do."""
    return f'"{text}"' if _PLAIN.fullmatch(text) else shlex.quote(text)
