"""All that gin files can set, as text for people: parts, parameters, defaults, and what each is."""

from __future__ import annotations

import dataclasses
import textwrap
from collections.abc import Iterator, Sequence
from typing import Any

from hub_estimator import config, errors, texts
from hub_estimator.training.configurables.descriptions import describe, first_sentence
from hub_estimator.training.configurables.table import FAMILIES, OURS

_WIDTH = 100  # characters
_TEXT_AT = 46  # the column in which texts begin
_MOST_OF_VALUE = 40  # characters
_NOTHING_SAID = "(its documentation does not describe it)"


@dataclasses.dataclass(frozen=True)
class Entry:
    """Something that can be set.

    Attributes:
      name: `Part.parameter`, or a macro.
      value: what it is where nobody sets it, as text; empty where somebody must.
      text: what it is.
    """

    name: str
    value: str
    text: str

    def lines(self, is_whole: bool) -> list[str]:
        """Returns the entry with the first sentence of its text in a line, or with all of it."""
        value = self.value
        if not is_whole and len(value) > _MOST_OF_VALUE:
            value = f"{value[:_MOST_OF_VALUE]}..."
        head = f"  {self.name} = {value}" if value else f"  {self.name}  (required)"
        if not is_whole:
            return [f"{head:{_TEXT_AT}}  {first_sentence(self.text)}".rstrip()]
        indent = " " * 6
        return [
            head,
            *textwrap.wrap(self.text, _WIDTH, initial_indent=indent, subsequent_indent=indent),
        ]


@dataclasses.dataclass(frozen=True)
class Group:
    """A part with its parameters, or the macros of gin files.

    Attributes:
      name: of the part.
      text: what it is.
      uses: settings that put it to work.
      entries: what can be set of it.
    """

    name: str
    text: str
    uses: Sequence[str]
    entries: Sequence[Entry]

    def only(self, pattern: str) -> Group | None:
        """Returns the group with what has a text of it: all, where it does itself; None for nothing."""
        if _has(self.name, self.text, pattern):
            return self
        entries = [entry for entry in self.entries if _has(entry.name, entry.text, pattern)]
        return dataclasses.replace(self, entries=entries) if entries else None

    def lines(self, is_whole: bool) -> Iterator[str]:
        """Yields its lines."""
        yield f"{self.name}: {self.text}"
        if self.uses:
            yield f"  to use it: {'; '.join(self.uses)}"
        for entry in self.entries:
            yield from entry.lines(is_whole)


def listing(pattern: str = "", macros: Sequence[config.Macro] = ()) -> str:
    """Returns all that can be set, or what has a text in its name or in what is said of it.

    Args:
      pattern: the text; its case does not matter, nor in names what is between their words. Empty is
        all. What is found is told in full.
      macros: those of gin files.

    Raises:
      errors.UnknownSettingError: nothing has it.
    """
    sections = _sections(macros)
    lines: list[str] = []
    for title, groups in sections.items():
        found = [group.only(pattern) for group in groups]
        shown = [line for group in found if group for line in ["", *group.lines(bool(pattern))]]
        if shown:
            lines += ["", f"=== {title} ===", *shown]
    if not lines:
        names = {name for groups in sections.values() for group in groups for name in _words(group)}
        near = config.near_names(pattern, names)
        raise errors.UnknownSettingError(
            f"Nothing that gin files can set has {texts.shown(pattern)} in its name or description. "
            + (f"Did you mean {' or '.join(near)}?" if near else "--list_settings alone lists all.")
        )
    return "\n".join(lines[1:])


def _sections(macros: Sequence[config.Macro]) -> dict[str, list[Group]]:
    """Returns all groups by the titles of the sections that they are in."""
    sections = {}
    if macros:
        entries = [Entry(macro.name, macro.value, macro.comment) for macro in macros]
        sections["Macros of the given gin files"] = [
            Group("Macros", "set one as NAME = value, and use it as %NAME.", (), entries)
        ]
    for title, parts in OURS.items():
        sections[title] = [_group(part.name) for part in parts]
    for family in FAMILIES:
        sections[f"TensorFlow: {family.title}"] = [_group(name) for name in family.names]
    return sections


def _group(name: str) -> Group:
    known = config.known_configurables()[name]
    assert known.function is not None
    said = describe(known.function)
    entries = [
        Entry(
            f"{name}.{parameter}",
            "" if default is config.NO_DEFAULT else _shown(default),
            said.parameters.get(parameter, _NOTHING_SAID),
        )
        for parameter, default in known.parameters.items()
    ]
    return Group(name, said.summary or _NOTHING_SAID, known.uses, entries)


def _shown(default: Any) -> str:
    name = getattr(default, "__name__", None)
    return str(name) if callable(default) and name else repr(default)


def _has(name: str, text: str, pattern: str) -> bool:
    """Whether a name or a text has another one in it; in names, only letters and digits count."""
    return pattern.lower() in text.lower() or _letters(pattern) in _letters(name)


def _letters(text: str) -> str:
    return "".join(letter for letter in text.lower() if letter.isalnum())


def _words(group: Group) -> Iterator[str]:
    """Yields the names of a group by which people may look for something."""
    yield group.name
    for entry in group.entries:
        yield entry.name.rpartition(".")[-1]
