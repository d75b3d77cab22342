"""The variables of modules, SavedModels and checkpoints, described; their values are not read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import tensorflow as tf
from tensorflow.core.protobuf import trackable_object_graph_pb2

from hub_estimator.format import collections
from hub_estimator.format.checkpoint import missing_values
from hub_estimator.format.description.module_description import VariableDescription, elements
from hub_estimator.format.description.object_graph import ObjectGraph
from hub_estimator.format.description.signatures import as_shape
from hub_estimator.format.nodes import node_of
from hub_estimator.format.spec import ModuleSpec

OBJECT_GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"
"""The key under which checkpoints of objects store which objects these are."""

_OF_VALUE = "/.ATTRIBUTES/VARIABLE_VALUE"
_OF_UNKNOWN_SIZE = frozenset({tf.string, tf.resource, tf.variant})

Variables = tuple[VariableDescription, ...]


def of_spec(spec: ModuleSpec) -> Variables:
    """Returns the variables of the graph variants of a TF1 Hub module or SavedModel."""
    trainable = {
        node_of(proto.variable_name)
        for variant in spec.variants
        for proto in collections.variable_defs(variant.meta_graph, collections.TRAINABLE_VARIABLES)
    }
    parts: dict[str, list[Any]] = {}
    for entry in spec.variables:
        parts.setdefault(entry.key, []).append(entry)
    described = []
    for key, entries in parts.items():
        has_value = not missing_values(entries, spec.stored)
        described.append(
            _described(
                key,
                key if has_value else None,
                spec.stored[key] if has_value else entries[0].spec,
                any(entry.op_name in trainable for entry in entries),
                len(entries),
            )
        )
    return tuple(described)


def of_objects(
    objects: ObjectGraph, stored: Mapping[str, tf.TensorSpec], object_graph: bytes
) -> Variables:
    """Returns the variables of a TF2 SavedModel.

    They have the names that they were given. Programs may give one name twice; those are named by
    their paths from the object at the root.

    Args:
      objects: its objects.
      stored: the type and the shape of each value in its checkpoint, by its key.
      object_graph: what the checkpoint has under `OBJECT_GRAPH`.
    """
    keys = objects.keys(trackable_object_graph_pb2.TrackableObjectGraph.FromString(object_graph))
    found = list(objects.of_kind("variable"))
    given = Counter(variable.name for _, variable in found)
    names = {
        number: variable.name
        if variable.name and given[variable.name] == 1
        else objects.path(number)
        for number, variable in found
    }
    clashing = {name for name, count in Counter(names.values()).items() if count > 1}
    described = []
    for number, variable in found:
        key = keys.get(number)
        name = names[number]
        spec = tf.TensorSpec(variable.shape, tf.as_dtype(variable.dtype))
        described.append(
            _described(
                f"{name} (object {number})" if name in clashing else name,
                key if key in stored else None,
                stored.get(key or "", spec),
                objects.trainable(number, variable),
            )
        )
    return tuple(described)


def of_checkpoint(stored: Mapping[str, tf.TensorSpec]) -> tuple[Variables, Variables]:
    """Returns the variables of a checkpoint by its keys, and its other values.

    Args:
      stored: the type and the shape of each value, by its key.
    """
    variables = {key for key in stored if key.endswith(_OF_VALUE) or ".ATTRIBUTES/" not in key}
    named = {
        key: key if key.removesuffix(_OF_VALUE) in stored else key.removesuffix(_OF_VALUE)
        for key in sorted(variables - {OBJECT_GRAPH})
    }
    described = tuple(_described(name, key, stored[key], None) for key, name in named.items())
    return described, others(described, stored)


def others(
    variables: Iterable[VariableDescription], stored: Mapping[str, tf.TensorSpec]
) -> Variables:
    """Returns what a checkpoint holds beside the values of variables, sorted by key."""
    keys = set(stored) - {variable.key for variable in variables} - {OBJECT_GRAPH}
    return tuple(_described(key, key, stored[key], None) for key in sorted(keys))


def _described(
    name: str, key: str | None, spec: tf.TensorSpec, is_trainable: bool | None, parts: int = 1
) -> VariableDescription:
    dtype, shape = spec.dtype.base_dtype, as_shape(spec.shape)
    count = elements(shape)
    size = None if count is None or dtype in _OF_UNKNOWN_SIZE else count * dtype.size
    return VariableDescription(name, key, dtype.name, shape, size, is_trainable, parts)
