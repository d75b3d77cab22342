"""Settings from gin files and bindings: found from any folder, checked, and forgotten after the run.

    with config.gin_session(["text_classification.gin"], ["MODULE = '/modules/mine'"]) as session:
        run = gin.get_configurable("train_and_evaluate")
        ...
        session.check_all_read()

Everything here goes through gin's public functions. Nothing else in the package needs gin.
"""

from __future__ import annotations

import contextlib
import dataclasses
import difflib
import inspect
import io
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from hub_estimator import errors, files

_INCLUDE = re.compile(r"""^\s*include\s+(['"])(?P<name>.+?)\1\s*(#.*)?$""")
_REQUIRED = "%gin.REQUIRED"
# What gin appends to an exception that passes through a function it configures.
_CALL_CHAIN = "\n  In call to configurable "
_MISSING_ARGUMENTS = re.compile(
    r"missing \d+ required (?:positional|keyword-only) arguments?: (?P<names>.*)\n"
    r"(?:.*\n)*?  In call to configurable '(?P<owner>[^']+)'"
)

# Gin's registry belongs to the process and has no public listing, so this table of what
# `add_configurable` put there, which suggestions are made from, belongs to the process too: the
# parameters of each configurable, with their defaults.
_known: dict[str, dict[str, Any]] = {}


def add_configurable(
    function: Callable[..., Any],
    name: str | None = None,
    module: str = "hub_estimator",
    denylist: Sequence[str] = (),
) -> None:
    """Makes a function or class configurable by gin; adding it again changes nothing.

    Args:
      function: the function or class; it works unchanged where it is called without gin.
      name: its name in gin files; by default its own.
      module: what comes before the name where the name alone is ambiguous.
      denylist: parameters that the run gives and no configuration may set.
    """
    import gin

    name = name or function.__name__
    if name in _known:
        return
    with gin.unlock_config():
        gin.external_configurable(function, name=name, module=module, denylist=list(denylist))
    _known[name] = {
        each.name: each.default
        for each in inspect.signature(function).parameters.values()
        if each.name not in denylist
        and each.kind in (each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY)
    }


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


@dataclasses.dataclass(frozen=True)
class Session:
    """A parsed configuration, as long as its `gin_session` lasts.

    Attributes:
      optional_macros: macros that the files use and no binding gives. What used them may have been
        given another value since, so they may have no effect.
    """

    optional_macros: frozenset[str] = frozenset()

    def check_all_read(self) -> None:
        """Checks that every binding had an effect so far; optional macros need none.

        Raises:
          errors.UnreadBindingError: some had none; the message names them and near ones.
        """
        unread = [each for each in unread_bindings() if str(each) not in self.optional_macros]
        if unread:
            raise errors.UnreadBindingError(_unread_message(unread))

    def operative_text(self) -> str:
        """Returns the configuration that had an effect so far, as the text of a gin file."""
        import gin

        return gin.operative_config_str(max_line_length=100)

    def macros_read(self) -> frozenset[str]:
        """Returns the macros that had an effect so far."""
        return frozenset(str(each) for each in _statements(self.operative_text()) if each.is_macro)

    def call(self, name: str, **arguments: Any) -> Any:
        """Calls what `add_configurable` added as `name`, with its settings.

        Args:
          name: the name in gin files.
          **arguments: what the run gives rather than the configuration.

        Raises:
          errors.MissingSettingError: the configuration lacks what something cannot do without.
        """
        import gin

        function = gin.get_configurable(name)
        try:
            return function(**arguments)
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


@contextlib.contextmanager
def gin_session(gin_files: Sequence[str] = (), bindings: Sequence[str] = ()) -> Iterator[Session]:
    """Parses gin files, then bindings, for the time of a `with` block.

    Args:
      gin_files: paths, or names of packaged configurations; later ones override earlier ones.
      bindings: `"name.parameter = value"` or `"MACRO = value"`; they override the files.

    Yields:
      The `Session`.

    Raises:
      errors.ConfigFileNotFoundError: a file or an included file is not there.
      errors.UnknownSettingError: there is no such configurable, parameter or macro.
      errors.MissingSettingError: something is still `%gin.REQUIRED`.
      errors.ConfigError: a line cannot be parsed.
    """
    import gin

    gin.clear_config()
    try:
        yield Session(_parse_all(gin_files, bindings))
    finally:
        gin.clear_config()


