"""From a caller's values to a signature's input tensors, and from tensors to its outputs."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import tensorflow as tf

from hub_estimator import compat
from hub_estimator.errors import InputError, OutputError
from hub_estimator.format.tensor_infos import ParsedTensorInfo, component_names, parse
from hub_estimator.format.variant import DEFAULT, inside_sentence, quoted


def convert_inputs(signature_def: Any, inputs: Any, what: str) -> dict[str, tf.Tensor]:
    """Returns the tensor for each stored input tensor name of a signature.

    Args:
      signature_def: the `SignatureDef`.
      inputs: what the caller gave: a dict, one value, or None.
      what: what messages call the signature.

    Raises:
      InputError: keys are missing or extra, or a value does not fit.
    """
    given = _as_dict(signature_def, inputs, what)
    check_names(signature_def.inputs, given, what)
    feeds: dict[str, tf.Tensor] = {}
    for key, info in sorted(signature_def.inputs.items()):
        value = _convert(given[key], parse(info), f"The input {key!r} of {inside_sentence(what)}")
        feeds.update(
            zip(component_names(info), tf.nest.flatten(value, expand_composites=True), strict=True)
        )
    return feeds


def check_names(names: Collection[str], given: Collection[str], what: str) -> None:
    """Checks that a caller gave exactly the inputs of a signature.

    Raises:
      InputError: inputs are missing or extra.
    """
    missing, extra = set(names) - set(given), set(given) - set(names)
    if missing or extra:
        raise InputError(
            f"{what} takes the inputs {quoted(names)}. Missing: {quoted(missing)}. "
            f"Not known: {quoted(extra)}."
        )


def pack_output(tensor_info: Any, tensors: Mapping[str, tf.Tensor]) -> Any:
    """Returns an output of a signature, made of tensors by their stored names."""
    parsed = parse(tensor_info)
    flat = [tensors[name] for name in component_names(tensor_info)]
    if isinstance(parsed.type_spec, tf.TensorSpec):
        return flat[0]
    return tf.nest.pack_sequence_as(parsed.type_spec, flat, expand_composites=True)


def choose_outputs(outputs: Mapping[str, Any], as_dict: bool | None, what: str) -> Any:
    """Returns all outputs, or the one named `"default"`.

    Raises:
      OutputError: one is asked for, and there is none of that name.
    """
    if as_dict:
        return dict(outputs)
    if DEFAULT not in outputs:
        raise OutputError(
            f"{what} has no output named {DEFAULT!r}. Call with as_dict=True and take one of "
            f"{quoted(outputs)}."
        )
    return outputs[DEFAULT]


def _as_dict(signature_def: Any, inputs: Any, what: str) -> Mapping[str, Any]:
    if isinstance(inputs, Mapping):
        return inputs
    if inputs is None:
        return {}
    if len(signature_def.inputs) == 1:
        return {next(iter(signature_def.inputs)): inputs}
    if not signature_def.inputs:
        raise InputError(f"{what} takes no inputs, but was given {inputs!r}.")
    raise InputError(
        f"{what} takes several inputs. Give a dict with the keys {quoted(signature_def.inputs)}."
    )


def _convert(value: Any, info: ParsedTensorInfo, what: str) -> Any:
    spec = info.type_spec
    converted = _as_tensor(value, info, what)
    got = ParsedTensorInfo(tf.type_spec_from_value(converted))
    # A ragged or sparse value in place of a dense one is already told apart by its spec's class.
    fits = type(got.type_spec) is type(spec) and got.dtype == info.dtype
    if not fits or not got.get_shape().is_compatible_with(info.get_shape()):
        raise InputError(f"{what} takes {_text(info)}, but was given {_text(got)}.")
    graph = tf.compat.v1.get_default_graph()
    for component in tf.nest.flatten(converted, expand_composites=True):
        if not compat.is_inside(graph, component.graph):
            raise InputError(f"{what} was given {value!r}, which is a tensor of another graph.")
    if info.is_composite and not spec.is_compatible_with(converted):
        raise InputError(f"{what} takes {spec}, but was given {got.type_spec}.")
    return converted


def _as_tensor(value: Any, info: ParsedTensorInfo, what: str) -> Any:
    if isinstance(value, tf.compat.v1.SparseTensorValue):
        return tf.SparseTensor.from_value(value)
    if isinstance(value, tf.compat.v1.ragged.RaggedTensorValue):
        return tf.ragged.constant(value.to_list(), dtype=value.dtype)
    is_composite = tf.is_tensor(value) and not isinstance(value, (tf.Tensor, tf.Variable))
    if is_composite:
        return value
    if info.is_sparse or info.is_composite:
        raise InputError(f"{what} takes {_text(info)}, but was given {value!r}.")
    try:
        return tf.convert_to_tensor(value, dtype=None if tf.is_tensor(value) else info.dtype)
    except (TypeError, ValueError, RuntimeError) as e:  # the last for eager tensors
        raise InputError(
            f"{what} takes {_text(info)}, and {value!r} cannot be converted: {e}"
        ) from e


def _text(info: ParsedTensorInfo) -> str:
    kind = type(info.type_spec).__name__.removesuffix("Spec")
    return f"a {info.dtype.name} {kind} of shape {info.get_shape()}"
