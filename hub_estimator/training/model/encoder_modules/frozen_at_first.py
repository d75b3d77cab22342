"""A module that stays as it is for the first steps of a training, and is trained from then on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from hub_estimator.training.model.encoder_modules.interface import BuiltModule


class FrozenAtFirst:
    """Applies a module as prediction does before a global step, and as training does from it on.

    Before it, no batch normalization of the module sees a batch, and no gradient of it is computed.

    Args:
      built: the module, in the graph of a training.
      start_step: the first global step that trains it.

    Attributes:
      trained: the variables that training changes.
    """

    def __init__(self, built: BuiltModule, start_step: int) -> None:
        self._built = built
        self._start_step = start_step
        self.trained = built.trained

    def __call__(
        self, inputs: Mapping[str, Any], signature: str, frozen: bool = False
    ) -> dict[str, Any]:
        """Applies a signature; returns all outputs by name."""
        step = tf.compat.v1.train.get_or_create_global_step()

        # As a function: there a branch is run or not with all that is in it, its update operations
        # too, also in programs that disabled TensorFlow 2's control flow.
        @tf.function(autograph=False)
        def apply() -> dict[str, Any]:
            return tf.cond(
                frozen or step < self._start_step,
                lambda: self._built(inputs, signature, frozen=True),
                lambda: self._built(inputs, signature),
            )

        return apply()
