"""What a layer computes and trains, whichever Keras it is of."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow as tf

from hub_estimator import errors, texts
from hub_estimator.graph.reusable.module import Computed
from hub_estimator.keras.layer_settings import LayerSettings
from hub_estimator.keras.sources import Source, open_source

_FULL = "float32"  # the type that Keras computes in unless somebody chooses another


class Computation:
    """The object that a layer is made around, at work.

    Args:
      settings: what the layer was made with.

    Attributes:
      settings: the same.
      loaded: the object.
      variables: all variables, in an order that does not depend on what is trained.
      losses: functions of no arguments; each gives a scalar to add to the loss in training.
    """

    def __init__(self, settings: LayerSettings) -> None:
        self.settings = settings
        self._source: Source = open_source(settings)
        self.loaded = self._source.loaded
        self.variables: Sequence[tf.Variable] = self._source.variables
        self.losses: Sequence[Callable[[], Any]] = self._source.losses
        self._trained = {id(variable) for variable in self._chosen()}

    @property
    def only_input_type(self) -> tf.DType | None:
        """The type of the input, if there is one only and its type is known."""
        return self._source.function.only_input_type

    @property
    def weights(self) -> list[tf.Variable]:
        """The variables that Keras can have as weights: it has no values that are not numbers."""
        return [variable for variable in self.variables if _is_number(variable.dtype)]

    def is_trained(self, variable: tf.Variable) -> bool:
        """Whether training changes a variable where the layer is trained."""
        return id(variable) in self._trained

    def __call__(self, inputs: Any, training: Any, compute_dtype: str) -> Computed:
        """Computes the outputs, and the losses that depend on the inputs.

        Args:
          inputs: tensors, nested as the function takes them.
          training: whether to train: a bool, or a bool tensor.
          compute_dtype: the type that the layer computes in. Floating inputs are cast to it where the
            function does not say which it takes; floating outputs are, where it is not the default.

        Raises:
          errors.OutputNotFoundError: there is no output of the name that the settings have.
          errors.LayerSettingsError: the outputs are not of the form that the settings have.
        """
        function, arguments = self._source.function, self.settings.arguments
        given = function.arranged(inputs, arguments)
        given = cast_floats(given, function.inputs, compute_dtype)

        def call(training: bool) -> tuple[Any, list[tf.Tensor]]:
            computed = function(given, training, arguments)
            return self._output(computed.outputs), computed.losses

        if not function.takes_training:
            outputs, losses = call(False)
        elif tf.is_tensor(training):
            outputs, losses = _either(training, call)
        else:
            outputs, losses = call(bool(training))
        if compute_dtype != _FULL and tf.as_dtype(compute_dtype).is_floating:
            outputs = cast_floats(outputs, (), compute_dtype)
        return Computed(outputs, losses)

    def output_specs(self, inputs: Any, compute_dtype: str) -> Any:
        """Returns what a call would give, as `tf.TypeSpec`s, computing nothing.

        Args:
          inputs: `tf.TypeSpec`s, nested as the inputs are.
          compute_dtype: as in a call.
        """

        @tf.function(autograph=False)
        def call(inputs: Any) -> Any:
            return self(inputs, False, compute_dtype).outputs

        return call.get_concrete_function(inputs).structured_outputs

    def input_specs(self, shapes: Any, compute_dtype: str) -> Any:
        """Returns what inputs of these shapes are: of the types that the function takes.

        Args:
          shapes: a shape, or several nested as the inputs are.
          compute_dtype: the type where the function does not say.
        """
        function = self._source.function
        arranged = function.arranged(shapes, self.settings.arguments)
        return _specs_of_shapes(arranged, function.inputs, compute_dtype)

    def _chosen(self) -> Sequence[tf.Variable]:
        pattern = self.settings.pattern
        if pattern is None:
            return self._source.trainable_variables
        try:
            compiled = re.compile(pattern)
        except re.error as error:
            raise errors.NoTrainableVariablesError(
                f"trainable={pattern!r} is not a regular expression: {error}."
            ) from error
        trainable = self._source.trainable_variables
        found = [item for item in trainable if compiled.search(variable_name(item))]
        if not found:
            names = sorted(map(variable_name, trainable))
            raise errors.NoTrainableVariablesError(
                f"trainable={pattern!r} is found in the name of no trainable variable. There are: "
                f"{texts.shown_names(names) or 'none'}."
            )
        return found

    def _output(self, outputs: Any) -> Any:
        key = self._source.output_key
        if key is not None:
            if not isinstance(outputs, Mapping):
                raise errors.LayerSettingsError(
                    f"output_key={texts.shown(key)} chooses among outputs by name, and "
                    f"{self.settings.shown} gives {_described(outputs)}. Leave output_key out."
                )
            if key not in outputs:
                raise errors.OutputNotFoundError(
                    f"{self.settings.shown} has no output {texts.shown(key)}. It has: "
                    f"{texts.shown_names(sorted(outputs))}."
                )
            outputs = outputs[key]
        if self.settings.output_shape is not None:
            outputs = self._with_shape(outputs, self.settings.output_shape)
        return outputs

    def _with_shape(self, outputs: Any, shape: Any) -> Any:
        if isinstance(outputs, Mapping) and isinstance(shape, Mapping):
            if sorted(outputs) == sorted(shape):
                return {key: self._with_shape(outputs[key], shape[key]) for key in outputs}
        elif isinstance(outputs, (list, tuple)) and not _is_shape(shape):
            if len(outputs) == len(shape):
                pairs = zip(outputs, shape, strict=True)
                return [self._with_shape(output, one) for output, one in pairs]
        elif _is_shape(shape) and tf.is_tensor(outputs):
            return self._with_one_shape(outputs, shape)
        raise errors.LayerSettingsError(
            f"output_shape={texts.shown(shape)} is not nested as the outputs of "
            f"{self.settings.shown} are: {_described(outputs)}."
        )

    def _with_one_shape(self, output: Any, shape: Any) -> Any:
        try:
            rest = tf.TensorShape([shape] if isinstance(shape, int) else shape)
            whole = tf.TensorShape([None]).concatenate(rest)
            if isinstance(output, tf.Tensor):
                return tf.ensure_shape(output, whole)
            output.shape.assert_is_compatible_with(whole)
        except (ValueError, tf.errors.InvalidArgumentError) as error:
            raise errors.LayerSettingsError(
                f"output_shape={texts.shown(shape)}, without the batch size, does not fit the output of "
                f"{self.settings.shown}, which is {_described(output)}."
            ) from error
        return output


def _either(
    training: tf.Tensor, call: Callable[[bool], tuple[Any, list[tf.Tensor]]]
) -> tuple[Any, list[tf.Tensor]]:
    """Returns what a call gives that trains where a tensor says so; its losses are zero elsewhere."""
    losses: list[tf.Tensor] = []

    def train() -> tuple[Any, list[tf.Tensor]]:
        outputs, found = call(True)
        losses.extend(found)
        return outputs, found

    def infer() -> tuple[Any, list[tf.Tensor]]:
        # In a graph, both are added, this one after the other; eagerly, only one of them runs.
        outputs, _ = call(False)
        return outputs, [tf.zeros(loss.shape, loss.dtype) for loss in losses]

    return tf.cond(training, train, infer)


def _is_number(dtype: tf.DType) -> bool:
    return dtype.is_floating or dtype.is_integer or dtype.is_bool or dtype.is_complex


def variable_name(variable: tf.Variable) -> str:
    """Returns a variable's name, without the number of its output."""
    return variable.name.partition(":")[0]


