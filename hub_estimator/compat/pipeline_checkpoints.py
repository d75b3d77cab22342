"""Stands in for `tf.data.experimental.CheckpointInputPipelineHook`, which newer releases lack.

The files are those of the original: `input.ckpt-<step>`, listed in `checkpoint_input`, both with
the task in their names where a cluster has several workers.
"""

from __future__ import annotations

import os
import types
from typing import Any

import tensorflow as tf

# The graph's collection of the handles of all iterators.
_ITERATORS = "iterators"


class CheckpointInputPipelineHook(tf.compat.v1.train.SessionRunHook):
    """Saves where the input is, as often as training saves the model, and goes on from there.

    Args:
      estimator: the `Estimator` that is trained; its `RunConfig` says how often.
      external_state_policy: what to do where the input depends on state outside of it, such as a
        random seed: `"fail"`, the default, `"warn"` or `"ignore"`.
    """

    def __init__(self, estimator: Any, external_state_policy: str | None = None) -> None:
        config = estimator.config
        several = config.num_worker_replicas > 1
        task = f"_{config.task_type}_{config.task_id}" if several else ""
        self._folder = estimator.model_dir
        self._path = os.path.join(self._folder, f"input{task}.ckpt")
        self._list = f"checkpoint_input{task}"
        self._policy = external_state_policy
        self._timer = tf.compat.v1.train.SecondOrStepTimer(
            every_secs=config.save_checkpoints_secs, every_steps=config.save_checkpoints_steps
        )

    def begin(self) -> None:
        """Adds the operations that save and restore."""
        saveables = [
            tf.compat.v1.data.experimental.make_saveable_from_iterator(
                # What of an iterator the function asks for; the iterators themselves are gone.
                types.SimpleNamespace(_iterator_resource=handle),
                self._policy,
            )
            for handle in tf.compat.v1.get_collection(_ITERATORS)
        ]
        self._saver = tf.compat.v1.train.Saver(saveables, sharded=True)
        self._step = tf.compat.v1.train.get_global_step()

    def after_create_session(
        self, session: tf.compat.v1.Session, coord: tf.train.Coordinator
    ) -> None:
        """Remembers that the session is new."""
        self._is_new = True

    def before_run(self, run_context: Any) -> Any:
        """Restores before the first step; other hooks have initialized the iterators by then."""
        if self._is_new:
            self._is_new = False
            self._start(run_context.session)
        return tf.compat.v1.train.SessionRunArgs(self._step)

    def after_run(self, run_context: Any, run_values: Any) -> None:
        """Saves where it is time to."""
        # What the step's own run gives may be the number before the step.
        if self._timer.should_trigger_for_step(run_values.results + 1):
            step = run_context.session.run(self._step)
            if self._timer.should_trigger_for_step(step):
                self._save(run_context.session, step)

    def end(self, session: tf.compat.v1.Session) -> None:
        """Saves at the end."""
        step = session.run(self._step)
        if step != self._timer.last_triggered_step():
            self._save(session, step)

    def _start(self, session: tf.compat.v1.Session) -> None:
        latest = tf.train.latest_checkpoint(self._folder, self._list)
        if latest is None:
            self._save(session, session.run(self._step))
        else:
            self._saver.restore(session, latest)

    def _save(self, session: tf.compat.v1.Session, step: int) -> None:
        self._saver.save(
            session, self._path, step, latest_filename=self._list, write_meta_graph=False
        )
        self._timer.update_last_triggered_step(step)