def packaged_folders() -> list[str]:
    """Returns the folders with the configurations that come with the package."""
    package = os.path.dirname(os.path.abspath(__file__))
    places = [os.path.join(package, "configs"), os.path.join(os.path.dirname(package), "configs")]
    # A folder `configs` beside an installed package would be another project's.
    return [place for place in places if os.path.exists(os.path.join(place, "base.gin"))]


def find_file(name: str, beside: str | None = None) -> str:
    """Returns the path of a gin file.

    Args:
      name: a path, or the name of a packaged configuration.
      beside: the file that includes it, whose folder is searched too.

    Raises:
      errors.ConfigFileNotFoundError: it is in none of the places; the message lists packaged ones.
    """
    folders = [os.path.dirname(beside)] if beside else []
    candidates = [os.path.join(folder, name) for folder in [*folders, *packaged_folders()]]
    for path in [files.as_path(name), *candidates]:
        if files.exists(path) and not files.is_folder(path):
            return path
    packaged = sorted({each for place in packaged_folders() for each in files.listing(place)})
    names = ", ".join(each for each in packaged if each.endswith(".gin"))
    included = f", included by {beside!r}" if beside else ""
    raise errors.ConfigFileNotFoundError(
        f"There is no gin file {name!r}{included}. Give a path, or one of the packaged "
        f"configurations: {names}."
    )


def unread_bindings() -> list[Binding]:
    """Returns the bindings that nothing has read, as far as the program has run.

    One that only repeats a parameter's default is left out: operative configurations have those of
    every part that was used, and a run may use other parts.
    """
    import gin

    bound = _statements(gin.config_str())
    unread = set(bound)
    for used in _statements(gin.operative_config_str()):
        readers = [binding for binding in bound if binding.is_read_by(used)]
        if readers:  # The innermost scope wins; those outside of it are not read by this use.
            unread.discard(max(readers, key=lambda binding: len(binding.scope)))
    return sorted((each for each in unread if not _is_default(each)), key=str)


def own_message(error: BaseException) -> str:
    """Returns an error's message without the call chain that gin appends to it."""
    return str(error).split(_CALL_CHAIN, 1)[0]


def _is_default(binding: Binding) -> bool:
    parameters = _known.get(binding.selector.rsplit(".", 1)[-1], {})
    missing = object()
    return bool(parameters.get(binding.parameter, missing) == binding.value)


def _within(inner: Binding, outer: Binding) -> bool:
    return not outer.scope or f"{inner.scope}/".startswith(f"{outer.scope}/")


class _NamedText(io.StringIO):
    """Text that tells gin's messages which file it is from."""

    def __init__(self, text: str, name: str) -> None:
        super().__init__(text)
        self.name = name


def _parse_all(gin_files: Sequence[str], bindings: Sequence[str]) -> frozenset[str]:
    """Parses everything; returns the session's optional macros."""
    import gin

    used: set[str] = set()
    for name in gin_files:
        used |= _parse_file(find_file(name), ())
    for binding in bindings:
        with _clear_errors(f"the binding {binding!r}"):
            gin.parse_config(binding)
    _check_complete()
    with _clear_errors("the configuration"):
        gin.finalize()
    return frozenset(used - {str(each) for text in bindings for each in _statements(text)})


def _parse_file(path: str, including: tuple[str, ...]) -> set[str]:
    """Parses a file and those that it includes; returns the macros that they use."""
    # Gin would search for included files in its own places only, so they are taken out here; the
    # empty lines keep the line numbers of its messages.
    if path in including:
        raise errors.ConfigError(f"{path!r} includes itself: {' > '.join([*including, path])}.")
    lines = _read_text(path).splitlines(keepends=True)
    used: set[str] = set()
    start = 0
    for number, line in enumerate(lines):
        include = _INCLUDE.match(line)
        if include:
            used |= _parse_text(path, "\n" * start + "".join(lines[start:number]))
            used |= _parse_file(find_file(include["name"], beside=path), (*including, path))
            start = number + 1
    return used | _parse_text(path, "\n" * start + "".join(lines[start:]))


