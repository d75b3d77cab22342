"""Runs a program for TensorFlow 1 as it is, on the TensorFlow that is installed.

    python -m hub_estimator.run program.py [ARGUMENT...]
    python -m hub_estimator.run -m package.module [ARGUMENT...]

In the program `import tensorflow` gives the names and the behaviour of TensorFlow 1 with
tf.estimator, and of tf.contrib what is elsewhere today; `import tensorflow_hub` gives hub_estimator.
All else is as with `python program.py`: arguments, output, tracebacks, signals.

Exit status: the program's own; 2 where there is no such program.
"""

from __future__ import annotations

import builtins
import importlib.util
import itertools
import os
import runpy
import sys
from collections.abc import Iterator, Sequence
from importlib.machinery import SourceFileLoader
from types import ModuleType, TracebackType

from hub_estimator import command_line, compat, errors

NO_PROGRAM = "Name a program: python -m hub_estimator.run program.py, or -m package.module."
UNKNOWN_FLAG = "There is no flag %s. Flags of the program come after its name."
NO_FILE = "The program %s cannot be read: %s."
NO_MODULE = "There is no module %s, neither in this folder nor among what is installed."

_HELP = frozenset({"--help", "-help", "-h", "--helpfull"})
_MODULE = "-m"
_MAIN = "__main__"


def run(argv: Sequence[str]) -> int:
    """Runs the program that a command line names, as this process.

    Args:
      argv: the name of this command, the program, the program's arguments.

    Returns:
      The exit status, where the program came to its end.
    """
    first = argv[1] if len(argv) > 1 else ""
    if first in _HELP:
        print(str(__doc__).strip())
        return command_line.OK
    if first == _MODULE and len(argv) > 2:
        return _run_module(argv[2:])
    if not first or first == _MODULE:
        return _fail(NO_PROGRAM)
    if first.startswith("-"):
        return _fail(UNKNOWN_FLAG % first)
    return _run_file(argv[1:])


def _run_file(words: Sequence[str]) -> int:
    """Runs a file as the main module, which it stays until the interpreter has ended."""
    loader = SourceFileLoader(_MAIN, os.path.abspath(words[0]))
    try:
        source = loader.get_data(loader.path)
    except OSError as error:
        return _fail(NO_FILE % (words[0], error.strerror))
    _prepare()
    sys.argv[:] = words
    if not getattr(sys.flags, "safe_path", False):  # new in Python 3.11
        sys.path[0] = os.path.dirname(os.path.realpath(loader.path))
    main = ModuleType(_MAIN)
    # As Python itself sets them; `__spec__` and `__package__` are None.
    vars(main).update(
        __builtins__=builtins, __cached__=None, __file__=loader.path, __loader__=loader
    )
    sys.modules[_MAIN] = main
    code = compile(source, loader.path, "exec", dont_inherit=True)
    exec(code, vars(main))  # noqa: S102 - the user's own program is what this is for
    return command_line.OK


def _run_module(words: Sequence[str]) -> int:
    """Runs a module as the main module."""
    _prepare(package=words[0].partition(".")[0])
    try:
        spec = importlib.util.find_spec(words[0])  # imports the package that it is in
    except ModuleNotFoundError as error:
        if error.name is None or not f"{words[0]}.".startswith(f"{error.name}."):
            raise
        spec = None
    if spec is None:
        return _fail(NO_MODULE % words[0])
    sys.argv[:] = words
    runpy.run_module(words[0], run_name=_MAIN, alter_sys=True)
    return command_line.OK


def _prepare(package: str = "") -> None:
    sys.excepthook = _show
    compat.give_programs_tf1(_install, package)


def _install() -> None:
    compat.install(tensorflow_hub=True, v1=True)


def _show(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    """Shows an error that the program did not handle, without the frames that are not its own."""
    for one in _chain(error, set()):
        one.__traceback__ = _of_program(one, one.__traceback__)
    sys.__excepthook__(kind, error, error.__traceback__)


def _chain(error: BaseException | None, known: set[int]) -> Iterator[BaseException]:
    """Returns an error and those in whose handling it was raised."""
    if error is None or id(error) in known:
        return
    known.add(id(error))
    yield error
    yield from _chain(error.__cause__, known)
    yield from _chain(error.__context__, known)


def _of_program(error: BaseException, traceback: TracebackType | None) -> TracebackType | None:
    """Returns a traceback that begins in the program and does not show how imports were answered.

    Where that answer is the error, it ends in the program too.
    """
    before_program = {__file__, runpy.run_module.__code__.co_filename}
    hook = str(sys.modules[compat.give_programs_tf1.__module__].__file__)
    answers = os.path.dirname(hook) if isinstance(error, errors.Error) else hook
    entries = itertools.dropwhile(lambda entry: _file(entry) in before_program, _entries(traceback))
    shown: TracebackType | None = None
    for entry in reversed([one for one in entries if not _file(one).startswith(answers)]):
        shown = TracebackType(shown, entry.tb_frame, entry.tb_lasti, entry.tb_lineno)
    return shown


def _file(entry: TracebackType) -> str:
    return entry.tb_frame.f_code.co_filename


def _entries(traceback: TracebackType | None) -> Iterator[TracebackType]:
    while traceback is not None:
        yield traceback
        traceback = traceback.tb_next


def _fail(message: str) -> int:
    print(f"error: {message}", file=sys.stderr)
    return command_line.USAGE


if __name__ == "__main__":
    sys.exit(run(sys.argv))
