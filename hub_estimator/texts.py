"""Texts for people: what comes from outside is shown quoted and cut, and never moves a cursor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

_MOST_SHOWN = 120
_MOST_IN_LINE = 4000
_MOST_NAMES = 10
_MOST_IN_CELL = 60


def shown(value: Any, most: int = _MOST_SHOWN) -> str:
    """Returns a value from outside as messages have it: its `repr`, cut where it is long.

    Args:
      value: what was given or read.
      most: how many of its characters to show.
    """
    if isinstance(value, (str, bytes)) and len(value) > most:
        unit = "characters" if isinstance(value, str) else "bytes"
        return f"{value[:most]!r}... ({len(value):,} {unit})"
    try:
        text = repr(value)
    except (RecursionError, ValueError):  # nested too deeply; a number of too many digits
        return f"a value of type {type(value).__name__}"
    return text if len(text) <= most else f"{text[:most]}..."


def shown_name(name: Any, most: int = _MOST_SHOWN) -> str:
    """Returns a name from outside for lists of names: as it is where that is plain to see.

    Args:
      name: the name of a column, a class or a file.
      most: how many of its characters to show.
    """
    text = str(name)
    is_plain = text == text.strip() and text.isprintable() and 0 < len(text) <= most
    return text if is_plain else shown(text, most)


def shown_names(names: Sequence[str]) -> str:
    """Returns names for a message, the first few of many; odd ones in quotes, long ones cut."""
    shown = ", ".join(map(shown_name, names[:_MOST_NAMES]))
    more = len(names) - _MOST_NAMES
    return f"{shown} and {more} more" if more > 0 else shown


def aligned(
    rows: Sequence[Sequence[str]], most: int = _MOST_IN_CELL, indentation: str = "  "
) -> str:
    """Returns a table whose columns begin one below the other.

    Args:
      rows: the cells of each row, all of them the same number; each is shown as one line.
      most: how many characters of a cell to show.
      indentation: what each line begins with.
    """
    cells = [[one_line(cell, most) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    ]
    return "".join(f"{indentation}{line}\n" for line in lines)


def one_line(text: str, most: int = _MOST_IN_LINE) -> str:
    """Returns a message as one line for a terminal or a log.

    Whitespace becomes single spaces; what cannot be printed, such as the codes that steer a
    terminal, is escaped as in Python; what is too long is cut in its middle, since messages end with
    what to do.
    """
    line = " ".join(text.split())
    if not line.isprintable():
        line = "".join(
            character
            if character.isprintable()
            else character.encode("unicode_escape").decode("ascii")
            for character in line
        )
    if len(line) <= most:
        return line
    return f"{line[: most // 2]} ... {line[-(most // 2) :]}"
