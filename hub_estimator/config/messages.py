"""What is wrong with a configuration, said in our own words with what there is."""

from __future__ import annotations

import contextlib
import difflib
import re
from collections.abc import Iterable, Iterator, Sequence

from hub_estimator import errors
from hub_estimator.config import bindings
from hub_estimator.config.registry import known_names, parameters_of

# What gin appends to an exception that passes through a function it configures.
_CALL_CHAIN = "\n  In call to configurable "
_MISSING_ARGUMENTS = re.compile(
    r"missing \d+ required (?:positional|keyword-only) arguments?: (?P<names>.*)\n"
    r"(?:.*\n)*?  In call to configurable '(?P<owner>[^']+)'"
)


def own_message(error: BaseException) -> str:
    """Returns an error's message without the call chain that gin appends to it."""
    return str(error).split(_CALL_CHAIN, 1)[0]


@contextlib.contextmanager
def clear_parse_errors(where: str) -> Iterator[None]:
    """Says what gin cannot parse or find in the text called `where`.

    Raises:
      errors.ConfigError: gin raised an error.
    """
    try:
        yield
    except errors.Error:
        raise
    except (ValueError, RuntimeError, SyntaxError, ImportError) as error:
        raise _clear_error(error, where) from error


@contextlib.contextmanager
def clear_call_errors() -> Iterator[None]:
    """Says which settings a configured function lacks.

    Raises:
      errors.MissingSettingError: it was called without an argument that it cannot do without.
    """
    try:
        yield
    except TypeError as error:
        missing = _MISSING_ARGUMENTS.search(str(error))
        if not missing:
            raise
        names = ", ".join(
            f"{missing['owner']}.{each}" for each in re.findall(r"'(\w+)'", missing["names"])
        )
        raise errors.MissingSettingError(
            f"The configuration needs {names}. Give it in a gin file or by --gin_bindings."
        ) from error


def unread_message(unread: Sequence[bindings.Binding]) -> str:
    """Returns the message for bindings that nothing reads."""
    read = bindings.read()
    lines = []
    for binding in unread:
        # Macros are mistaken for macros, parameters for parameters.
        known = {str(each) for each in read if each.is_macro == binding.is_macro}
        lines.append(f"{binding} ({_suggest(str(binding), known)})")
    return (
        f"Nothing reads {'this setting' if len(unread) == 1 else 'these settings'}: "
        f"{'; '.join(lines)} Correct the name, or remove the binding."
    )


def _clear_error(error: Exception, where: str) -> errors.ConfigError:
    message = str(error)
    line = re.search(r"\bline (\d+)", message)
    # A binding's line number would be that of the whole command line's bindings.
    place = f"{where}, line {line[1]}" if line and where.startswith(("'", '"')) else where
    unknown = re.search(r"No configurable matching (?:reference )?'@?([^'()]+)", message)
    if unknown:
        name = unknown[1].rsplit("/", 1)[-1]
        return errors.UnknownSettingError(
            f"Nothing configurable is called {name!r} ({place}). {_suggest(name, known_names())}"
        )
    parameter = re.search(r"Configurable '(.+)' doesn't have a parameter named '(.+)'", message)
    if parameter:
        return errors.UnknownSettingError(
            f"{parameter[1]} has no parameter {parameter[2]!r} ({place}). "
            f"{_suggest(parameter[2], parameters_of(parameter[1]))}"
        )
    undefined = re.search(r"No bindings specified for '(.+)/gin\.macro'", message)
    if undefined:
        macros = [str(each) for each in bindings.bound() if each.is_macro]
        return errors.UnknownSettingError(
            f"The configuration uses %{undefined[1]}, which it does not define. "
            f"{_suggest(undefined[1], macros)}"
        )
    denied = re.search(r"Configurable '(.+)' has denylisted kwarg '(.+)'", message)
    if denied:
        return errors.ConfigError(
            f"{denied[1]}.{denied[2]} cannot be configured ({place}): the run itself gives it."
        )
    return errors.ConfigError(
        f"Cannot parse {place}: {message.splitlines()[0]} A string needs quotes, as in "
        "\"NAME = 'text'\"."
    )


def _suggest(name: str, known: Iterable[str]) -> str:
    known = sorted(known)
    lower = {each.lower(): each for each in known}
    near = [lower[each] for each in difflib.get_close_matches(name.lower(), lower, n=3, cutoff=0.6)]
    if near:
        return f"Did you mean {' or '.join(near)}?"
    return f"There is: {', '.join(known)}." if known else "There is none."
