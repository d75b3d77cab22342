"""What can be called: signatures, and the functions of a TF2 SavedModel's object at the root."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import tensorflow as tf

from hub_estimator import compat
from hub_estimator.format.description.module_description import (
    Shape,
    SignatureDescription,
    TensorDescription,
)
from hub_estimator.format.tensor_infos import ParsedTensorInfo, parse
from hub_estimator.format.variant import DEFAULT

CALL = "__call__"
"""The function that is meant where an object is called."""

TRAINING = "training"
"""The argument that tells a function whether to train."""

# What tells programs that load a graph how to begin, and takes and gives nothing.
_OF_LOADERS = frozenset({"__saved_model_init_op", "__saved_model_train_op"})
_ROWS = ("tuple_value", "list_value")


def of_graph(meta_graph: Any) -> tuple[SignatureDescription, ...]:
    """Returns the signatures of a `MetaGraphDef`.

    Raises:
      errors.BrokenModuleError: one has a tensor in no encoding that there is.
    """
    return tuple(
        SignatureDescription(name, _of_infos(signature.inputs), _of_infos(signature.outputs))
        for name, signature in sorted(meta_graph.signature_def.items())
        if name not in _OF_LOADERS
    )


def of_function(name: str, function: Any, concrete: Mapping[str, Any]) -> SignatureDescription:
    """Returns what a function of an object takes and gives.

    Functions are stored once for each kind of arguments: the first that is not for training tells.

    Args:
      name: its name.
      function: its `SavedFunction`.
      concrete: the `SavedConcreteFunction`s by name.
    """
    argument_names = _argument_names(function)
    calls = [
        _Arguments(argument_names, concrete[of].canonicalized_input_signature)
        for of in function.concrete_functions
    ]
    chosen = next((call for call in calls if not call.trains), calls[0])
    outputs = concrete[function.concrete_functions[calls.index(chosen)]].output_signature
    return SignatureDescription(
        name,
        _sorted(chosen.tensors),
        _sorted(_tensors(outputs, DEFAULT, named_by_key=True)),
        tuple(dict.fromkeys(name for call in calls for name in call.settings)),
    )


class _Arguments:
    """What one of a function's graphs is called with.

    Attributes:
      tensors: its inputs.
      settings: the names of its other arguments.
      trains: whether it is the one for training.
    """

    def __init__(self, names: list[str], signature: Any) -> None:
        positional, named = signature.tuple_value.values
        given = [
            (names[index] if index < len(names) else str(index), value)
            for index, value in enumerate(positional.tuple_value.values)
        ]
        given += sorted(named.dict_value.fields.items())
        self.tensors: list[TensorDescription] = []
        self.settings: list[str] = []
        self.trains = False
        for name, value in given:
            found = list(_tensors(value, name, named_by_key=True))
            self.tensors += found
            if not found:
                self.settings.append(name)
                self.trains |= name == TRAINING and value.bool_value


def _argument_names(function: Any) -> list[str]:
    """The names of a function's positional arguments."""
    for pair in function.function_spec.fullargspec.named_tuple_value.values:
        if pair.key == "args":
            names = [name.string_value for name in pair.value.list_value.values]
            return names[1:] if names[:1] == ["self"] else names
    return []


def _tensors(value: Any, name: str, named_by_key: bool) -> Iterator[TensorDescription]:
    """Yields the tensors in a `StructuredValue`.

    Args:
      value: the value.
      name: the name of a single one.
      named_by_key: whether those of a dict are named by their keys alone.
    """
    kind = value.WhichOneof("kind")
    if kind in _ROWS:
        for index, inner in enumerate(getattr(value, kind).values):
            yield from _tensors(inner, f"{name}/{index}", named_by_key=False)
    elif kind == "dict_value":
        for key, inner in sorted(value.dict_value.fields.items()):
            yield from _tensors(inner, key if named_by_key else f"{name}/{key}", named_by_key=False)
    elif kind == "named_tuple_value":
        for pair in value.named_tuple_value.values:
            yield from _tensors(pair.value, f"{name}/{pair.key}", named_by_key=False)
    elif kind in ("tensor_spec_value", "bounded_tensor_spec_value"):
        spec = getattr(value, kind)
        parsed = tf.TensorSpec(tf.TensorShape(spec.shape), tf.as_dtype(spec.dtype))
        yield _described(name, ParsedTensorInfo(parsed))
    elif kind == "type_spec_value":
        yield _composite(name, value.type_spec_value)


def _composite(name: str, proto: Any) -> TensorDescription:
    try:
        return _described(name, ParsedTensorInfo(compat.decode_type_spec(proto)))
    except (AttributeError, IndexError, LookupError, TypeError, ValueError):
        # A type of the program that wrote it, which nobody needs to have to read what is there.
        return TensorDescription(name, proto.type_spec_class_name, None, None)


def _of_infos(infos: Mapping[str, Any]) -> tuple[TensorDescription, ...]:
    return _sorted(_described(name, parse(info)) for name, info in infos.items())


def _sorted(tensors: Iterable[TensorDescription]) -> tuple[TensorDescription, ...]:
    return tuple(sorted(tensors, key=lambda tensor: tensor.name))


def _described(name: str, parsed: ParsedTensorInfo) -> TensorDescription:
    return TensorDescription(
        name, _kind(parsed), parsed.dtype.base_dtype.name, as_shape(parsed.get_shape())
    )


def _kind(parsed: ParsedTensorInfo) -> str:
    if parsed.is_sparse:
        return "sparse"
    if isinstance(parsed.type_spec, tf.RaggedTensorSpec):
        return "ragged"
    return type(parsed.type_spec).__name__ if parsed.is_composite else "dense"


def as_shape(shape: tf.TensorShape) -> Shape:
    """Returns a static shape as a description has it."""
    return None if shape.rank is None else tuple(shape.as_list())
