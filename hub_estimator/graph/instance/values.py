"""From a caller's values to a signature's input tensors, and from tensors to its outputs."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import tensorflow as tf

from hub_estimator import compat, errors
from hub_estimator.format.tensor_infos import ParsedTensorInfo, component_names, parse
from hub_estimator.format.variant import DEFAULT, inside_sentence, quoted


def convert_inputs(signature_def: Any, inputs: Any, what: str) -> dict[str, tf.Tensor]:
    """Returns the tensor for each stored input tensor name of a signature.

    Args:
      signature_def: the `SignatureDef`.
      inputs: what the caller gave: a dict, one value, or None.
      what: what messages call the signature.

    Raises:
      errors.InputError: keys are missing or extra, or a value does not fit.
    """
    feeds: dict[str, tf.Tensor] = {}
    for key, value in convert_by_name(signature_def, inputs, what).items():
        names = component_names(signature_def.inputs[key])
        feeds.update(zip(names, tf.nest.flatten(value, expand_composites=True), strict=True))
    return feeds


def convert_by_name(signature_def: Any, inputs: Any, what: str) -> dict[str, Any]:
    """Returns a caller's values as tensors, sparse or composite ones, by the inputs' names.

    Args and errors are those of `convert_inputs`.
    """
    given = inputs_by_name(signature_def.inputs, inputs, what)
    return {
        key: _convert(given[key], parse(info), f"The input {key!r} of {inside_sentence(what)}")
        for key, info in sorted(signature_def.inputs.items())
    }


def inputs_by_name(names: Collection[str], inputs: Any, what: str) -> Mapping[str, Any]:
    """Returns a caller's values by the names of a signature's inputs, exactly these.

    Args:
      names: the names of the inputs.
      inputs: what the caller gave: a dict, the value of the one input, or None for no inputs.
      what: what messages call the signature.

    Raises:
      errors.InputError: inputs are missing or extra.
    """
    given = _as_dict(names, inputs, what)
    missing, extra = set(names) - set(given), set(given) - set(names)
    if missing or extra:
        raise errors.InputError(
            f"{what} takes the inputs {quoted(names)}. Missing: {quoted(missing)}. "
            f"Not known: {quoted(extra)}."
        )
    return given


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
      errors.OutputError: one is asked for, and there is none of that name.
    """
    if as_dict:
        return dict(outputs)
    if DEFAULT not in outputs:
        raise errors.OutputError(
            f"{what} has no output named {DEFAULT!r}. Call with as_dict=True and take one of "
            f"{quoted(outputs)}."
        )
    return outputs[DEFAULT]


def _as_dict(names: Collection[str], inputs: Any, what: str) -> Mapping[str, Any]:
    if isinstance(inputs, Mapping):
        return inputs
    if inputs is None:
        return {}
    if len(names) == 1:
        return {next(iter(names)): inputs}
    if not names:
        raise errors.InputError(f"{what} takes no inputs, but was given {inputs!r}.")
    raise errors.InputError(
        f"{what} takes several inputs. Give a dict with the keys {quoted(names)}."
    )


def _convert(value: Any, info: ParsedTensorInfo, what: str) -> Any:
    spec = info.type_spec
    converted = _as_tensor(value, info, what)
    got = ParsedTensorInfo(tf.type_spec_from_value(converted))
    # A ragged or sparse value in place of a dense one is already told apart by its spec's class.
    fits = type(got.type_spec) is type(spec) and got.dtype == info.dtype
    if not fits or not got.get_shape().is_compatible_with(info.get_shape()):
        raise errors.InputError(f"{what} takes {_text(info)}, but was given {_text(got)}.")
    graph = tf.compat.v1.get_default_graph()
    for component in tf.nest.flatten(converted, expand_composites=True):
        if not _is_usable(component, graph):
            raise errors.InputError(
                f"{what} was given {value!r}, which is a tensor of another graph."
            )
    if info.is_composite and not spec.is_compatible_with(converted):
        raise errors.InputError(f"{what} takes {spec}, but was given {got.type_spec}.")
    return converted


def _is_usable(tensor: tf.Tensor, graph: tf.Graph) -> bool:
    owner = getattr(tensor, "graph", None)
    if owner is None:  # an eager one
        return tf.executing_eagerly() or compat.is_function_graph(graph)
    return compat.is_inside(graph, owner)


def _as_tensor(value: Any, info: ParsedTensorInfo, what: str) -> Any:
    if isinstance(value, tf.compat.v1.SparseTensorValue):
        return tf.SparseTensor.from_value(value)
    if isinstance(value, tf.compat.v1.ragged.RaggedTensorValue):
        return tf.ragged.constant(value.to_list(), dtype=value.dtype)
    is_composite = tf.is_tensor(value) and not isinstance(value, (tf.Tensor, tf.Variable))
    if is_composite:
        return value
    if info.is_sparse or info.is_composite:
        raise errors.InputError(f"{what} takes {_text(info)}, but was given {value!r}.")
    try:
        return tf.convert_to_tensor(value, dtype=None if tf.is_tensor(value) else info.dtype)
    except (TypeError, ValueError, RuntimeError) as error:  # the last for eager tensors
        raise errors.InputError(
            f"{what} takes {_text(info)}, and {value!r} cannot be converted: {error}"
        ) from error


def _text(info: ParsedTensorInfo) -> str:
    kind = type(info.type_spec).__name__.removesuffix("Spec")
    return f"a {info.dtype.name} {kind} of shape {info.get_shape()}"
