"""Checkpoints without the variables of frozen modules, which are read from the handles instead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf

from hub_estimator import compat
from hub_estimator.graph.module import modules_of

Names = Mapping[str, Any]


class HandleSaver(compat.FlushedSaver):  # type: ignore[misc]
    """Saves and restores all but some variables, which their initializers give.

    Args:
      frozen: the variables that are left out.
      names: the variables by their names in checkpoints; None is all of the graph by their own.
      saves_all: whether what is saved has the frozen variables too, as what is served must have.
      **kwargs: those of a `tf.compat.v1.train.Saver`.
    """

    def __init__(
        self,
        frozen: Sequence[tf.Variable],
        names: Names | None = None,
        saves_all: bool = False,
        **kwargs: Any,
    ) -> None:
        kwargs = {"sharded": True, "allow_empty": True, **kwargs}
        changing = _without(frozen, names)
        super().__init__((names or _saveables()) if saves_all else changing, **kwargs)
        self._restorer = tf.compat.v1.train.Saver(changing, **kwargs) if saves_all else None
        self._initialize = tf.group([variable.initializer for variable in frozen])

    def restore(self, sess: tf.compat.v1.Session, save_path: str) -> None:
        """Restores what checkpoints hold, and runs the initializers of the other variables."""
        if self._restorer is None:
            super().restore(sess, save_path)
        else:
            self._restorer.restore(sess, save_path)
        sess.run(self._initialize)


def frozen_variables() -> list[tf.Variable]:
    """Returns the variables of the graph's modules that always have the values on disk."""
    return [variable for module in modules_of() for variable in module.constant_variables]


def scaffold(
    mode: str, config: Any = None, names: Names | None = None
) -> tf.compat.v1.train.Scaffold | None:
    """Returns what keeps frozen variables out of checkpoints; None where there are none.

    Call it once the whole model is in the graph.

    Args:
      mode: the Estimator's mode.
      config: the Estimator's `RunConfig`, which says how many checkpoints are kept.
      names: what to restore by its name in checkpoints; None is all of the graph.
    """
    frozen = frozen_variables()
    if not frozen:
        return None
    kwargs: dict[str, Any] = {"save_relative_paths": True}
    if config is not None:
        kwargs["max_to_keep"] = config.keep_checkpoint_max
        kwargs["keep_checkpoint_every_n_hours"] = config.keep_checkpoint_every_n_hours
    saver = HandleSaver(frozen, names, saves_all=mode == "infer", **kwargs)
    return tf.compat.v1.train.Scaffold(saver=saver)


def _saveables() -> list[Any]:
    """All that a saver saves by default."""
    others = tf.compat.v1.get_collection(tf.compat.v1.GraphKeys.SAVEABLE_OBJECTS)
    return [*tf.compat.v1.global_variables(), *others]


def _without(frozen: Sequence[tf.Variable], names: Names | None) -> Names | list[Any]:
    left_out = {id(variable) for variable in frozen}
    if names is None:
        return [saveable for saveable in _saveables() if id(saveable) not in left_out]
    return {name: saveable for name, saveable in names.items() if id(saveable) not in left_out}
