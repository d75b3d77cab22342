"""`hub.KerasLayer` for legacy Keras (Keras 2, the package tf-keras; `tf.keras` of TensorFlow 2.15)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from hub_estimator import compat
from hub_estimator.keras.layer import HubLayer

_KERAS: Any = compat.legacy_keras()


@_KERAS.saving.register_keras_serializable("hub_estimator")
class KerasLayer(HubLayer, _KERAS.layers.Layer):
    """A module or a SavedModel as a layer of legacy Keras; see `HubLayer.__init__` for its arguments.

    Its weights are the variables of the module, but for strings, which are saved and loaded with them.
    """

    of_keras_3 = False

    def __init__(
        self, handle: Any, trainable: bool | str = False, *args: Any, **kwargs: Any
    ) -> None:
        super().__init__(handle, trainable, *args, **kwargs)
        for loss in self._computation.losses:
            self.add_loss(self._when_trained(loss))

    @property
    def trainable_weights(self) -> list[tf.Variable]:
        """The variables that training changes."""
        if not self.trainable:
            return []
        return [item for item in self._computation.weights if self._computation.is_trained(item)]

    @property
    def non_trainable_weights(self) -> list[tf.Variable]:
        """All other variables."""
        trained = {id(variable) for variable in self.trainable_weights}
        return [item for item in self._computation.weights if id(item) not in trained]

    def call(self, inputs: Any, training: Any = None) -> Any:
        """Computes the outputs."""
        return self._compute(inputs, training)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Returns the shapes of the outputs, computing nothing."""
        specs = self._output_specs_of_shapes(input_shape)
        return tf.nest.map_structure(lambda spec: spec.shape, specs)

    def _when_trained(self, loss: Callable[[], Any]) -> Callable[[], Any]:
        """Returns a loss that is none while the layer is not trained."""
        return lambda: loss() if self.trainable else None
