"""Stands in for `tensorflow.python.tpu.async_checkpoint` on TensorFlow 2.16 and newer."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf


class AsyncCheckpointSaverHook(tf.compat.v1.train.CheckpointSaverHook):
    """Saves checkpoints every so many steps or seconds, and training waits for each.

    Upstream's saves beside training. What is in the checkpoints, and when they are made, is the
    same; how long a step takes that makes one is not.

    Args:
      checkpoint_dir: the folder of the checkpoints.
      save_secs: the time between two of them, in seconds; either this or `save_steps`.
      save_steps: the steps between two of them.
      saver: the `Saver`; None takes that of the scaffold, or the graph's.
      checkpoint_basename: the name of a checkpoint up to its step.
      scaffold: the `Scaffold` whose saver is used; not together with `saver`.
      listeners: called before and after each checkpoint.
    """

    def __init__(
        self,
        checkpoint_dir: str,
        save_secs: float | None = None,
        save_steps: int | None = None,
        saver: tf.compat.v1.train.Saver | None = None,
        checkpoint_basename: str = "model.ckpt",
        scaffold: tf.compat.v1.train.Scaffold | None = None,
        listeners: Sequence[tf.compat.v1.train.CheckpointSaverListener] | None = None,
    ) -> None:
        super().__init__(
            checkpoint_dir, save_secs, save_steps, saver, checkpoint_basename, scaffold, listeners
        )
