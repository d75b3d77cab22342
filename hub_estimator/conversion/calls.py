"""What can be called of an eager object, each with its inputs and its outputs by name."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import tensorflow as tf

from hub_estimator import errors
from hub_estimator.format.variant import DEFAULT, inside_sentence
from hub_estimator.keras.functions import can_be_told, told_of_training, traced_parameters

_TRAINING = "training"  # the argument by which `__call__` is told to train
_SERVING_DEFAULT = "serving_default"


@dataclasses.dataclass(frozen=True)
class NamedCall:
    """A function of an object, as a signature of a module.

    Attributes:
      inputs: the `tf.TypeSpec` of each input by its name.
      call: gives the outputs by name for the inputs by name; told whether to train.
      takes_training: whether it makes a difference what it is told.
    """

    inputs: Mapping[str, Any]
    call: Callable[[Mapping[str, Any], bool], dict[str, Any]]
    takes_training: bool = False


def named_calls(loaded: Any, source: str) -> dict[str, NamedCall]:
    """Returns what can be called of an object by the names of a module's signatures.

    Its `__call__` is the default one; where it has none, its default signature is.

    Args:
      loaded: the object, as `tf.saved_model.load` returns it.
      source: what messages call it.

    Raises:
      errors.NotConvertibleError: nothing of it can be called.
    """
    calls = {name: _of_signature(function) for name, function in loaded.signatures.items()}
    if callable(loaded):
        called = _of_call(loaded, source)
        calls[DEFAULT] = _both(calls[DEFAULT], called) if DEFAULT in calls else called
    if not calls:
        raise errors.NotConvertibleError(
            f"{source} has neither a __call__ nor a signature, so there is nothing that a module could "
            "compute. Save it with one: tf.saved_model.save(obj, path, signatures=...)."
        )
    if DEFAULT not in calls:
        name = _SERVING_DEFAULT if _SERVING_DEFAULT in calls else min(calls)
        calls[DEFAULT] = calls[name]
    return calls


def _of_signature(function: Any) -> NamedCall:
    inputs = dict(function.structured_input_signature[1])
    return NamedCall(inputs, lambda given, _: named_outputs(function(**given)))


def _both(signature: NamedCall, called: NamedCall) -> NamedCall:
    """Returns a signature that trains as a `__call__` does, where the two take the same.

    A signature has names, and all outputs; `__call__` alone can be told to train, and takes sparse
    and ragged tensors, which a signature takes in parts.
    """
    names = {name: name for name in called.inputs}
    if len(called.inputs) == 1 and signature.inputs:
        names = dict.fromkeys(called.inputs, min(signature.inputs, key=len))
    parts = _parts({names[name]: spec for name, spec in called.inputs.items()})
    if {name: part.dtype for name, part in parts.items()} != {
        name: spec.dtype for name, spec in signature.inputs.items()
    }:
        return called

    def call(given: Mapping[str, Any], training: bool) -> dict[str, Any]:
        if training:
            return called.call({name: given[other] for name, other in names.items()}, training)
        return signature.call(_parts(given), training)

    inputs = {other: called.inputs[name] for name, other in names.items()}
    return NamedCall(inputs, call, called.takes_training)


def _parts(values: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the parts of tensors or specs by the names that TensorFlow gives them in signatures."""
    return {
        f"{name}_{number}" if number else name: part
        for name, value in values.items()
        for number, part in enumerate(tf.nest.flatten(value, expand_composites=True))
    }


def _of_call(loaded: Any, source: str) -> NamedCall:
    functions = getattr(loaded.__call__, "concrete_functions", None)
    if not functions:
        raise errors.NotConvertibleError(
            f"The __call__ of {inside_sentence(source)} was saved without anything that it computes. "
            "Call the object once, or give its tf.function an input_signature, before it is saved."
        )
    parameters = traced_parameters(functions[0])
    told = told_of_training(functions)
    takes_any = bool(told) and can_be_told(told)
    parameters.pop(_TRAINING, None)
    inputs: dict[str, Any] = {}
    places = {  # the names of the inputs at the leaves of each argument
        name: [_add(inputs, path, leaf) for path, leaf in _leaves(value, name)]
        for name, value in parameters.items()
    }

    def call(given: Mapping[str, Any], training: bool) -> dict[str, Any]:
        values = {
            name: tf.nest.pack_sequence_as(
                value,
                [
                    leaf if place is None else given[place]
                    for leaf, place in zip(tf.nest.flatten(value), places[name], strict=True)
                ],
            )
            for name, value in parameters.items()
        }
        if told:
            values[_TRAINING] = training if takes_any else told[0]
        return named_outputs(loaded(**values))

    return NamedCall(inputs, call, takes_any)


def _leaves(value: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Yields the leaves of an argument, each with a name; one that is the whole has that of all."""
    if isinstance(value, Mapping):
        for key in sorted(value):
            yield from _leaves(value[key], str(key))
    elif isinstance(value, (list, tuple)):
        for number, element in enumerate(value):
            own = getattr(element, "name", None) or f"{name}_{number}"
            yield from _leaves(element, own.partition(":")[0])
    else:
        yield name, value


def _add(inputs: dict[str, Any], name: str, leaf: Any) -> str | None:
    """Adds an input under a name that is free; None for what is not a tensor."""
    if not isinstance(leaf, tf.TypeSpec):
        return None
    number, free = 0, name
    while free in inputs:
        number += 1
        free = f"{name}_{number}"
    inputs[free] = leaf
    return free


def named_outputs(outputs: Any) -> dict[str, Any]:
    """Returns the tensors of an output by name: the keys of a dict, or `default` for one tensor."""
    return dict(_outputs(outputs, ""))


def _outputs(value: Any, name: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        items = [(str(key), value[key]) for key in value]
    elif isinstance(value, (list, tuple)):
        items = [(str(number), element) for number, element in enumerate(value)]
        name = name or "output"
    else:
        if value is not None:
            yield name or DEFAULT, value
        return
    for key, element in items:
        yield from _outputs(element, f"{name}_{key}" if name else key)
