"""What docstrings say of functions and classes, and of each of their parameters."""

from __future__ import annotations

import dataclasses
import inspect
import re
import textwrap
from collections.abc import Callable, Iterator, Mapping
from typing import Any

_SECTION = re.compile(r"^(?P<indent> *)(Args|Arguments|Attributes):\s*$")
_PARAMETER = re.compile(r"^\*{0,2}(?P<name>\w+)(?: *\([^)]*\))?: *(?P<text>.*)$")


@dataclasses.dataclass(frozen=True)
class Description:
    """What is said of a function or class.

    Attributes:
      summary: its first sentence; empty where nothing is said.
      parameters: what is said of each parameter that something is said of.
    """

    summary: str
    parameters: Mapping[str, str]


def describe(function: Callable[..., Any]) -> Description:
    """Returns what the docstring of a function says, or that of a class and of its `__init__`."""
    texts = [inspect.getdoc(function) or ""]
    if isinstance(function, type):
        made = vars(function).get("__init__")
        texts.append(inspect.getdoc(made) or "" if made is not None else "")
    parameters = {name: text for doc in reversed(texts) for name, text in _parameters(doc)}
    summary = " ".join(texts[0].split("\n\n", 1)[0].split())
    return Description(first_sentence(summary), parameters)


def first_sentence(text: str) -> str:
    """Returns what is before the first period with another sentence after it, and that period."""
    return re.split(r"(?<=\.)\s+(?=[A-Z`])", text, maxsplit=1)[0]


def _parameters(doc: str) -> Iterator[tuple[str, str]]:
    """Yields the parameters of a docstring with what it says of them, each as one line."""
    for body in _sections(doc):
        name = ""
        words: list[str] = []
        for line in body.split("\n"):
            found = _PARAMETER.match(line)
            if found:
                if name:
                    yield name, " ".join(words)
                name, words = found["name"], []
                line = found["text"]
            words += line.split()
        if name:
            yield name, " ".join(words)


def _sections(doc: str) -> Iterator[str]:
    """Yields the bodies of the sections of parameters, their first lines not indented."""
    lines = doc.split("\n")
    for number, line in enumerate(lines):
        head = _SECTION.match(line)
        if head:
            inner = [
                other
                for other in _while_indented(lines[number + 1 :], len(head["indent"]))
                if other.strip()
            ]
            yield textwrap.dedent("\n".join(inner))


def _while_indented(lines: list[str], indent: int) -> Iterator[str]:
    """Yields lines up to the first that is not indented by more than so many spaces."""
    for line in lines:
        if line.strip() and len(line) - len(line.lstrip()) <= indent:
            return
        yield line
