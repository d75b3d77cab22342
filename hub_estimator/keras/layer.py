"""What a layer of either Keras does around its computation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import tensorflow as tf

from hub_estimator import compat, errors
from hub_estimator.keras import handles
from hub_estimator.keras.computation import Computation
from hub_estimator.keras.layer_settings import layer_settings
from hub_estimator.keras.stored_values import assign_stored, stored_values

OTHER_KERAS = (
    "%s is a layer of %s, and a model of %s uses it. Use %s there. (hub.KerasLayer is a layer of what "
    "tf.keras is in this process.)"
)
_NAMES = {
    True: ("Keras 3", "hub.keras.keras_3.KerasLayer"),
    False: ("legacy Keras (tf-keras)", "hub.keras.legacy.KerasLayer"),
}
_PATTERN = "trainable_pattern"


class HubLayer:
    """A layer around a module or a SavedModel, but for what it is in one Keras.

    Subclasses are made with a layer class of Keras behind this one.
    """

    of_keras_3: ClassVar[bool]
    """Whether the class is a layer of Keras 3, rather than of legacy Keras."""
    trainable: bool
    """Whether training changes the layer; every layer of Keras has it."""

    def __init__(
        self,
        handle: Any,
        trainable: bool | str = False,
        arguments: Mapping[str, Any] | None = None,
        *,
        tags: Iterable[str] | None = None,
        signature: str | None = None,
        signature_outputs_as_dict: bool | None = None,
        output_key: str | None = None,
        output_shape: Any = None,
        load_options: tf.saved_model.LoadOptions | None = None,
        **kwargs: Any,
    ) -> None:
        """Makes a layer around what a handle names, or around an object.

        Args:
          handle: a folder or a URL of a TF2 SavedModel, a TF1 SavedModel or a TF1 Hub module; or a
            callable, or what `hub.load` returned.
          trainable: whether training changes the variables that the publisher trains; a regular
            expression chooses those of them in whose names it is found. The attribute `trainable`
            may be changed later. A layer that is not trained computes inference in training too.
          arguments: further arguments by name for each call of a callable.
          tags: the tags of the graph variant, where there are several.
          signature: the signature to call, in place of the object itself.
          signature_outputs_as_dict: whether a call gives all outputs of the signature, by name.
          output_key: which output a call gives, where there is a dict of outputs.
          output_shape: the shapes of the outputs without the batch size, nested as the outputs are,
            where TensorFlow does not know them.
          load_options: how to load what the handle names.
          **kwargs: `name`, `dtype`, `input_shape` and whatever else a layer of this Keras takes.

        Raises:
          errors.LayerSettingsError: the arguments contradict one another, or what was loaded.
          errors.SignatureNotFoundError: there is no such signature.
          errors.NoTrainableVariablesError: the regular expression finds no variable.
          errors.Error: what `hub.load` raises.
        """
        # Keras casts to the type that it computes in; what is loaded may take others.
        kwargs.setdefault("autocast", False)
        super().__init__(trainable=bool(trainable), **kwargs)  # type: ignore[call-arg]
        self._computation = Computation(
            layer_settings(
                handle,
                trainable,
                arguments,
                tags,
                signature,
                signature_outputs_as_dict,
                output_key,
                output_shape,
                load_options,
            )
        )
        # An attribute, so that TensorFlow saves its tables and assets with the model.
        self._resolved_object = self._computation.loaded
        compat.guard_sequential(self.of_keras_3, self._refuse_added)

    @property
    def resolved_object(self) -> Any:
        """The callable object that was loaded or given."""
        return self._resolved_object

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Calls the layer; strings, lists of them too, need not be tensors."""
        args, kwargs = _with_tensors(args), _with_tensors(kwargs)
        if compat.in_other_keras(self.of_keras_3, tf.nest.flatten([args, kwargs])):
            raise _other_keras(self.of_keras_3)
        return super().__call__(*args, **kwargs)  # type: ignore[misc]

    def get_config(self) -> dict[str, Any]:
        """Returns what makes the layer again, without `load_options`.

        Raises:
          errors.LayerConfigError: it was made with an object in place of a handle.
        """
        config = super().get_config()  # type: ignore[misc]
        settings = self._computation.settings
        pattern = {} if settings.pattern is None else {_PATTERN: settings.pattern}
        return {**config, **settings.config(), **pattern}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Makes a layer of what `get_config` returned; see `hub.keras.moved_handles`.

        Raises:
          errors.LayerHandleError: the module is not to be had.
        """
        config = dict(config)
        config["handle"] = handles.current_handle(config["handle"])
        trainable = config.pop("trainable", False)
        made_with = config.pop(_PATTERN, trainable)
        try:
            layer: Any = cls(**config, trainable=made_with)
        except errors.HandleError as error:
            name = config.get("name", "")
            raise handles.not_there(config["handle"], name, error) from error
        layer.trainable = trainable
        return layer

    def save_own_variables(self, store: Any) -> None:
        """Stores the values of all variables, whatever of them is trained."""
        for key, value in stored_values(self._computation.variables).items():
            store[key] = value

    def load_own_variables(self, store: Any) -> None:
        """Gives all variables the values that were stored.

        Raises:
          errors.CheckpointMismatchError: they are those of other variables.
        """
        assign_stored(self._computation.variables, store, self._computation.settings.shown)

    def _compute(self, inputs: Any, training: Any) -> Any:
        """Returns the outputs; a layer that is not trained does not train, whatever it is told."""
        trains = training if tf.is_tensor(training) else bool(training)
        is_training = trains if self.trainable else False
        computed = self._computation(inputs, is_training, self._policy_dtype)
        for loss in computed.losses:
            self.add_loss(loss)  # type: ignore[attr-defined]
        return computed.outputs

    def _output_specs(self, inputs: Any) -> Any:
        return self._computation.output_specs(inputs, self._policy_dtype)

    def _output_specs_of_shapes(self, shapes: Any) -> Any:
        return self._output_specs(self._computation.input_specs(shapes, self._policy_dtype))

    @classmethod
    def _refuse_added(cls, layer: Any) -> None:
        """Refuses a layer of this class where one of the other Keras belongs."""
        if isinstance(layer, HubLayer) and layer.of_keras_3 == cls.of_keras_3:
            raise _other_keras(cls.of_keras_3)

    @property
    def _policy_dtype(self) -> str:
        """The type in which the layer's policy has it compute."""
        return super().compute_dtype  # type: ignore[misc]


def _other_keras(of_keras_3: bool) -> errors.MixedKerasError:
    own, own_class = _NAMES[of_keras_3]
    other, other_class = _NAMES[not of_keras_3]
    return errors.MixedKerasError(OTHER_KERAS % (own_class, own, other, other_class))


def _with_tensors(values: Any) -> Any:
    """Returns the arguments of a call with tensors in place of strings and of lists of strings."""
    if isinstance(values, dict):
        return {key: _with_tensors(value) for key, value in values.items()}
    if isinstance(values, tuple):
        return tuple(map(_with_tensors, values))
    return tf.constant(values) if _is_text(values) else values


def _is_text(value: Any) -> bool:
    if isinstance(value, list):
        return bool(value) and all(map(_is_text, value))
    return isinstance(value, (str, bytes))
