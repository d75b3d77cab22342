"""Ctrl-C and SIGTERM during training: save a checkpoint, then stop."""

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


class StopOnSignalHook(tf.compat.v1.train.SessionRunHook):
    """Saves a checkpoint and ends training after a signal, at the end of a step.

    Args:
      model_dir: where the checkpoint goes.
      saves: whether to save one; in a cluster, the chief does.
    """

    def __init__(self, model_dir: str, saves: bool = True) -> None:
        self._saves = saves
        self._prefix = os.path.join(model_dir, "model.ckpt")
        self._signal: signal.Signals | None = None

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """Listens to signals during a `with` block; a second signal stops at once.

        Only a program's main thread can listen; elsewhere signals are left alone.
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

    def after_run(self, run_context: Any, run_values: Any) -> None:
        """Stops where a signal came.

        Raises:
          InterruptedRunError: a signal came; the checkpoint is saved.
        """
        if self._signal is None:
            return
        saver = tf.compat.v1.get_collection(tf.compat.v1.GraphKeys.SAVERS)[0]
        step = tf.compat.v1.train.get_global_step()
        if self._saves:
            saver.save(run_context.session, self._prefix, global_step=step)
        raise errors.InterruptedRunError(
            f"Stopped by {self._signal.name} at step {run_context.session.run(step)}; the "
            "checkpoint is saved. Run the same command again to go on."
        )

    def _on_signal(self, number: int, frame: Any) -> None:
        if self._signal is not None:
            raise KeyboardInterrupt
        self._signal = signal.Signals(number)
