"""What command lines share."""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading

import pytest
from absl import flags

from hub_estimator import command_line, errors

NO_SPACE = (
    "[Errno 28] No space left on device: 'a.csv'. Free or choose another place, and run the same "
    "command again."
)
INTERRUPTED = "Interrupted. Run the same command again."


@pytest.fixture
def values():
    return flags.FlagValues()


def fails(error):
    def command(values):
        raise error

    return command


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (errors.ModelError("It is\n  wrong."), 1, "It is wrong."),
        (errors.InterruptedRunError("Stopped.", signal.SIGINT), 130, "Stopped."),
        (errors.InterruptedRunError("Stopped.", signal.SIGTERM), 143, "Stopped."),
        (
            OSError(28, "No space left on device", "a.csv"),
            1,
            NO_SPACE,
        ),
        (KeyboardInterrupt(), 130, INTERRUPTED),
        (errors.StoppedAtOnceError(signal.SIGINT), 130, INTERRUPTED),
        (errors.StoppedAtOnceError(signal.SIGTERM), 143, INTERRUPTED),
    ],
)
def test_errors_are_one_line_and_a_status(values, capsys, error, status, message):
    assert command_line.run(fails(error), values, ["command"], "Does.") == status
    assert capsys.readouterr().err == f"error: {message}\n"


def test_faults_keep_their_traceback(values):
    with pytest.raises(ZeroDivisionError):
        command_line.run(fails(ZeroDivisionError()), values, ["command"], "Does.")


def test_what_the_system_refused_to_a_thread_is_said_once(values):
    def command(values):
        for error in (OSError(28, "No space left on device", "events"), ZeroDivisionError()):
            thread = threading.Thread(target=fails(error), args=[values])
            thread.start()
            thread.join()

    shown = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(threading, "excepthook", lambda args: shown.append(args.exc_type))
        assert command_line.run(command, values, ["command"], "Does.") == 0
    assert shown == [ZeroDivisionError]


def test_success(values):
    assert command_line.run(lambda values: None, values, ["command"], "Does.") == 0


@pytest.mark.parametrize("flag", ["--help", "-h", "--helpfull"])
def test_help(values, capsys, flag):
    flags.DEFINE_string("x", None, "The x.", flag_values=values, required=True)
    assert command_line.run(fails(ValueError()), values, ["command", flag], "Does.") == 0
    out = capsys.readouterr().out
    assert out.startswith("Does.\n\nFlags:\n") and "--x: The x." in out


def test_a_quiet_start_hides_what_libraries_write(capfd, monkeypatch):
    monkeypatch.delenv("TF_CPP_MIN_LOG_LEVEL", raising=False)
    with command_line.quiet_start():
        os.write(2, b"noise\n")
    os.write(2, b"shown\n")
    assert capfd.readouterr().err == "shown\n"


def test_a_failing_start_shows_it(capfd, monkeypatch):
    monkeypatch.delenv("TF_CPP_MIN_LOG_LEVEL", raising=False)
    with pytest.raises(ImportError), command_line.quiet_start():
        os.write(2, b"noise\n")
        raise ImportError
    assert capfd.readouterr().err == "noise\n"


def test_who_asks_for_it_sees_it(capfd, monkeypatch):
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "0")
    with command_line.quiet_start():
        os.write(2, b"noise\n")
    assert capfd.readouterr().err == "noise\n"


def test_no_garbage_is_looked_for_while_tensorflow_is_loaded(monkeypatch):
    monkeypatch.delitem(sys.modules, "tensorflow", raising=False)
    before = gc.get_freeze_count()
    try:
        with command_line.without_looking_for_garbage():
            assert not gc.isenabled()
        assert gc.isenabled() and gc.get_freeze_count() > before
    finally:
        gc.unfreeze()
    before = gc.get_freeze_count()
    with pytest.raises(ImportError), command_line.without_looking_for_garbage():
        raise ImportError
    assert gc.isenabled() and gc.get_freeze_count() == before


def test_who_has_loaded_tensorflow_keeps_the_collector_as_it_is(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow", sys)
    before = gc.get_freeze_count()
    with command_line.without_looking_for_garbage():
        assert gc.isenabled()
    assert gc.get_freeze_count() == before


def test_words_between_flags():
    values = flags.FlagValues()
    flags.DEFINE_string("output", None, "Help.", flag_values=values)
    flags.DEFINE_bool("all", True, "Help.", flag_values=values)
    argv = ["program", "a", "--output", "x y", "b", "--noall"]
    assert command_line.without_words(values, argv) == (
        ["a", "b"],
        ["program", "--output=x y", "--noall"],
    )
    argv = ["program", "a", "--nothing"]
    assert command_line.without_words(values, argv) == (None, argv)
