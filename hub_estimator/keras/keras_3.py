"""`hub.KerasLayer` for Keras 3."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from hub_estimator import compat, errors
from hub_estimator.keras.computation import variable_name
from hub_estimator.keras.layer import HubLayer

_KERAS: Any = compat.import_keras_3()


@_KERAS.saving.register_keras_serializable("hub_estimator")
class KerasLayer(HubLayer, _KERAS.Layer):
    """A module or a SavedModel as a layer of Keras 3; see `HubLayer.__init__` for its arguments.

    Its weights are the variables of the module, but for strings, which are saved and loaded with them.
    """

    of_keras_3 = True
    _input_type: str | None = None

    def __init__(
        self, handle: Any, trainable: bool | str = False, *args: Any, **kwargs: Any
    ) -> None:
        compat.keras_3_on_tensorflow()
        input_shape = kwargs.pop("input_shape", None)
        super().__init__(handle, trainable, *args, **kwargs)
        # On GPUs, Keras compiles by XLA what does not refuse; XLA has no texts, tables or v1 loops.
        self.supports_jit = False
        taken = self._computation.only_input_type
        self._input_type = None if taken is None or taken.is_floating else taken.name
        if input_shape is not None:
            # A `Sequential` model makes its input of it, in the type that the layer computes in.
            self.input_shape = (None, *input_shape)
        with _KERAS.name_scope(self.name, caller=self):
            self._module_weights = [
                compat.keras_variable(
                    variable, _weight_name(variable), self._computation.is_trained(variable)
                )
                for variable in self._computation.weights
                if variable.shape.is_fully_defined()  # Keras has no others
            ]
        self.trainable = bool(trainable)  # tells the variables, too
        self.built = True

    @property
    def compute_dtype(self) -> str:
        """The type of the inputs where the module takes only one that is not floating, as texts and
        ids are not; else what the layer computes in, as in any layer.

        `Sequential` models make their inputs of this type.
        """
        return self._input_type or super().compute_dtype

    @property
    def variable_dtype(self) -> str:
        """The same, since Keras takes a layer for one of mixed precision where the two differ."""
        return self._input_type or super().variable_dtype

    def call(self, inputs: Any, training: Any = None) -> Any:
        """Computes the outputs, and adds the losses of the module where the layer is trained."""
        for loss in self._computation.losses if self.trainable else ():
            self.add_loss(loss())
        return self._compute(inputs, training)

    def compute_output_spec(self, inputs: Any, training: Any = None) -> Any:
        """Returns the outputs as `keras.KerasTensor`s, computing nothing."""
        specs = self._output_specs(tf.nest.map_structure(compat.keras_tensor_spec, inputs))
        return tf.nest.map_structure(_keras_tensor, specs)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Returns the shapes of the outputs, computing nothing."""
        specs = self._output_specs_of_shapes(input_shape)
        return tf.nest.map_structure(lambda spec: tuple(_known_shape(spec)), specs)


def _weight_name(variable: tf.Variable) -> str:
    return variable_name(variable).replace("/", "_")


def _keras_tensor(spec: tf.TypeSpec) -> Any:
    shape, dtype = _known_shape(spec), spec.dtype.name
    if isinstance(spec, tf.RaggedTensorSpec):
        return _KERAS.KerasTensor(
            shape,
            dtype,
            ragged=True,
            ragged_rank=spec.ragged_rank,
            row_splits_dtype=spec.row_splits_dtype.name,
        )
    return _KERAS.KerasTensor(shape, dtype, sparse=isinstance(spec, tf.SparseTensorSpec))


def _known_shape(spec: tf.TypeSpec) -> list[int | None]:
    if spec.shape.rank is None:
        raise errors.LayerSettingsError(
            "The rank of an output is not known. Pass output_shape=, the shape without the batch size, "
            "to hub.KerasLayer."
        )
    return spec.shape.as_list()
