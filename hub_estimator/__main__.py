"""Lists the commands of this package.

python -m hub_estimator
"""

from __future__ import annotations

import ast
import contextlib
import difflib
import pkgutil
import sys
from collections.abc import Sequence

import hub_estimator
from hub_estimator import command_line, texts
from hub_estimator.version import __version__

_PACKAGE = "hub_estimator"
_HELP = ("--help", "-help", "-h", "--helpfull", "help")
_VERSION = ("--version", "-version", "version")


def commands() -> dict[str, str]:
    """Returns the first line of what each command says of itself, by its name; imports none."""
    names = sorted(module.name for module in pkgutil.iter_modules(hub_estimator.__path__))
    texts = {name: _source(name) for name in names if name != "__main__"}
    return {
        name: str(ast.get_docstring(text)).partition("\n")[0]
        for name, text in texts.items()
        if text is not None and _is_program(text)
    }


def run(argv: Sequence[str]) -> int:
    """Lists the commands, or says which one a word is like; runs none.

    Args:
      argv: the program's name, and nothing, `--help`, `--version`, or the name of a command.

    Returns:
      The exit status: 0; or 2, where something else was given.
    """
    words = argv[1:]
    if not words or words[0] in _HELP:
        print(_listing())
        return command_line.OK
    if words[0] in _VERSION:
        print(f"{_PACKAGE} {__version__}")
        return command_line.OK
    print(f"error: {_wrong(words[0])}", file=sys.stderr)
    return command_line.USAGE


def _listing() -> str:
    """Returns the commands with what each does."""
    found = commands()
    width = max(map(len, found))
    lines = [f"  {name:{width}}  {what}" for name, what in found.items()]
    return "\n".join(
        [
            f"{_PACKAGE} {__version__}. Commands:",
            "",
            *lines,
            "",
            f"python -m {_PACKAGE}.<command> runs one; with --help it says more, and lists its flags.",
            f"python -m {_PACKAGE}.train --list_settings lists what gin files can set.",
        ]
    )


def _wrong(word: str) -> str:
    """Returns what to do instead of giving a word."""
    found = list(commands())
    near = difflib.get_close_matches(word.lower(), found, n=1)
    if word in found:
        return f"Commands are modules of their own: python -m {_PACKAGE}.{word}."
    if near:
        return (
            f"There is no command {texts.shown(word)}. Did you mean python -m {_PACKAGE}.{near[0]}?"
        )
    return f"There is no command {texts.shown(word)}. There is: {', '.join(found)}."


def _source(name: str) -> ast.Module | None:
    """Returns the source that Python runs for a name; None for a folder of modules that is no program."""
    for path in (f"{name}.py", f"{name}/__main__.py"):
        with contextlib.suppress(FileNotFoundError):
            source = pkgutil.get_data(_PACKAGE, path)
            return None if source is None else ast.parse(source)
    return None


def _is_program(text: ast.Module) -> bool:
    """Whether a module does something where Python runs it with -m."""
    tests = [ast.unparse(node.test) for node in text.body if isinstance(node, ast.If)]
    return "__name__ == '__main__'" in tests


if __name__ == "__main__":
    command_line.main(run)
