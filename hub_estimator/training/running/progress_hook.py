"""Shows how training goes: a bar on a terminal, lines in a log."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from hub_estimator.progress import Progress

# The graph's collection of how many examples a step takes; not a name that others could use.
_BATCH_SIZES = "hub_estimator/batch_sizes"


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
        self._progress: Progress | None = None
        self._fetches: Any = None
        self._last_step = 0
        self._last_time = 0.0
        self._newest = (0, 0.0, 0)
        self._line = ""

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
        self._progress = Progress(
            lambda progress: self._line, every_secs=0.0,
            total=self._max_steps, initial=self._last_step, unit="step", desc="training",
        )  # fmt: skip

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
        if self._progress is not None:
            self._progress.close()

    def _show(self, step: int, loss: float, examples: int) -> None:
        now = time.monotonic()
        rate = (step - self._last_step) / max(now - self._last_time, 1e-9)
        self._line = (
            f"step {step} of {self._max_steps}, loss {loss:.4f}, {rate:.0f} steps/s, "
            f"{rate * examples:.0f} examples/s"
        )
        if self._progress is not None:
            self._progress.at(step, loss=f"{loss:.4f}")
        if self._log_dir is not None and examples:
            writer = tf.compat.v1.summary.FileWriterCache.get(self._log_dir)
            value = tf.compat.v1.Summary.Value(tag="examples/sec", simple_value=rate * examples)
            writer.add_summary(tf.compat.v1.Summary(value=[value]), step)
        self._last_step, self._last_time = step, now
