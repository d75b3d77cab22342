"""Keeps the newest checkpoints of a training and the best one, in place of its saver."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from hub_estimator import compat
from hub_estimator.training.model_folder.model_folder import ModelFolder
from hub_estimator.training.objective import Objective
from hub_estimator.training.running.exporter_calls import AfterEvaluation


class Keeping(tf.compat.v1.train.CheckpointSaverListener):
    """Removes old checkpoints after each save, and when it is told to.

    Savers know nothing of evaluations, so whichever saves, and however many it was made to keep, it
    is to remove none. For the process that saves: alone, or the chief of a cluster.

    Args:
      folder: the model folder.
      keep: how many of the newest checkpoints stay.
      objective: by what the best one is the best.
    """

    def __init__(self, folder: ModelFolder, keep: int, objective: Objective) -> None:
        self._folder, self._keep, self._objective = folder, keep, objective
        self._saver: tf.compat.v1.train.Saver | None = None

    def before_save(self, session: Any, global_step_value: int) -> None:
        """Finds the saver, and keeps it from removing any."""
        del session, global_step_value
        self.take_over()

    def after_save(self, session: Any, global_step_value: int) -> None:
        """Removes what is old now."""
        del session, global_step_value
        self.remove_old()

    def take_over(self) -> tf.compat.v1.train.Saver:
        """Keeps the saver of the default graph, once it is built, from removing any; returns it."""
        self._saver = tf.compat.v1.get_collection(tf.compat.v1.GraphKeys.SAVERS)[0]
        compat.keep_all(self._saver)
        return self._saver

    def after_evaluation(self) -> AfterEvaluation:
        """Returns an exporter that removes what is old after an evaluation, which may be the best."""
        return AfterEvaluation(".keeping", lambda *_: self.remove_old())

    def remove_old(self) -> None:
        """Removes the checkpoints but the newest ones and the best one."""
        self._folder.remove_old_checkpoints(self._keep, self._objective)
        if self._saver is not None:  # else it would list what is gone
            self._saver.recover_last_checkpoints(self._saver.last_checkpoints)


class KeepingHook(tf.compat.v1.train.SessionRunHook):
    """Has a `Keeping` do its work where a session takes no listeners: at the step after a save.

    What the last save makes old is left for who has trained.

    Args:
      keeping: what keeps checkpoints.
    """

    def __init__(self, keeping: Keeping) -> None:
        self._keeping = keeping
        self._saver: Any = None
        self._saved: list[str] = []

    def after_create_session(self, session: Any, coord: Any) -> None:
        """Takes the saver over, before it saves."""
        del session, coord
        self._saver = self._keeping.take_over()

    def before_run(self, run_context: Any) -> None:
        """Removes what is old where there is a checkpoint that was not there before."""
        del run_context
        saved = self._saver.last_checkpoints
        if saved != self._saved:
            self._keeping.remove_old()
            self._saved = self._saver.last_checkpoints
