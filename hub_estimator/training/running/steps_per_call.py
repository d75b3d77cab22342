"""Several steps of training for each call of a session's hooks."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

import tensorflow as tf

_MOST_SECS = 0.2
"""How much later a signal may be seen."""


class StepsPerCallHook(tf.compat.v1.train.SessionRunHook):
    """Runs most steps of training without the other hooks, which may cost more than a small model.

    What hooks do after every n-th step, they do after the same steps as ever: before each call of
    the session it runs steps only up to the one before the next at which any of them acts. It is for
    hooks that need not see each step.

    Args:
      max_steps: the step at which training ends.
      intervals: after how many steps each hook acts, again and again; some count from the step at
        which training starts, some from the first one after it.
    """

    def __init__(self, max_steps: int, *intervals: int) -> None:
        self._max_steps = max_steps
        self._intervals = intervals
        self._start = self._step = 0
        self._run_step: Callable[[], Any] | None = None

    def after_create_session(self, session: Any, coord: Any) -> None:
        """Starts to count at the step at which training starts."""
        del coord
        self._start = self._step = int(session.run(tf.compat.v1.train.get_global_step()))
        self._run_step = None

    def before_run(self, run_context: Any) -> None:
        """Runs the steps that no other hook needs to see; the call itself runs the next one.

        Raises:
          tf.compat.v1.train.NanLossDuringTrainingError: the loss is not a number any more.
        """
        if self._run_step is None:
            # How an Estimator calls its session: with the training operation and the loss.
            fetches = run_context.original_args.fetches
            self._run_step = run_context.session.make_callable(fetches)
        deadline = time.monotonic() + _MOST_SECS
        for _ in range(self._quiet_steps()):
            if time.monotonic() > deadline:
                break
            _, loss = self._run_step()
            if math.isnan(loss):
                raise tf.compat.v1.train.NanLossDuringTrainingError
            self._step += 1
        self._step += 1

    def _quiet_steps(self) -> int:
        """Returns the number of steps before the next one that hooks must see."""
        done = self._step - self._start
        seen = [self._max_steps - self._start]
        for interval in self._intervals:
            # The next multiple, and the next step after a multiple.
            seen += [done + interval - done % interval, done + 1 + -done % interval]
        return min(seen) - done - 1
