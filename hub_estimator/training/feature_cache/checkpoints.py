"""Which values of modules a checkpoint has otherwise than the modules themselves."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from hub_estimator.training.model.encoder_modules.interface import ModuleUse
from hub_estimator.training.model.encoders import Encoder

_PART = re.compile(r"/part_\d+$")


def changed_variables(
    encoders: Sequence[Encoder], mode: str, checkpoint: str
) -> list[tuple[str, ...]]:
    """Returns for each encoder its variables that have other values in a checkpoint than the module.

    They have others where an earlier run in the same folder trained the module.

    Args:
      encoders: all encoders of the model: their order decides on the names of variables.
      mode: the Estimator's mode.
      checkpoint: the prefix of the checkpoint.
    """
    saved = tf.train.load_checkpoint(checkpoint)
    with tf.Graph().as_default():
        variables = [_variables(encoder, mode) for encoder in encoders]
        with tf.compat.v1.Session() as session:
            session.run(tf.compat.v1.global_variables_initializer())
            return [
                tuple(
                    variable.op.name for variable in own if not _is_equal(saved, session, variable)
                )
                for own in variables
            ]


def _variables(encoder: Encoder, mode: str) -> list[Any]:
    """Adds a module to the default graph; returns its variables."""
    before = len(tf.compat.v1.global_variables())
    encoder.module.build(ModuleUse(encoder.name, False, False, encoder.tags_for(mode)))
    return tf.compat.v1.global_variables()[before:]


def _is_equal(saved: Any, session: Any, variable: Any) -> bool:
    name = variable.op.name
    if not saved.has_tensor(name):
        # The module itself gives it (see `Model.save_frozen`), unless it is part of a partitioned
        # variable: savers write these under the name of the whole. None is there for its own values.
        whole = _PART.sub("", name)
        return whole == name or not saved.has_tensor(whole)
    return np.array_equal(saved.get_tensor(name), session.run(variable), equal_nan=True)
