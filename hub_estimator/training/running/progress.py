"""Shows how training goes: a bar on a terminal, lines in a log."""

from __future__ import annotations

import contextlib
import logging
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import tensorflow as tf

# The graph's collection of how many examples a step takes; not a name that others could use.
_BATCH_SIZES = "hub_estimator/batch_sizes"

_logger = logging.getLogger("hub_estimator")


class RowCount:
    """Counts rows, and shows how many there are: a bar on a terminal, else lines in a log.

    Args:
      what: what happens to the rows, for the log.
      every_secs: seconds between two lines.
    """

    def __init__(self, what: str, every_secs: float = 10.0) -> None:
        self.rows = 0
        self._what = what
        self._every_secs = every_secs
        self._bar: Any = None
        self._started = self._said = time.monotonic()

    @contextlib.contextmanager
    def shown(self) -> Iterator[RowCount]:
        """Shows the count for the time of a `with` block."""
        if sys.stderr.isatty():
            from tqdm import tqdm

            self._bar = tqdm(unit=" rows", desc=self._what)
        try:
            yield self
            if self._bar is None:
                self._say()
        finally:
            if self._bar is not None:
                self._bar.close()

    def add(self, rows: int) -> None:
        """Counts some more rows."""
        self.rows += rows
        if self._bar is not None:
            self._bar.update(rows)
        elif time.monotonic() - self._said > self._every_secs:
            self._say()

    def _say(self) -> None:
        self._said = time.monotonic()
        rate = self.rows / max(self._said - self._started, 1e-9)
        _logger.info("%s %d rows, %.0f rows/s", self._what, self.rows, rate)


def counting_examples(model_fn: Callable[..., Any]) -> Callable[..., Any]:
    """Returns a `model_fn` whose training graph tells `ProgressHook` how many examples it takes."""

    def counting(
        features: Any, labels: Any, mode: str, params: Any = None, config: Any = None
    ) -> Any:
        if mode == "train":
            size = tf.shape(tf.nest.flatten(labels)[0], out_type=tf.int64)[0]
            tf.compat.v1.add_to_collection(_BATCH_SIZES, size)
        return model_fn(features, labels, mode, params=params, config=config)

    return counting


class ProgressHook(tf.compat.v1.train.SessionRunHook):
    """Shows the step, the loss, the steps and the examples per second.

    Args:
      max_steps: the step at which training ends.
      every_steps: how many steps lie between two lines, or two updates of the bar.
      log_dir: the folder of TensorBoard's logs, which get `examples/sec` beside the Estimator's own
        `global_step/sec`; None is none.
    """

    def __init__(self, max_steps: int, every_steps: int = 100, log_dir: str | None = None) -> None:
        self._max_steps = max_steps
        self._every_steps = every_steps
        self._log_dir = log_dir
        self._bar: Any = None
        self._fetches: Any = None
        self._last_step = 0
        self._last_time = 0.0
        self._newest = (0, 0.0, 0)

    def begin(self) -> None:
        """Finds the global step, the loss and the size of a batch in the graph."""
        # An Estimator adds the loss that training reduces as the last one.
        loss = tf.compat.v1.get_collection(tf.compat.v1.GraphKeys.LOSSES)[-1]
        sizes = tf.compat.v1.get_collection(_BATCH_SIZES)  # one for each replica
        examples = tf.add_n(sizes) if sizes else tf.constant(0, tf.int64)
        self._fetches = (tf.compat.v1.train.get_global_step(), loss, examples)

    def after_create_session(self, session: Any, coord: Any) -> None:
        """Starts to count at the step at which training starts."""
        del coord
        self._last_step = int(session.run(self._fetches[0]))
        self._last_time = time.monotonic()
        if sys.stderr.isatty():
            from tqdm import tqdm

            self._bar = tqdm(
                total=self._max_steps, initial=self._last_step, unit="step", desc="training"
            )

    def before_run(self, run_context: Any) -> Any:
        """Asks for what is shown, which the Estimator's own hooks fetch anyway."""
        return tf.compat.v1.train.SessionRunArgs(self._fetches)

    def after_run(self, run_context: Any, run_values: Any) -> None:
        """Shows the step when it is time to."""
        step, loss, examples = run_values.results
        self._newest = int(step), float(loss), int(examples)
        if self._newest[0] >= self._last_step + self._every_steps:
            self._show(*self._newest)

    def end(self, session: Any) -> None:
        """Shows the last step and closes the bar."""
        # What a step's own run reads of the step may be from before or after it is counted.
        step = int(session.run(self._fetches[0]))
        if step > self._last_step:
            self._show(step, *self._newest[1:])
        if self._bar is not None:
            self._bar.close()

    def _show(self, step: int, loss: float, examples: int) -> None:
        now = time.monotonic()
        rate = (step - self._last_step) / max(now - self._last_time, 1e-9)
        if self._bar is not None:
            self._bar.set_postfix(loss=f"{loss:.4f}", refresh=False)
            self._bar.update(step - self._last_step)
        else:
            _logger.info(
                "step %d of %d, loss %.4f, %.0f steps/s, %.0f examples/s",
                step, self._max_steps, loss, rate, rate * examples,
            )  # fmt: skip
        if self._log_dir is not None and examples:
            writer = tf.compat.v1.summary.FileWriterCache.get(self._log_dir)
            value = tf.compat.v1.Summary.Value(tag="examples/sec", simple_value=rate * examples)
            writer.add_summary(tf.compat.v1.Summary(value=[value]), step)
        self._last_step, self._last_time = step, now
