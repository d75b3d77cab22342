"""Ctrl-C and SIGTERM while a command runs: it ends with one line and a status, whenever they come.

A run that trains or writes listens itself, see `training.running.interruption`; this is for the rest:
while TensorFlow is loaded, while settings and data are checked, between two parts of the work.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator
from typing import Any

from hub_estimator import errors

INTERRUPTED, TERMINATED = 130, 143
MESSAGE = "Interrupted. Run the same command again."

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def status(number: int) -> int:
    """Returns the exit status after a signal."""
    return TERMINATED if number == signal.SIGTERM else INTERRUPTED


@contextlib.contextmanager
def raising() -> Iterator[None]:
    """Raises an error at a signal for the time of a `with` block, so that scratch is removed.

    Raises:
      errors.StoppedAtOnceError: a signal came.
    """

    def stop(number: int, frame: Any) -> None:
        raise errors.StoppedAtOnceError(number)

    with _handled_by(stop):
        yield


@contextlib.contextmanager
def setting(stopping: threading.Event) -> Iterator[list[signal.Signals]]:
    """Sets an event at a signal for the time of a `with` block; gives the signals that came.

    Args:
      stopping: the event, at which the work is to end by itself.
    """
    came: list[signal.Signals] = []

    def stop(number: int, frame: Any) -> None:
        came.append(signal.Signals(number))
        stopping.set()

    with _handled_by(stop):
        yield came


@contextlib.contextmanager
def ending(standard_error: int) -> Iterator[None]:
    """Ends the process at a signal for the time of a `with` block in which nothing is written.

    That is for loading libraries: some of them take an error, whichever it is, for one of their own.

    Args:
      standard_error: the file descriptor to say it on.
    """

    def end(number: int, frame: Any) -> None:
        os.write(standard_error, f"error: {MESSAGE}\n".encode())
        os._exit(status(number))

    with _handled_by(end):
        yield


def ignore() -> None:
    """Ignores signals from now on: the work is done, and the interpreter is being taken down."""
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)


@contextlib.contextmanager
def _handled_by(handler: Callable[[int, Any], None]) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():  # others cannot listen
        yield
        return
    before = {number: signal.signal(number, handler) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, previous in before.items():
            signal.signal(number, previous)