def _read_text(path: str) -> str:
    try:
        content = files.read_bytes(path)
    except OSError as error:
        raise errors.ConfigError(f"The gin file {path!r} cannot be read: {error}.") from error
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise errors.ConfigError(
            f"The gin file {path!r} is not UTF-8: byte 0x{content[error.start]:02x} in line "
            f"{line}. Save it as UTF-8."
        ) from error


def _parse_text(path: str, text: str) -> set[str]:
    import gin

    with _clear_errors(repr(path)):
        gin.parse_config(_NamedText(text, path))
    used: set[str] = set()
    _statements(text, used)
    return used


@contextlib.contextmanager
def _clear_errors(where: str) -> Iterator[None]:
    try:
        yield
    except errors.Error:
        raise
    except (ValueError, RuntimeError, SyntaxError, ImportError) as error:
        raise _clear_error(error, where) from error


def _clear_error(error: Exception, where: str) -> errors.ConfigError:
    message = str(error)
    line = re.search(r"\bline (\d+)", message)
    # A binding's line number would be that of the whole command line's bindings.
    place = f"{where}, line {line[1]}" if line and where.startswith(("'", '"')) else where
    unknown = re.search(r"No configurable matching (?:reference )?'@?([^'()]+)", message)
    if unknown:
        name = unknown[1].rsplit("/", 1)[-1]
        return errors.UnknownSettingError(
            f"Nothing configurable is called {name!r} ({place}). {_suggest(name, _known)}"
        )
    parameter = re.search(r"Configurable '(.+)' doesn't have a parameter named '(.+)'", message)
    if parameter:
        has = _known.get(parameter[1].rsplit(".", 1)[-1], {})
        return errors.UnknownSettingError(
            f"{parameter[1]} has no parameter {parameter[2]!r} ({place}). "
            f"{_suggest(parameter[2], has)}"
        )
    undefined = re.search(r"No bindings specified for '(.+)/gin\.macro'", message)
    if undefined:
        return errors.UnknownSettingError(
            f"The configuration uses %{undefined[1]}, which it does not define. "
            f"{_suggest(undefined[1], _macros())}"
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


def _check_complete() -> None:
    import gin

    bound = _statements(gin.config_str())
    missing = [str(binding) for binding in bound if binding.value == _REQUIRED]
    if missing:
        flags = " ".join(f'--gin_bindings="{name}=..."' for name in missing)
        raise errors.MissingSettingError(
            f"The configuration needs {', '.join(missing)}. Give it in a gin file or by {flags}."
        )


def _macros() -> list[str]:
    import gin

    return [str(each) for each in _statements(gin.config_str()) if each.is_macro]


def _statements(text: str, used_macros: set[str] | None = None) -> list[Binding]:
    """Returns the bindings in a text; adds the macros that their values use to a set."""
    from gin import config_parser

    class Delegate(config_parser.ParserDelegate):
        def configurable_reference(self, scoped_configurable_name: str, evaluate: bool) -> str:
            return f"@{scoped_configurable_name}" + ("()" if evaluate else "")

        def macro(self, macro_name: str) -> str:
            if used_macros is not None:
                used_macros.add(macro_name)
            return f"%{macro_name}"

    return [
        Binding(
            statement.scope or "", statement.selector, statement.arg_name or "", statement.value
        )
        for statement in config_parser.ConfigParser(text, Delegate())
        if isinstance(statement, config_parser.BindingStatement)
    ]


def _unread_message(unread: list[Binding]) -> str:
    import gin

    read = _statements(gin.operative_config_str())
    lines = []
    for binding in unread:
        # Macros are mistaken for macros, parameters for parameters.
        known = {str(each) for each in read if each.is_macro == binding.is_macro}
        lines.append(f"{binding} ({_suggest(str(binding), known)})")
    return (
        f"Nothing reads {'this setting' if len(unread) == 1 else 'these settings'}: "
        f"{'; '.join(lines)} Correct the name, or remove the binding."
    )


def _suggest(name: str, known: Iterable[str]) -> str:
    known = sorted(known)
    lower = {each.lower(): each for each in known}
    near = [lower[each] for each in difflib.get_close_matches(name.lower(), lower, n=3, cutoff=0.6)]
    if near:
        return f"Did you mean {' or '.join(near)}?"
    return f"There is: {', '.join(known)}." if known else "There is none."
