"""The layers between the encoders and the head."""

from __future__ import annotations

import dataclasses
import zlib
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from hub_estimator import compat
from hub_estimator.training import checks
from hub_estimator.training.model.dropout import drop


@dataclasses.dataclass(frozen=True)
class DenseLayers:
    """A stack of dense layers, each with batch normalization, an activation and dropout as set.

    Attributes:
      units: the width of each layer; empty leaves the encoders' outputs as they are.
      activation: what follows each layer, for example `tf.nn.relu`.
      batch_norm: whether each layer's sums are normalized before the activation.
      input_dropout: the fraction of the first layer's inputs that training drops.
      dropout: the fraction of each layer's outputs that training drops.
      l2: the weight of each kernel's regularization loss, `l2 * sum(kernel ** 2) / 2`.
    """

    units: Sequence[int] = (256,)
    activation: Callable[[tf.Tensor], tf.Tensor] = tf.nn.relu
    batch_norm: bool = False
    input_dropout: float = 0.0
    dropout: float = 0.0
    l2: float = 0.0

    def __call__(self, inputs: tf.Tensor, training: bool) -> tf.Tensor:
        """Applies the layers.

        Args:
          inputs: float32 `[B, D]`.
          training: whether dropout is at work, and batch normalization on the batch's statistics.

        Returns:
          float32 `[B, units[-1]]`.
        """
        outputs = drop(inputs, self.input_dropout, training, "input")
        for number, units in enumerate(self.units):
            outputs = dense(outputs, units, f"hidden_{number}", l2=self.l2)
            if self.batch_norm:
                outputs = compat.legacy_layers().batch_normalization(
                    outputs, training=training, name=f"batch_norm_{number}"
                )
            outputs = self.activation(outputs)
            outputs = drop(outputs, self.dropout, training, f"hidden_{number}")
        return outputs

    def check(self) -> None:
        """Checks the settings.

        Raises:
          errors.InvalidSettingError: one is wrong.
        """
        checks.listed("DenseLayers.units", self.units, "[256, 64]")
        for units in self.units:
            checks.whole_number("An element of DenseLayers.units", units)
        checks.fraction("DenseLayers.dropout", self.dropout)
        checks.fraction("DenseLayers.input_dropout", self.input_dropout)
        checks.number("DenseLayers.l2", self.l2)


def dense(inputs: tf.Tensor, units: int, name: str, l2: float = 0.0) -> tf.Tensor:
    """Adds one dense layer of `tf.compat.v1.layers` under the variable scope `name`.

    In a graph with a seed, its initial values depend on the seed and its scope alone: not on what
    else is in the graph.

    Args:
      inputs: float32 `[B, D]`.
      units: the width of the output.
      name: the variable scope.
      l2: the weight of the kernel's regularization loss; 0 adds none.

    Returns:
      float32 `[B, units]`.
    """
    return compat.legacy_layers().dense(
        inputs,
        units,
        # The layer's own default is of Keras, which does not follow the graph's seed.
        kernel_initializer=tf.compat.v1.glorot_uniform_initializer(seed=_seed(name)),
        kernel_regularizer=l2_regularizer(l2) if l2 else None,
        name=name,
    )


def _seed(name: str) -> int | None:
    """Returns a seed for a variable scope; None, for another each time, in a graph without one."""
    if tf.compat.v1.get_seed(None)[0] is None:
        return None
    return zlib.crc32(f"{tf.compat.v1.get_variable_scope().name}/{name}".encode())


def l2_regularizer(weight: float) -> Callable[[Any], tf.Tensor]:
    """Returns a regularizer that computes `weight * sum(x ** 2) / 2`."""
    return lambda values: weight * tf.nn.l2_loss(values)
