"""What all command lines share: flags, help, the log, errors in one line, exit status."""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence

from absl import flags

from hub_estimator import command_failures, command_signals, compat, errors, texts

OK, FAILED, USAGE = 0, 1, 2


def run(
    command: Callable[[flags.FlagValues], None],
    values: flags.FlagValues,
    argv: Sequence[str],
    doc: str,
) -> int:
    """Parses flags and runs a command.

    Args:
      command: what to do, given the parsed flags.
      values: the flags, defined but not parsed.
      argv: the program's name and its flags.
      doc: what `--help` says before it lists the flags.

    Returns:
      The exit status: 0 for success, 1 for an error, 2 for wrong flags, 130 and 143 after a signal.
    """
    try:
        with command_signals.raising():
            return _run(command, values, argv, doc)
    except KeyboardInterrupt as interrupt:
        number = getattr(interrupt, "signal", signal.SIGINT)
        return _fail(command_signals.MESSAGE, command_signals.status(number))


def main(run: Callable[[Sequence[str]], int]) -> None:
    """Runs a command as this process, and ends it with the command's status.

    Args:
      run: the command's `run`.
    """
    status = run(sys.argv)
    command_signals.ignore()
    sys.exit(status)


def asks_for_help(argv: Sequence[str]) -> bool:
    """Whether a command line asks what its flags are."""
    return bool({"--help", "-help", "-h", "--helpfull"} & set(argv[1:]))


def without_words(
    values: flags.FlagValues, argv: Sequence[str]
) -> tuple[list[str] | None, Sequence[str]]:
    """Returns what of a command line is no flag, and the command line without it.

    Args:
      values: the flags, defined but not parsed.
      argv: the program's name, flags, and words between them.

    Returns:
      None, and the whole command line, where a flag is wrong, which `run` reports.
    """
    try:
        words = values(list(argv))[1:]
    except flags.Error:
        return None, argv
    given = [values[name].serialize() for name in values if values[name].present]
    return words, [argv[0], *given]


def _run(
    command: Callable[[flags.FlagValues], None],
    values: flags.FlagValues,
    argv: Sequence[str],
    doc: str,
) -> int:
    try:
        if asks_for_help(argv):
            print(f"{doc.strip()}\n\nFlags:\n{values.get_help(prefix='  ')}")
            return OK
        wrong = _parse(values, argv)
        if wrong is not None:
            return _fail(wrong, USAGE)
        with _log(), _silent_threads():
            command(values)
    except errors.InterruptedRunError as error:
        return _fail(str(error), command_signals.status(error.signal))
    except errors.Error as error:
        return _fail(str(error), FAILED)
    except BrokenPipeError:
        return _without_reader()
    except Exception as error:
        message = command_failures.message(error)
        if message is None:  # a fault: its traceback tells where
            raise
        return _fail(message, FAILED)
    return OK


def _parse(values: flags.FlagValues, argv: Sequence[str]) -> str | None:
    """Parses flags; returns what is wrong with them."""
    try:
        extra = values(list(argv))[1:]
    except flags.Error as error:
        return str(error)
    return f"Unexpected arguments: {' '.join(extra)}. Flags start with --." if extra else None


def _without_reader() -> int:
    """Returns the status where nobody reads the output any more, as after `| head`."""
    # Else the interpreter writes what is left when it ends, and fails again.
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
    return FAILED


class _OneLineFormatter(logging.Formatter):
    """Formats each message as one line, since parts of it may come from outside."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        """Returns the line without the traceback, which is ours."""
        record.message = texts.one_line(record.message)
        return super().formatMessage(record)


@contextlib.contextmanager
def _log() -> Iterator[None]:
    """Shows this package's log, and of TensorFlow's only warnings; must precede its import."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    logging.getLogger("tensorflow").setLevel(logging.WARNING)
    logger = logging.getLogger("hub_estimator")
    handler = logging.StreamHandler()
    handler.setFormatter(_OneLineFormatter("%(asctime)s %(message)s", "%H:%M:%S"))
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)


