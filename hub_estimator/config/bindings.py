"""The bindings of a configuration, and those that nothing reads."""

from __future__ import annotations

import dataclasses
from typing import Any

from hub_estimator.config.registry import parameters_of


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

    def __str__(self) -> str:
        scope = f"{self.scope}/" if self.scope else ""
        return f"{scope}{self.selector}" + (f".{self.parameter}" if self.parameter else "")

    def is_read_by(self, other: Binding) -> bool:
        """Whether a use in `other`'s scope looks this setting up; scopes inherit."""
        if (self.selector, self.parameter) != (other.selector, other.parameter):
            return False
        return self.scope == other.scope if self.is_macro else _within(other, self)


def bound() -> list[Binding]:
    """Returns the bindings of the configuration that is in force."""
    import gin

    return statements(gin.config_str())


def read() -> list[Binding]:
    """Returns the bindings that had an effect so far, and the defaults of what was used."""
    import gin

    return statements(gin.operative_config_str())


def unread_bindings() -> list[Binding]:
    """Returns the bindings that nothing has read, as far as the program has run.

    One that only repeats a parameter's default is left out: operative configurations have those of
    every part that was used, and a run may use other parts.
    """
    all_bound = bound()
    unread = set(all_bound)
    for used in read():
        readers = [binding for binding in all_bound if binding.is_read_by(used)]
        if readers:  # The innermost scope wins; those outside of it are not read by this use.
            unread.discard(max(readers, key=lambda binding: len(binding.scope)))
    return sorted((each for each in unread if not _is_default(each)), key=str)


def statements(text: str, used: set[str] | None = None) -> list[Binding]:
    """Returns the bindings in a text; adds what their values use to a set: macros, and `@parts`."""
    from gin import config_parser

    class Delegate(config_parser.ParserDelegate):
        def configurable_reference(self, scoped_configurable_name: str, evaluate: bool) -> str:
            if used is not None:
                used.add(f"@{scoped_configurable_name.rsplit('/', 1)[-1]}")
            return f"@{scoped_configurable_name}" + ("()" if evaluate else "")

        def macro(self, macro_name: str) -> str:
            if used is not None:
                used.add(macro_name)
            return f"%{macro_name}"

    return [
        Binding(
            statement.scope or "", statement.selector, statement.arg_name or "", statement.value
        )
        for statement in config_parser.ConfigParser(text, Delegate())
        if isinstance(statement, config_parser.BindingStatement)
    ]


def _is_default(binding: Binding) -> bool:
    missing = object()
    return bool(parameters_of(binding.selector).get(binding.parameter, missing) == binding.value)


def _within(inner: Binding, outer: Binding) -> bool:
    return not outer.scope or f"{inner.scope}/".startswith(f"{outer.scope}/")
