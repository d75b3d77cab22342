"""The settings of a run that was made in Python, out of the text that its model folder has of them.

The text is for people: `Experiment(model=Model(...), max_steps=2000, ...)`. What is written there like
a call with names, or a list of such, has settings of its own; all else is a value. Nothing of it runs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_CALL = re.compile(r"(?P<name>\w+)\((?P<inner>.*)\)", re.DOTALL)
_LIST = re.compile(r"[\[(](?P<inner>.*)[\])]", re.DOTALL)
_FIELD = re.compile(r"(?P<name>[A-Za-z_]\w*)=(?P<value>.*)", re.DOTALL)
_OPENS, _CLOSES, _QUOTES = "([{<", ")]}>", "'\""
_DEEPEST = 20


def read(text: str) -> dict[str, str]:
    """Returns the settings by name, such as `Experiment.model.optimization.learning_rate`.

    Args:
      text: what `experiment.txt` has.
    """
    text = text.strip()
    found = _CALL.fullmatch(text)
    return dict(_settings(found["name"] if found else "settings", text, 0))


def _settings(name: str, value: str, depth: int) -> Iterator[tuple[str, str]]:
    parts = _fields(value) if depth < _DEEPEST else []
    listed = _LIST.fullmatch(value) if depth < _DEEPEST else None
    elements = list(_split(listed["inner"])) if listed else []
    if parts:
        for field, inner in parts:
            yield from _settings(f"{name}.{field}", inner, depth + 1)
    elif elements and all(_fields(element) for element in elements):
        for number, element in enumerate(elements):
            yield from _settings(f"{name}[{number}]", element, depth + 1)
    else:
        yield name, " ".join(value.split())


def _fields(value: str) -> list[tuple[str, str]]:
    """Returns the names and values of what is written like a call; nothing of what is not."""
    call = _CALL.fullmatch(value)
    matches = [_FIELD.fullmatch(part) for part in _split(call["inner"])] if call else []
    fields = [(match["name"], match["value"]) for match in matches if match]
    return fields if len(fields) == len(matches) else []


def _split(text: str) -> Iterator[str]:
    """Yields the parts between commas, but for those in brackets and quotes."""
    depth, quote, start, escaped = 0, "", 0, False
    for place, letter in enumerate(text):
        if quote:
            quote = "" if letter == quote and not escaped else quote
            escaped = letter == "\\" and not escaped
        elif letter in _QUOTES:
            quote = letter
        elif letter in _OPENS:
            depth += 1
        elif letter in _CLOSES:
            depth -= 1
        elif letter == "," and not depth:
            yield text[start:place].strip()
            start = place + 1
    if text[start:].strip():
        yield text[start:].strip()
