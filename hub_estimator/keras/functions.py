"""What a call of a layer calls: a callable, a signature, or a signature of a TF1 Hub module."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import tensorflow as tf

from hub_estimator import errors, texts
from hub_estimator.graph.reusable.module import Computed, ReusableModule

_TRAINING = "training"  # the argument by which a callable is told to train


@dataclasses.dataclass(frozen=True)
class Function:
    """A function that a layer calls.

    Attributes:
      call: the function itself; what it is called with is below.
      by_name: whether it takes its inputs by their names, as a signature does.
      takes_training: whether it takes an argument that says whether to train.
      told: what its traces were told of that; without any, it can be told both.
      inputs: what it takes, once for each trace that it has: a `tf.TypeSpec`, or several nested as
        the inputs are; empty where it does not say.
    """

    call: Callable[..., Any]
    by_name: bool = False
    takes_training: bool = False
    told: Sequence[Any] = ()
    inputs: Sequence[Any] = ()

    def __call__(self, inputs: Any, training: bool, arguments: Mapping[str, Any]) -> Computed:
        """Calls it.

        Args:
          inputs: a tensor, or several nested; by their names, if that is how it takes them.
          training: whether to train, for what takes that.
          arguments: further arguments by name.
        """
        extra = dict(arguments)
        if self.takes_training:
            extra[_TRAINING] = training if can_be_told(self.told) else self.told[0]
        if self.by_name:
            return Computed(self.call(**inputs, **extra), [])
        return Computed(self.call(inputs, **extra), [])

    @property
    def only_input_type(self) -> tf.DType | None:
        """The type of the input, if there is one only and its type is known."""
        taken = [next(iter(item.values())) if _is_one(item) else item for item in self.inputs]
        types = {getattr(item, "dtype", None) for item in taken}
        return types.pop() if len(types) == 1 else None

    def arranged(self, inputs: Any, arguments: Mapping[str, Any]) -> Any:
        """Returns inputs, or what is nested as they are, as it takes them: maybe by their names.

        Args:
          inputs: those of a call of the layer.
          arguments: what it gets besides.

        Raises:
          errors.InputError: a signature has several inputs, or none, and these have no names.
        """
        if not self.by_name or isinstance(inputs, Mapping):
            return inputs
        names = [name for name in self.inputs[0] if name not in arguments]
        if len(names) != 1:
            raise errors.InputError(
                f"The signature takes the inputs {texts.shown_names(sorted(names)) or '(none)'}, and the "
                "layer got one value without a name. Call the layer with a dict that has them all."
            )
        return {names[0]: inputs}


@dataclasses.dataclass(frozen=True)
class ModuleFunction(Function):
    """A signature of a TF1 Hub module.

    Attributes:
      call: the module.
      signature: the signature's name.
    """

    call: ReusableModule
    signature: str = dataclasses.field(kw_only=True)

    def __call__(self, inputs: Any, training: bool, arguments: Mapping[str, Any]) -> Computed:
        """Calls it; see `Function`."""
        return self.call.compute({**inputs, **arguments}, self.signature, training)


def function_of(loaded: Any) -> Function:
    """Returns how a callable object is called."""
    is_function = isinstance(loaded, tf.types.experimental.PolymorphicFunction)
    call = loaded if is_function or inspect.isroutine(loaded) else loaded.__call__
    traces = getattr(call, "concrete_functions", ())
    told = told_of_training(traces)
    taken = [trace.structured_input_signature[0] for trace in traces]
    taken.append(getattr(call, "input_signature", None))
    return Function(
        loaded,
        takes_training=bool(told) or _takes_training(call),
        told=told,
        inputs=[positional[0] for positional in taken if positional],
    )


def signature_of(function: Any) -> Function:
    """Returns how a signature of a loaded SavedModel is called."""
    return Function(function, by_name=True, inputs=[function.structured_input_signature[1]])


def _is_one(taken: Any) -> bool:
    return isinstance(taken, Mapping) and len(taken) == 1


def _takes_training(call: Any) -> bool:
    try:
        return _TRAINING in inspect.signature(getattr(call, "python_function", call)).parameters
    except (TypeError, ValueError):  # it says nothing of its arguments
        return False


def traced_parameters(trace: Any) -> dict[str, Any]:
    """Returns what a function was traced with, by the names of its parameters."""
    arguments, keywords = trace.structured_input_signature
    names = list(trace.function_type.parameters)
    return dict(zip(names, arguments, strict=False)) | dict(keywords)


def told_of_training(traces: Iterable[Any]) -> list[Any]:
    """Returns what traces were told of whether to train: a value or a `tf.TypeSpec` for each."""
    return [found[_TRAINING] for found in map(traced_parameters, traces) if _TRAINING in found]


def can_be_told(told: Sequence[Any]) -> bool:
    """Whether a function of such traces can be told to train, and not to.

    Saved is what was traced: with one value alone, there is no other to be told.
    """
    either = {True, False} <= {value for value in told if isinstance(value, bool)}
    return not told or either or any(isinstance(value, tf.TypeSpec) for value in told)
