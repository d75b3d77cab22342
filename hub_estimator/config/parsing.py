"""Parses gin files, those that they include, and bindings; gin itself finds no file.

What a user names is the user's own, and may import and include; but see `operative` for that of a
model folder.
"""

from __future__ import annotations

import dataclasses
import importlib
import io
import traceback
from collections.abc import Sequence

from hub_estimator import errors, files, texts
from hub_estimator.config import bindings, operative, statements
from hub_estimator.config.finding import find_file, read_text
from hub_estimator.config.messages import clear_parse_errors
from hub_estimator.config.origin import ConfigOrigin
from hub_estimator.config.statements import (
    GIN_FEATURES,
    Binding,
    Import,
    Include,
    Reference,
    Statement,
)
from hub_estimator.config.syntax import place
from hub_estimator.config.uses import Uses

REQUIRED = Reference("", "gin.REQUIRED", is_macro=True)
"""The value of what somebody must give another one."""
_DEEPEST = 50  # of files that include one another
_MOST_FILES = 1000


@dataclasses.dataclass(frozen=True)
class Parsed:
    """What the texts of a configuration have beside their bindings.

    Attributes:
      given: the names of what the bindings set, beside the files.
      used: the macros and parts that the files use, and what they require and nothing reads.
      imports: the modules that the texts, and the caller, had imported.
      files: the files that were read, in the order of their beginnings.
    """

    given: frozenset[str]
    used: frozenset[Reference]
    imports: tuple[str, ...]
    files: tuple[ReadFile, ...]


@dataclasses.dataclass(frozen=True)
class ReadFile:
    """A gin file that was read.

    Attributes:
      path: where it is.
      depth: how many files include it, one in the other.
      text: what is in it.
    """

    path: str
    depth: int
    text: str


class NotYetKnownError(Exception):
    """What is right in a text is only known once something was imported."""


def parse_all(
    gin_files: Sequence[str],
    given: Sequence[str],
    allowed_imports: Sequence[str] = (),
    is_early: bool = False,
    is_complete: bool = True,
) -> Parsed:
    """Parses files and then bindings.

    Args:
      gin_files: the files.
      given: the bindings.
      allowed_imports: modules to import before.
      is_early: whether to import nothing, to warn of nothing, and to read no remote files, for which
        TensorFlow is needed.
      is_complete: see `gin_session`.

    Raises:
      errors.ConfigError: see `gin_session`.
      NotYetKnownError: it is early, and something needs an import.
    """
    import gin

    reader = read_all(gin_files, given, allowed_imports, is_early)
    unneeded: set[Reference] = set()
    if is_complete:
        unneeded = _check_complete(reader.used)
        with clear_parse_errors("the configuration", reader.hint):
            gin.finalize()
    imports = tuple(dict.fromkeys(reader.imports))
    return Parsed(
        frozenset(reader.given), frozenset(reader.used | unneeded), imports, tuple(reader.files)
    )


def read_all(
    gin_files: Sequence[str],
    given: Sequence[str],
    allowed_imports: Sequence[str] = (),
    is_early: bool = False,
) -> Reader:
    """Has gin read files and then bindings, which need not be complete; see `parse_all`."""
    reader = Reader(allowed_imports, is_early)
    for module in allowed_imports:
        reader.run_import(module, f"--allow_import={module}")
    for name in gin_files:
        reader.read_file(reader.find_file(name), ())
    for binding in given:
        reader.read_binding(binding)
    return reader


class _NamedText(io.StringIO):
    """Text that tells gin's messages which file it is from."""

    def __init__(self, text: str, name: str) -> None:
        super().__init__(text)
        self.name = name


