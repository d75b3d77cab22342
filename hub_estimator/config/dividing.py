"""A configuration without what only one of its parts reads: the text that is left."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

from hub_estimator.config import bindings, operative, registry, statements
from hub_estimator.config.parsing import ReadFile
from hub_estimator.config.statements import Binding, Import, Include, Statement
from hub_estimator.config.uses import Uses


@dataclasses.dataclass(frozen=True)
class Divided:
    """What is left of a configuration.

    Attributes:
      text: of a gin file that says what the files say.
      given: the bindings that were given beside the files.
    """

    text: str
    given: tuple[str, ...]


def without(
    files: Sequence[ReadFile], given: Sequence[str], name: str, other: str, parts: Collection[str]
) -> Divided:
    """Returns the configuration in force without what a call of one part reads and one of another not.

    Every statement that is left is there, in its order, those that others override too.

    Args:
      files: the files of the configuration, each before those that it includes.
      given: the bindings beside them.
      name: the part whose settings go.
      other: the part whose settings stay, also those that both read.
      parts: the names of those parts whose settings all go.
    """
    gone = _Gone(name, other, parts)
    found = list(_expanded(iter(files)))
    of_bindings = [
        [statement for statement in statements.parse(text, "a binding")] for text in given
    ]
    gone.find_macros([*found, *(statement for each in of_bindings for statement in each)])
    left = tuple(
        _line(statement) for each in of_bindings for statement in each if not gone.has(statement)
    )
    lines = [_line(statement) for statement in found if not gone.has(statement)]
    return Divided("".join(f"{line}\n" for line in lines), left)


def _expanded(files: Iterator[ReadFile]) -> Iterator[Statement]:
    """Yields the statements of files, those of what they include where they include it.

    A model folder's configuration is not taken apart: it is read as what it is.
    """
    for file in files:
        yield from _of_file(file, files)


def _of_file(file: ReadFile, following: Iterator[ReadFile]) -> Iterator[Statement]:
    if operative.is_operative(file.path):
        yield Include(file.path, 0, 0)
        return
    for statement in statements.parse(file.text, repr(file.path)):
        if isinstance(statement, Include):
            yield from _of_file(next(following), following)
        else:
            yield statement


def _line(statement: Statement) -> str:
    if isinstance(statement, Binding):
        return f"{statement} = {statement.value_text}"
    if isinstance(statement, Import):
        return f"import {statement.module}"
    return f"include {statement.name!r}"


class _Gone:
    """What goes, of the configuration in force."""

    def __init__(self, name: str, other: str, parts: Collection[str]) -> None:
        bound = bindings.bound()
        read, kept = _reached(bound, name), _reached(bound, other)
        self._parts = {id(registry.part(part)) for part in parts}
        self._read = {_key(each) for each in read} - {_key(each) for each in kept}
        self._macros = {str(each) for each in read if each.is_macro}

    def find_macros(self, found: Sequence[Statement]) -> None:
        """Keeps those macros that anything uses that stays."""
        texts = [each for each in found if isinstance(each, Binding)]
        waiting = [each for each in texts if not each.is_macro and not self.has(each)]
        used: set[str] = set()
        while waiting:
            names = set(_macros_in(each.value for each in waiting)) - used
            used |= names
            waiting = [each for each in texts if each.is_macro and str(each) in names]
        self._macros -= used

    def has(self, statement: Statement) -> bool:
        """Whether a statement goes."""
        if not isinstance(statement, Binding):
            return False
        if statement.is_macro:
            return str(statement) in self._macros
        is_of_part = id(registry.part(statement.selector)) in self._parts
        return is_of_part or _key(statement) in self._read


def _reached(bound: Iterable[Binding], name: str) -> set[Binding]:
    uses = Uses(bound)
    uses.walk(name)
    return uses.reached


def _key(binding: Binding) -> tuple[Any, ...]:
    """Returns what two bindings of the same setting have in common, however they name the part."""
    what = str(binding) if binding.is_macro else registry.part(binding.selector)
    return binding.scope, id(what) if not isinstance(what, str) else what, binding.parameter


def _macros_in(values: Iterable[Any]) -> Iterator[str]:
    for value in values:
        for reference in statements.references(value):
            if reference.is_macro:
                yield reference.name