def cast_floats(values: Any, taken: Sequence[Any], otherwise: str) -> Any:
    """Returns tensors of which the floating ones are of the types that a function takes.

    Args:
      values: tensors, nested.
      taken: what the function takes in its traces, each nested as the values are, or less.
      otherwise: the type of a value for which that does not say one floating type.
    """
    if isinstance(values, Mapping):
        return {
            key: cast_floats(value, _inside(taken, key), otherwise) for key, value in values.items()
        }
    if isinstance(values, (list, tuple)):
        cast = [
            cast_floats(value, _inside(taken, index), otherwise)
            for index, value in enumerate(values)
        ]
        return cast if isinstance(values, list) else tuple(cast)
    dtype = getattr(values, "dtype", None)
    wanted = _type_of(taken, otherwise)
    if dtype is None or not tf.as_dtype(dtype).is_floating or not wanted.is_floating:
        return values
    return values if tf.as_dtype(dtype) == wanted else tf.cast(values, wanted)


def _type_of(taken: Sequence[Any], otherwise: str) -> tf.DType:
    types = {spec.dtype for spec in taken if isinstance(spec, tf.TypeSpec)}
    return types.pop() if len(types) == 1 else tf.as_dtype(otherwise)


def _inside(taken: Sequence[Any], key: Any) -> list[Any]:
    """Returns what is taken at a place of nested inputs."""
    return [
        spec[key]
        for spec in taken
        if (isinstance(spec, Mapping) and key in spec)
        or (isinstance(spec, (list, tuple)) and isinstance(key, int) and key < len(spec))
    ]


def _specs_of_shapes(shapes: Any, taken: Sequence[Any], otherwise: str) -> Any:
    if isinstance(shapes, Mapping):
        return {
            key: _specs_of_shapes(shape, _inside(taken, key), otherwise)
            for key, shape in shapes.items()
        }
    if _is_shape(shapes):
        return tf.TensorSpec(shapes, _type_of(taken, otherwise))
    return [
        _specs_of_shapes(shape, _inside(taken, index), otherwise)
        for index, shape in enumerate(shapes)
    ]


def _is_shape(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return all(size is None or isinstance(size, int) for size in value)
    return isinstance(value, (int, tf.TensorShape))


def _described(outputs: Any) -> str:
    """Returns what messages call outputs."""
    if isinstance(outputs, Mapping):
        return f"a dict with {texts.shown_names(sorted(outputs)) or 'nothing'}"
    if isinstance(outputs, (list, tuple)):
        return f"a {type(outputs).__name__} of {len(outputs)}"
    if tf.is_tensor(outputs):
        return f"one tensor, {outputs.dtype.name} of the shape {outputs.shape}"
    return f"a {type(outputs).__name__}"
