"""Variables that are trained in a way of their own."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import tensorflow as tf


@dataclasses.dataclass(frozen=True)
class VariableGroup:
    """Variables that are trained in a way of their own: those of one encoder.

    Attributes:
      name: what messages and summaries call it.
      variables: the variables.
      multiplier: what the learning rate is multiplied by for them.
      start_step: the global step from which they are trained; before it they stay as they are.
    """

    name: str
    variables: Sequence[tf.Variable]
    multiplier: float = 1.0
    start_step: int = 0
