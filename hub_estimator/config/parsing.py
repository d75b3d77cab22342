"""Parses gin files, those that they include, and bindings; gin itself finds no file."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence

from hub_estimator import errors
from hub_estimator.config import bindings
from hub_estimator.config.finding import find_file, read_text
from hub_estimator.config.messages import clear_parse_errors

_INCLUDE = re.compile(r"""^\s*include\s+(['"])(?P<name>.+?)\1\s*(#.*)?$""")
_REQUIRED = "%gin.REQUIRED"


def parse_all(gin_files: Sequence[str], given: Sequence[str]) -> frozenset[str]:
    """Parses files and then bindings; returns the macros and the `@parts` that the files use.

    Raises:
      errors.ConfigError: see `gin_session`.
    """
    import gin

    used: set[str] = set()
    for name in gin_files:
        used |= _parse_file(find_file(name), ())
    for binding in given:
        with clear_parse_errors(f"the binding {binding!r}"):
            gin.parse_config(binding)
    _check_complete()
    with clear_parse_errors("the configuration"):
        gin.finalize()
    return frozenset(used)


class _NamedText(io.StringIO):
    """Text that tells gin's messages which file it is from."""

    def __init__(self, text: str, name: str) -> None:
        super().__init__(text)
        self.name = name


def _parse_file(path: str, including: tuple[str, ...]) -> set[str]:
    """Parses a file and those that it includes; returns what they use."""
    # Gin would search for included files in its own places only, so they are taken out here; the
    # empty lines keep the line numbers of its messages.
    if path in including:
        raise errors.ConfigError(f"{path!r} includes itself: {' > '.join([*including, path])}.")
    lines = read_text(path).splitlines(keepends=True)
    used: set[str] = set()
    start = 0
    for number, line in enumerate(lines):
        include = _INCLUDE.match(line)
        if include:
            used |= _parse_text(path, "\n" * start + "".join(lines[start:number]))
            used |= _parse_file(find_file(include["name"], beside=path), (*including, path))
            start = number + 1
    return used | _parse_text(path, "\n" * start + "".join(lines[start:]))


def _parse_text(path: str, text: str) -> set[str]:
    import gin

    with clear_parse_errors(repr(path)):
        gin.parse_config(_NamedText(text, path))
    used: set[str] = set()
    bindings.statements(text, used)
    return used


def _check_complete() -> None:
    missing = [str(binding) for binding in bindings.bound() if binding.value == _REQUIRED]
    if missing:
        flags = " ".join(f'--gin_bindings="{name}=..."' for name in missing)
        raise errors.MissingSettingError(
            f"The configuration needs {', '.join(missing)}. Give it in a gin file or by {flags}."
        )
