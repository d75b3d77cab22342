"""What a layer's handle stands for: an object to call, its variables, and its losses."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow as tf

from hub_estimator import errors, texts
from hub_estimator.format.origin import find
from hub_estimator.graph.loading import load_at
from hub_estimator.keras.layer_settings import LayerSettings

_TRAINING = "training"  # the argument by which a callable is told to train


@dataclasses.dataclass(frozen=True)
class Function:
    """One function that a layer calls.

    Attributes:
      call: the function itself.
      by_name: whether it takes its inputs by their names, as a signature does.
      takes_training: whether it takes an argument that says whether to train.
      inputs: what it takes, once for each trace that it has: a `tf.TypeSpec`, or several nested as
        the inputs are; empty where it does not say.
    """

    call: Callable[..., Any]
    by_name: bool = False
    takes_training: bool = False
    inputs: Sequence[Any] = ()

    def __call__(self, inputs: Any, training: bool, arguments: Mapping[str, Any]) -> Any:
        """Calls it.

        Args:
          inputs: a tensor, or several nested; by their names, if that is how it takes them.
          training: whether to train, for what takes that.
          arguments: further arguments by name.
        """
        extra = {**arguments, _TRAINING: training} if self.takes_training else dict(arguments)
        return self.call(**inputs, **extra) if self.by_name else self.call(inputs, **extra)

    @property
    def only_input_type(self) -> tf.DType | None:
        """The type of the input, if there is one only and its type is known."""
        taken = [next(iter(item.values())) if _is_one(item) else item for item in self.inputs]
        types = {getattr(item, "dtype", None) for item in taken}
        return types.pop() if len(types) == 1 else None

    def arranged(self, inputs: Any) -> Any:
        """Returns inputs, or what is nested as they are, as it takes them: maybe by their names.

        Raises:
          errors.InputError: a signature has several inputs, or none, and this has no names.
        """
        if not self.by_name or isinstance(inputs, Mapping):
            return inputs
        [names] = self.inputs
        if len(names) != 1:
            raise errors.InputError(
                f"The signature takes the inputs {texts.shown_names(sorted(names))}, and the layer got "
                "one value without a name. Call the layer with a dict that has them all."
            )
        return {name: inputs for name in names}


@dataclasses.dataclass(frozen=True)
class Source:
    """What a layer computes with.

    Attributes:
      loaded: the object that was loaded or given.
      function: what a call of the layer calls.
      trainable_variables: the variables that the publisher trains.
      other_variables: all others.
      losses: functions of no arguments; each gives a scalar to add to the loss in training.
    """

    loaded: Any
    function: Function
    trainable_variables: Sequence[tf.Variable]
    other_variables: Sequence[tf.Variable]
    losses: Sequence[Callable[[], Any]]


def open_source(settings: LayerSettings) -> Source:
    """Returns what a layer of these settings computes with, loaded where it has a handle.

    Raises:
      errors.LayerSettingsError: the object cannot be used as the settings say.
      errors.SignatureNotFoundError: it has no such signature.
      errors.Error: what `hub.load` raises.
    """
    loaded = settings.handle
    if settings.is_named:
        loaded = load_at(find(settings.handle), settings.tags, settings.load_options)
    function = _function(loaded, settings)
    trained = _variables(loaded, "trainable_variables")
    known = {id(variable) for variable in trained}
    others = [item for item in _variables(loaded, "variables") if id(item) not in known]
    return Source(loaded, function, trained, others, _losses(loaded, settings))


def _is_one(taken: Any) -> bool:
    return isinstance(taken, Mapping) and len(taken) == 1


def _function(loaded: Any, settings: LayerSettings) -> Function:
    if settings.signature is not None:
        return _signature(loaded, settings)
    if settings.outputs_as_dict:
        raise errors.LayerSettingsError(
            "signature_outputs_as_dict=True is for signatures, and none is chosen: pass signature=, "
            f"one of: {_names(loaded)}."
        )
    if not callable(loaded):
        if not getattr(loaded, "signatures", None):
            raise errors.LayerSettingsError(
                f"handle is {settings.shown}, which is neither a handle nor callable. Give the folder or "
                "the URL of a module, or a callable."
            )
        raise errors.LayerSettingsError(
            f"{settings.shown} is not callable as a whole. Pass signature=, one of: {_names(loaded)}; "
            "with it output_key=, or signature_outputs_as_dict=True."
        )
    is_function = isinstance(loaded, tf.types.experimental.PolymorphicFunction)
    call = loaded if is_function or inspect.isroutine(loaded) else loaded.__call__
    traces = getattr(call, "concrete_functions", ())
    taken = [trace.structured_input_signature[0] for trace in traces]
    taken.append(getattr(call, "input_signature", None))
    return Function(
        loaded,
        takes_training=_takes_training(call, traces),
        inputs=[positional[0] for positional in taken if positional],
    )


def _signature(loaded: Any, settings: LayerSettings) -> Function:
    if settings.output_key is None and not settings.outputs_as_dict:
        raise errors.LayerSettingsError(
            f"A call of the signature {texts.shown(settings.signature)} gives its outputs by name. Pass "
            "output_key= for one of them, or signature_outputs_as_dict=True for all."
        )
    signatures = getattr(loaded, "signatures", {})
    if settings.signature not in signatures:
        raise errors.SignatureNotFoundError(
            f"{settings.shown} has no signature {texts.shown(settings.signature)}. "
            f"It has: {_names(loaded)}."
        )
    call = signatures[settings.signature]
    return Function(call, by_name=True, inputs=[call.structured_input_signature[1]])


def _names(loaded: Any) -> str:
    return texts.shown_names(sorted(getattr(loaded, "signatures", {}))) or "none"


def _takes_training(call: Any, traces: Sequence[Any]) -> bool:
    if any(_TRAINING in trace.function_type.parameters for trace in traces):
        return True
    try:
        return _TRAINING in inspect.signature(getattr(call, "python_function", call)).parameters
    except (TypeError, ValueError):  # it says nothing of its arguments
        return False


def _variables(loaded: Any, name: str) -> list[tf.Variable]:
    """Returns variables of TensorFlow that an object lists; Keras finds those of its own."""
    listed = getattr(loaded, name, None) or ()
    return [variable for variable in listed if isinstance(variable, tf.Variable)]


def _losses(loaded: Any, settings: LayerSettings) -> list[Callable[[], Any]]:
    losses = list(getattr(loaded, "regularization_losses", None) or ())
    if not all(map(callable, losses)):
        raise errors.LayerSettingsError(
            f"regularization_losses of {settings.shown} has what is not callable. Each must be a "
            "function without arguments that gives a scalar."
        )
    return losses
