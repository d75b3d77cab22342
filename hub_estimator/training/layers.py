"""The layers between the encoders and the head."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from hub_estimator import compat


@dataclasses.dataclass(frozen=True)
class DenseLayers:
    """A stack of dense layers, each with an activation and dropout.

    Attributes:
      units: the width of each layer; empty leaves the encoders' outputs as they are.
      activation: what follows each layer, for example `tf.nn.relu`.
      input_dropout: the fraction of the first layer's inputs that training drops.
      dropout: the fraction of each layer's outputs that training drops.
      l2: the weight of each kernel's regularization loss, `l2 * sum(kernel ** 2) / 2`.
    """

    units: Sequence[int] = (256,)
    activation: Callable[[tf.Tensor], tf.Tensor] = tf.nn.relu
    input_dropout: float = 0.0
    dropout: float = 0.0
    l2: float = 0.0

    def __call__(self, inputs: tf.Tensor, training: bool) -> tf.Tensor:
        """Applies the layers.

        Args:
          inputs: float32 `[B, D]`.
          training: whether dropout is at work.

        Returns:
          float32 `[B, units[-1]]`.
        """
        outputs = self._drop(inputs, self.input_dropout, training)
        for number, units in enumerate(self.units):
            outputs = dense(outputs, units, f"hidden_{number}", self.activation, self.l2)
            outputs = self._drop(outputs, self.dropout, training)
        return outputs

    def _drop(self, values: tf.Tensor, rate: float, training: bool) -> tf.Tensor:
        if not (rate and training):
            return values
        # Not that of `tf.compat.v1.layers`: it is of Keras and does not follow the graph's seed.
        return tf.nn.dropout(values, rate=rate)


def dense(
    inputs: tf.Tensor,
    units: int,
    name: str,
    activation: Callable[[tf.Tensor], tf.Tensor] | None = None,
    l2: float = 0.0,
) -> tf.Tensor:
    """Adds one dense layer of `tf.compat.v1.layers` under the variable scope `name`.

    Args:
      inputs: float32 `[B, D]`.
      units: the width of the output.
      name: the variable scope.
      activation: what is applied to the sums.
      l2: the weight of the kernel's regularization loss; 0 adds none.

    Returns:
      float32 `[B, units]`.
    """
    return compat.legacy_layers().dense(
        inputs,
        units,
        activation=activation,
        # The layer's own default is of Keras, which does not follow the graph's seed.
        kernel_initializer=tf.compat.v1.glorot_uniform_initializer(),
        kernel_regularizer=l2_regularizer(l2) if l2 else None,
        name=name,
    )


def l2_regularizer(weight: float) -> Callable[[Any], tf.Tensor]:
    """Returns a regularizer that computes `weight * sum(x ** 2) / 2`."""
    return lambda values: weight * tf.nn.l2_loss(values)