@contextlib.contextmanager
def _silent_threads() -> Iterator[None]:
    """Keeps what the system refused to a thread from being shown twice.

    The threads that write TensorBoard's logs end by it; the command then fails of the same.
    """
    show = threading.excepthook

    def show_faults(args: threading.ExceptHookArgs) -> None:
        error = args.exc_value
        if not isinstance(error, Exception) or command_failures.message(error) is None:
            show(args)

    threading.excepthook = show_faults
    try:
        yield
    finally:
        threading.excepthook = show


def with_optional_value(argv: Sequence[str], name: str) -> list[str]:
    """Returns arguments in which a flag that was given alone has a value, the empty one.

    absl knows no flags whose value may be left out. The next argument is the value, where it does not
    start with `-`: this is for commands that take nothing but flags.

    Args:
      argv: the program's name and its flags.
      name: of the flag, which is one of texts.
    """
    found: list[str] = []
    for argument in argv:
        if found and found[-1] in (f"--{name}", f"-{name}"):
            value = "" if argument.startswith("-") else argument
            found[-1] = f"--{name}={value}"
            if value:
                continue
        found.append(argument)
    if found[-1] in (f"--{name}", f"-{name}"):
        found[-1] = f"--{name}="
    return found


def define_model_dir(values: flags.FlagValues, what: str, but_with: Sequence[str] = ()) -> None:
    """Adds the flag `--model_dir`, which is required.

    Args:
      values: the flags.
      what: its help.
      but_with: the flags with each of which it is not required.
    """
    flags.DEFINE_string("model_dir", None, what, flag_values=values)
    flags.register_validator(
        "model_dir",
        lambda value: value is not None or any(values[name].value not in (None, False) for name in but_with),
        "Flag --model_dir must have a value other than None.", flag_values=values,
    )  # fmt: skip
    flags.register_validator(
        "model_dir", lambda value: value != "", "It is empty; give it a path.", flag_values=values
    )


def define_allow_import(values: flags.FlagValues) -> None:
    """Adds the flag `--allow_import`.

    Args:
      values: the flags.
    """
    flags.DEFINE_multi_string(
        "allow_import", [], "A module of Python to import, so that a model folder's configuration "
        "can name what it registers: your own, or one that you trust. May be repeated.",
        flag_values=values,
    )  # fmt: skip


def start_tensorflow() -> None:
    """Loads TensorFlow, and makes the parts of a model configurable.

    What a configuration imports finds legacy Keras as `tf.keras`, as Estimators need it.
    """
    compat.choose_legacy_keras()
    with quiet_start(), without_looking_for_garbage():
        import tensorflow as tf

        from hub_estimator.training import configurables

        configurables.register()
        tf.config.list_physical_devices()  # where there is no GPU, looking for one is noisy


@contextlib.contextmanager
def without_looking_for_garbage() -> Iterator[None]:
    """Keeps Python's garbage collector off while TensorFlow is loaded, of which it takes a quarter.

    What is loaded then stays for good, and is never looked through again.
    """
    if "tensorflow" in sys.modules or not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
        gc.freeze()
    finally:
        gc.enable()


@contextlib.contextmanager
def quiet_start() -> Iterator[None]:
    """Hides what TensorFlow's libraries write to standard error while they are loaded.

    They do that before any setting of the log can reach them. It is shown when loading fails, or
    when the environment variable TF_CPP_MIN_LOG_LEVEL asks for it with 0 or 1.
    """
    if os.environ.get("TF_CPP_MIN_LOG_LEVEL", "2") < "2":
        with command_signals.ending(2):
            yield
        return
    sys.stderr.flush()
    shown = os.dup(2)
    with tempfile.TemporaryFile() as hidden:
        os.dup2(hidden.fileno(), 2)
        try:
            with command_signals.ending(shown):
                yield
        except BaseException:
            hidden.seek(0)
            os.write(shown, hidden.read())
            raise
        finally:
            os.dup2(shown, 2)
            os.close(shown)


def _fail(message: str, status: int) -> int:
    print(f"error: {texts.one_line(message)}", file=sys.stderr)
    return status
