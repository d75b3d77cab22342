"""Ctrl-C and SIGTERM during a run: save a checkpoint where training is under way, then stop."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from typing import Any

import tensorflow as tf

from hub_estimator import errors

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Signals:
    """The signals that come during a `with listening()` block.

    Attributes:
      first: the first one that came where it may wait; None as long as there is none.
    """

    def __init__(self) -> None:
        self.first: signal.Signals | None = None
        self._waits = False

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """Listens during a `with` block: a signal raises, so that what is unfinished is removed.

        Only a program's main thread can listen; elsewhere signals are left alone.

        Raises:
          errors.StoppedAtOnceError: a signal came where it may not wait, or a second one.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self._on_signal) for number in _SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    @contextlib.contextmanager
    def waiting(self) -> Iterator[None]:
        """Lets the first signal of a `with` block wait until a `StopOnSignalHook` sees it."""
        self._waits = True
        try:
            yield
        finally:
            self._waits = False

    def _on_signal(self, number: int, frame: Any) -> None:
        if not self._waits or self.first is not None:
            raise errors.StoppedAtOnceError(number)
        self.first = signal.Signals(number)


class StopOnSignalHook(tf.compat.v1.train.SessionRunHook):
    """Ends a training or an evaluation after a signal, at the end of a step.

    Args:
      signals: what it listens to.
      model_dir: where to save a checkpoint; None saves none: evaluations have nothing to save,
        and in a cluster it is the chief who does.
    """

    def __init__(self, signals: Signals, model_dir: str | None = None) -> None:
        self._signals = signals
        self._prefix = os.path.join(model_dir, "model.ckpt") if model_dir is not None else None

    def after_run(self, run_context: Any, run_values: Any) -> None:
        """Stops where a signal came.

        Raises:
          InterruptedRunError: a signal came; the checkpoint is saved.
        """
        if self._signals.first is None:
            return
        if self._prefix is not None:
            saver = tf.compat.v1.get_collection(tf.compat.v1.GraphKeys.SAVERS)[0]
            step = tf.compat.v1.train.get_global_step()
            saver.save(run_context.session, self._prefix, global_step=step)
        self._stop(run_context.session)

    def end(self, session: Any) -> None:
        """Stops where a signal came after the last step; its checkpoint is there already.

        Raises:
          InterruptedRunError: a signal came.
        """
        if self._signals.first is not None:
            self._stop(session)

    def _stop(self, session: Any) -> None:
        number = self._signals.first
        assert number is not None
        step = session.run(tf.compat.v1.train.get_global_step())
        raise errors.InterruptedRunError(
            f"Stopped by {number.name} at step {step}; the checkpoint is saved. Run the same "
            "command again to go on.",
            number,
        )