class Reader:
    """Reads texts one after the other.

    Args:
      allowed_imports: what the configuration of a model folder may import.
      is_early: see `parse_all`.

    Attributes:
      given: the names of what the bindings set.
      used: the macros and parts that the files use.
      imports: what was imported.
      files: the files that were read.
      hint: what to do where something is named that nobody registered; empty if nothing.
    """

    def __init__(self, allowed_imports: Sequence[str], is_early: bool) -> None:
        self.given: set[str] = set()
        self.used: set[Reference] = set()
        self.imports: list[str] = []
        self.files: list[ReadFile] = []
        self.hint = ""
        self._allowed = frozenset(allowed_imports)
        self._is_early = is_early
        self._number = 0

    def find_file(self, name: str, beside: str | None = None) -> str:
        """Returns the path of a file; see `finding.find_file`."""
        if self._is_early and (files.is_remote(name) or (beside and files.is_remote(beside))):
            raise NotYetKnownError(name)
        return find_file(name, beside)

    def read_file(self, path: str, including: tuple[str, ...]) -> None:
        """Reads a file, and those that it includes where it includes them."""
        self._check_place(path, including)
        text = read_text(path)
        self.files.append(ReadFile(path, len(including), text))
        found = statements.parse(text, repr(path))
        self._note_uses(found)
        if operative.is_operative(path):
            self._read_operative(path, text, found)
            return
        # Gin would search for included files in its own places only, so they are taken out here.
        start = 1
        for include in [statement for statement in found if isinstance(statement, Include)]:
            self._run(path, text, found, start, include.line)
            inner = self.find_file(include.name, beside=path)
            self.read_file(inner, (*including, path))
            start = include.end
        self._run(path, text, found, start, None)

    def read_binding(self, text: str) -> None:
        """Reads what a user gave on the command line."""
        import gin

        where = f"the binding {texts.shown(text)}"
        found = statements.parse(text, where)
        for statement in found:
            if isinstance(statement, Include):
                raise errors.ConfigError(
                    f"A binding includes no file ({where}). Give that by --gin_file."
                )
            if isinstance(statement, Import):
                self._import(statement, where)
            else:
                self.given.add(str(statement))
        with clear_parse_errors(where, found=found):
            gin.parse_config(text)

    def run_import(self, module: str, where: str) -> None:
        """Imports a module, so that what it registers can be named."""
        if self._is_early:
            raise NotYetKnownError(module)
        self.imports.append(module)
        try:
            importlib.import_module(module)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # a module may raise anything, and exit
            reason = traceback.format_exception_only(error)[-1].strip().rstrip(".")
            raise errors.ConfigError(f"Importing {module} fails ({where}): {reason}.") from error

    def _check_place(self, path: str, including: tuple[str, ...]) -> None:
        way = " > ".join([*including, path])
        if any(files.is_same(path, outer) for outer in including):
            raise errors.ConfigError(f"{path!r} includes itself: {way}.")
        self._number += 1
        if len(including) > _DEEPEST or self._number > _MOST_FILES:
            raise errors.ConfigError(
                f"{path!r} is one file too many: at most {_DEEPEST} may include one another, and "
                f"{_MOST_FILES} be included in all. It is included by {' > '.join(including)}."
            )

    def _note_uses(self, found: Sequence[Statement]) -> None:
        for statement in found:
            if isinstance(statement, Binding):
                self.used.update(statements.references(statement.value))

    def _run(
        self, path: str, text: str, found: Sequence[Statement], start: int, end: int | None
    ) -> None:
        """Has gin parse the lines of a file from one to before another one."""
        for statement in found:
            if (
                isinstance(statement, Import)
                and start <= statement.line
                and (end is None or statement.line < end)
            ):
                self._import(statement, place(repr(path), statement.line))
        # The empty lines keep the line numbers of gin's messages.
        lines = text.split("\n")[start - 1 : None if end is None else end - 1]
        _parse(path, "\n" * (start - 1) + "\n".join(lines), found)

    def _import(self, statement: Import, where: str) -> None:
        if statement.module.startswith(GIN_FEATURES):
            feature = statement.module.removeprefix(GIN_FEATURES)
            raise errors.ConfigError(
                f"Gin's {feature} is not supported ({where}): what it registers could not be named "
                "when the model folder is read. Register the part in its module, with "
                "@gin.configurable, and import that."
            )
        self.run_import(statement.module, where)

    def _read_operative(self, path: str, text: str, found: Sequence[Statement]) -> None:
        operative.check(path, found, self._allowed)
        origin = ConfigOrigin.read(text)
        self.hint = operative.import_hint(origin, self._allowed)
        _parse(path, text, found, self.hint)
        left_out = operative.adapt(path, origin, found)
        if not self._is_early:
            operative.warn(path, left_out)


def _parse(path: str, text: str, found: Sequence[Statement], hint: str = "") -> None:
    import gin

    with clear_parse_errors(repr(path), hint, found):
        gin.parse_config(_NamedText(text, path))


def _check_complete(used: set[Reference]) -> set[Reference]:
    """Checks that all is given that must be; returns the macros that need not, as nothing reads
    them: they become None, for gin would insist on them."""
    import gin

    bound = bindings.bound()
    uses = Uses(bound)
    uses.walk_all(used)
    required = [binding for binding in bound if binding.value == REQUIRED]
    missing = [str(binding) for binding in required if binding in uses.reached]
    if missing:
        flags = " ".join(f'--gin_bindings="{name}=..."' for name in missing)
        raise errors.MissingSettingError(
            f"The configuration needs {', '.join(missing)}. Give it in a gin file or by {flags}."
        )
    for binding in required:
        gin.bind_parameter(f"%{binding}" if binding.is_macro else str(binding), None)
    return {Reference("", str(binding), is_macro=True) for binding in required if binding.is_macro}
