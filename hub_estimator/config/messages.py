"""What is wrong with a configuration, said in our own words with what there is."""

from __future__ import annotations

import contextlib
import re
import traceback
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hub_estimator import errors
from hub_estimator.config import bindings, suggestions
from hub_estimator.config.registry import ambiguous, known_configurables
from hub_estimator.config.statements import Binding, Statement
from hub_estimator.config.syntax import place

# What gin appends to an exception that passes through a function it configures.
_CALL_CHAIN = "\n  In call to configurable "
_MOST_UNREAD = 20
_INNERMOST = re.compile(r"\n  In call to configurable '(?P<name>[^']+)'")
_MISSING_ARGUMENTS = re.compile(
    r"missing \d+ required (?:positional|keyword-only) arguments?: (?P<names>.*)\n"
    r"(?:.*\n)*?  In call to configurable '(?P<owner>[^']+)'"
)
_LOCATION = re.compile(r"\n  In (?:file \".*\",|bindings string) line (?P<line>\d+)\n")


@contextlib.contextmanager
def clear_parse_errors(
    where: str, hint: str = "", found: Sequence[Statement] = ()
) -> Iterator[None]:
    """Says what gin cannot use or find in the text called `where`.

    Args:
      where: what messages call it.
      hint: what to do where it names something that nobody registered; by default near names.
      found: the statements of the text.

    Raises:
      errors.ConfigError: gin raised an error.
    """
    try:
        yield
    except errors.Error:
        raise
    except Exception as error:  # whatever gin raises about a text, the text is wrong
        set_in = {
            statement.selector: statement.parameter
            for statement in found
            if isinstance(statement, Binding)
        }
        raise _clear_error(error, where, hint, set_in) from error


@contextlib.contextmanager
def clear_call_errors(name: str) -> Iterator[None]:
    """Says what a configured function raised without what gin appends to it.

    Args:
      name: what is called, or was, and calls more of what is configured now.

    Raises:
      errors.ConfigError: the configuration is the reason.
    """
    try:
        yield
    except Exception as error:
        failure = _call_error(error, name)
        if failure is error:
            raise
        raise failure from failure.__cause__  # not from what gin raised in its place


def _call_error(error: Exception, name: str) -> Exception:
    """Returns what to raise for what the call of a configured function raised.

    Gin raises a stand-in whose message has all calls on the way. In its place comes what was raised
    at first; or, where the configuration is the reason, an error that says so.

    Args:
      error: what was raised.
      name: what was called.
    """
    first = _first_error(error)
    part = _part_that_fails(error)
    if _is_of_gin(first):
        clear = _missing_settings(error) or errors.ConfigError(
            f"The configuration cannot be used: {_reason(first)}."
        )
    elif isinstance(first, errors.Error) or part in (None, name):
        return first
    else:
        clear = errors.ConfigError(
            f"{part} cannot be made as it is set: {_reason(first)}. Check its settings."
        )
    clear.__cause__ = first
    return clear


def _missing_settings(error: Exception) -> errors.ConfigError | None:
    """Returns what to say where gin had no value for parameters that need one; else None."""
    missing = _MISSING_ARGUMENTS.search(str(error)) if isinstance(error, TypeError) else None
    if missing is None:
        return None
    names = ", ".join(
        f"{missing['owner']}.{name}" for name in re.findall(r"'(\w+)'", missing["names"])
    )
    return errors.MissingSettingError(
        f"The configuration needs {names}. Give it in a gin file or by --gin_bindings."
    )


def _part_that_fails(error: BaseException) -> str | None:
    """Returns the innermost part, of those added for configurations, that refused its settings."""
    part = _INNERMOST.search(str(error))
    is_of_settings = isinstance(error, (TypeError, ValueError))
    return (
        part["name"] if part and is_of_settings and part["name"] in known_configurables() else None
    )


def _reason(error: BaseException) -> str:
    return traceback.format_exception_only(error)[-1].strip().rstrip(".")


def _first_error(error: BaseException) -> Any:
    """Returns what a function raised, rather than gin's stand-ins for it."""
    before = error.__context__
    while before is not None and type(error).__bases__ == (type(before),):
        if _CALL_CHAIN not in str(error):
            break
        error, before = before, before.__context__
    return error


def _is_of_gin(error: BaseException) -> bool:
    """Whether gin itself raised an error, or the copying by which it puts values together."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    modules = [str(frame.f_globals.get("__name__")) for frame in frames]
    while modules and modules[-1] == "copy":
        modules.pop()
    return bool(modules) and modules[-1].startswith("gin.")


def unread_message(unread: Sequence[Binding], reading: bindings.Reading) -> str:
    """Returns the message for bindings that nothing reads, given what became of the others."""
    lines = []
    for binding in unread[:_MOST_UNREAD]:
        lines.append(f"{binding} ({suggestions.for_unread(binding, reading.read, reading.parts)})")
    if len(unread) > _MOST_UNREAD:
        lines.append(f"and {len(unread) - _MOST_UNREAD:,} more.")
    return (
        f"Nothing reads {'this setting' if len(unread) == 1 else 'these settings'}: "
        f"{'; '.join(lines)} Correct the name, or remove the binding."
    )


def _clear_error(
    error: Exception, where: str, hint: str, parameters: Mapping[str, str]
) -> errors.ConfigError:
    """Returns what to raise for what gin raised.

    Args:
      error: what gin raised.
      where: see `clear_parse_errors`.
      hint: see `clear_parse_errors`.
      parameters: a parameter that the text sets of each part.
    """
    message = str(error)
    lines = _LOCATION.findall(message)
    there = place(where, int(lines[-1]) if lines else None)
    reason = message.split("\n", 1)[0].strip('"')  # that of a KeyError is in quotes
    unknown = re.match(r"No configurable matching (?:reference )?'@?([^'()]+)", reason)
    if unknown:
        name = unknown[1].rsplit("/", 1)[-1]
        return errors.UnknownSettingError(
            f"Nothing configurable is called {name!r} ({there}). "
            f"{hint or suggestions.for_part(name, parameters.get(unknown[1], ''))}"
        )
    parameter = re.match(r"Configurable '(.+)' doesn't have a parameter named '(.+)'", reason)
    if parameter:
        return errors.UnknownSettingError(
            f"{parameter[1]} has no parameter {parameter[2]!r} ({there}). "
            f"{suggestions.for_parameter(parameter[1], parameter[2])}"
        )
    undefined = re.match(r"No bindings specified for '(.+)/gin\.macro'", reason)
    if undefined:
        macros = [str(binding) for binding in bindings.bound() if binding.is_macro]
        return errors.UnknownSettingError(
            f"The configuration uses %{undefined[1]}, which it does not define. "
            f"{hint or suggestions.for_macro(undefined[1], macros)}"
        )
    denied = re.match(r"Configurable '(.+)' has denylisted kwarg '(.+)'", reason)
    if denied:
        return errors.ConfigError(
            f"{denied[1]}.{denied[2]} cannot be configured ({there}): the run itself gives it."
        )
    if reason.startswith("Ambiguous "):
        return errors.UnknownSettingError(ambiguous(reason, there))
    reason = re.sub(r" in config string: *$", "", reason).rstrip(".")
    kind = "" if isinstance(error, ValueError) else f"{type(error).__name__}: "
    return errors.ConfigError(f"Cannot use {there}: {kind}{reason}.")
