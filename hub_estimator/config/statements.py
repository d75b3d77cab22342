"""The statements of a gin file or binding, read without acting on any of them.

Gin parses and binds in one go. Here a text is only read: what it binds, which macros and parts its
values use, and what it would import or include. So it is known to be sound, and what it asks for,
before gin sees it; and whatever is wrong with it is one error that says the line.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping
from typing import Any

from hub_estimator import errors, texts
from hub_estimator.config.syntax import check_shape, place, reason_of

GIN_FEATURES = "__gin__."
"""What the names of modules begin with that are none, but ask gin for something."""

# No configuration that is meant to be one comes near these.
_LONGEST_NAME = 500  # letters
_MOST_BITS = 1024  # of a whole number: as large as the largest float


@dataclasses.dataclass(frozen=True, repr=False)
class Reference:
    """A use of a part or a macro in a value: `@[scope/]name`, `@[scope/]name()` or `%name`.

    Attributes:
      scope: the scope; empty where none is named.
      name: of the part, or of the macro with its scope.
      is_called: whether the value is what the part returns; a macro's always is.
      is_macro: whether it is a macro.
    """

    scope: str
    name: str
    is_called: bool = True
    is_macro: bool = False

    def __repr__(self) -> str:
        # As gin files write it, also within lists and dicts.
        if self.is_macro:
            return f"%{self.name}"
        scope = f"{self.scope}/" if self.scope else ""
        return f"@{scope}{self.name}" + ("()" if self.is_called else "")


@dataclasses.dataclass(frozen=True)
class Binding:
    """One setting: `[scope/]selector.parameter`, or a macro, whose `parameter` is empty."""

    scope: str
    selector: str
    parameter: str
    value: Any = dataclasses.field(compare=False, hash=False)

    @property
    def is_macro(self) -> bool:
        """Whether it is a macro."""
        return not self.parameter

    @property
    def value_text(self) -> str:
        """The value as a gin file has it."""
        return repr(self.value)

    def __str__(self) -> str:
        scope = f"{self.scope}/" if self.scope else ""
        return f"{scope}{self.selector}" + (f".{self.parameter}" if self.parameter else "")

    def is_read_by(self, other: Binding) -> bool:
        """Whether a use in `other`'s scope looks this setting up; scopes inherit."""
        if (self.selector, self.parameter) != (other.selector, other.parameter):
            return False
        return self.scope == other.scope if self.is_macro else is_in(other.scope, self.scope)


@dataclasses.dataclass(frozen=True)
class Import:
    """`import module`, or `from package import module`.

    Attributes:
      module: what is imported.
      line: where, from 1.
    """

    module: str
    line: int


@dataclasses.dataclass(frozen=True)
class Include:
    """`include 'file'`.

    Attributes:
      name: the file.
      line: where the statement begins, from 1.
      end: the line after it.
    """

    name: str
    line: int
    end: int


Statement = Binding | Import | Include


def is_in(scope: str, outer: str) -> bool:
    """Whether a scope is `outer` or within it."""
    return not outer or f"{scope}/".startswith(f"{outer}/")


def parse(text: str, where: str) -> list[Statement]:
    """Returns the statements of a text.

    Args:
      text: of a gin file, or a binding.
      where: what messages call it.

    Raises:
      errors.ConfigError: it cannot be parsed, or has a value that no configuration can have.
    """
    check_shape(text, where)
    return list(_statements(text, where))


def written_bindings(text: str) -> list[Binding]:
    """Returns the bindings of a text that gin wrote of what it had parsed."""
    found = _statements(text, "the configuration")
    return [statement for statement in found if isinstance(statement, Binding)]


def elements(value: Any) -> Iterator[tuple[int, Any]]:
    """Yields all that is in a value, itself first, each with the number of brackets around it."""
    waiting = [(0, value)]
    while waiting:
        depth, element = waiting.pop()
        yield depth, element
        content = [*element, *element.values()] if isinstance(element, dict) else element
        if isinstance(content, (list, tuple)):
            waiting += [(depth + 1, inner) for inner in reversed(content)]


def references(value: Any) -> Iterator[Reference]:
    """Yields the uses of parts and macros in a value, as often as they are there."""
    return (element for _, element in elements(value) if isinstance(element, Reference))


def _statements(text: str, where: str) -> Iterator[Statement]:
    from gin import config_parser

    class Delegate(config_parser.ParserDelegate):
        def configurable_reference(self, scoped_configurable_name: str, evaluate: bool) -> Any:
            scope, _, name = _checked_name(scoped_configurable_name).rpartition("/")
            return Reference(scope, name, evaluate)

        def macro(self, macro_name: str) -> Any:
            return Reference("", _checked_name(macro_name), is_macro=True)

    line = 1
    try:
        parser = config_parser.ConfigParser(text, Delegate())
        while True:
            line = parser.current_token.start[0]
            statement = parser.parse_statement()
            if statement is None:
                return
            line = statement.location.line_num
            if isinstance(statement, config_parser.ImportStatement):
                yield Import(statement.module, line)
            elif isinstance(statement, config_parser.IncludeStatement):
                yield Include(statement.filename, line, parser.current_token.start[0])
            elif isinstance(statement, config_parser.BindingStatement):
                yield _binding(statement)
    except errors.Error:
        raise
    except Exception as error:  # whatever the parser stumbles over, the text is wrong
        line = getattr(error, "lineno", None) or line
        raise errors.ConfigError(
            f"Cannot parse {place(where, line)}: {reason_of(error)}"
        ) from error


def _binding(statement: Any) -> Binding:
    made = Binding(
        statement.scope or "", statement.selector, statement.arg_name or "", statement.value
    )
    _checked_name(str(made))
    _check_value(made.value)
    if str(made) in ("macro.value", "gin.macro.value"):
        raise ValueError("a macro needs a name: write NAME = value")
    return made


def _checked_name(name: str) -> str:
    if len(name) > _LONGEST_NAME:
        raise ValueError(f"the name {texts.shown(name)} is longer than {_LONGEST_NAME} letters")
    return name


def _check_value(value: Any) -> None:
    """Checks that a value can be written and read again."""
    for _, element in elements(value):
        is_whole = not isinstance(element, int) or element.bit_length() <= _MOST_BITS
        is_real = not isinstance(element, complex) and (
            not isinstance(element, float) or math.isfinite(element)
        )
        if not (is_whole and is_real):
            raise ValueError("a number is complex, or too large")


def without_macros(value: Any, macros: Mapping[str, Any]) -> Any:
    """Returns a value with those of macros in the place of these, as far as they are known."""
    if isinstance(value, Reference) and value.is_macro and value.name in macros:
        others = {name: other for name, other in macros.items() if name != value.name}
        return without_macros(macros[value.name], others)
    if isinstance(value, (list, tuple)):
        return type(value)(without_macros(element, macros) for element in value)
    if isinstance(value, dict):
        return {key: without_macros(element, macros) for key, element in value.items()}
    return value
