"""Variables under a distribution strategy, which wants to make them itself.

A strategy mirrors each variable, or puts it where it belongs, when it is created through TensorFlow's
variable creators; variables that arrive with an imported graph escape it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf

from hub_estimator.errors import PartitionedVariableError
from hub_estimator.format.nodes import node_of
from hub_estimator.format.spec import ModuleSpec
from hub_estimator.format.variant import VariableEntry, Variant
from hub_estimator.graph.parts import import_part
from hub_estimator.graph.state_plan import initial_value_part


def index() -> int:
    """Returns the number of the current replica; 0 outside of a strategy's replicas."""
    context = tf.distribute.get_replica_context() if tf.distribute.has_strategy() else None
    if context is None:
        return 0
    return int(tf.get_static_value(context.replica_id_in_sync_group) or 0)


def component(variable: tf.Variable) -> tf.Variable:
    """Returns the current replica's part of a variable that a strategy may have mirrored."""
    if not tf.distribute.has_strategy():
        return variable
    parts = tf.distribute.get_strategy().experimental_local_results(variable)
    # Replicas are numbered over all workers, parts over those of this one.
    return parts[index() % len(parts)]


def handle(variable: tf.Variable) -> tf.Tensor:
    """Returns the handle of the current replica's part, or its reference."""
    return component(variable).op.outputs[0]


def create_variables(
    spec: ModuleSpec,
    variant: Variant,
    scope: str,
    trained: frozenset[str],
    there: Mapping[str, tf.Variable],
) -> dict[str, tf.Variable]:
    """Creates the variables of a variant that are not there, through the current strategy.

    Args:
      spec: the module.
      variant: the variant.
      scope: the absolute name scope of the variables, ending in a slash.
      trained: the node names of the variables that are trained.
      there: the variables that are there, by node name.

    Returns:
      The others by node name. They are in their collections.

    Raises:
      PartitionedVariableError: a variable is a part of a partitioned one.
    """
    for entry in variant.variables:
        if entry.slice_spec:
            raise PartitionedVariableError(
                f"{spec.source} has the partitioned variable {entry.key!r}, and TensorFlow's "
                "strategies cannot write parts to a checkpoint. Train without a strategy, or "
                "publish the module without a partitioner."
            )
    entries = {entry.op_name: entry for entry in variant.variables if entry.op_name not in there}
    variables = dict(there)
    with tf.compat.v1.name_scope(None):
        restored = _restore(spec, list(entries.values()), scope)

        def create(name: str) -> None:
            if name in variables:
                return
            if name not in restored:
                part = initial_value_part(variant, entries[name])
                for other in sorted(map(node_of, part.fed)):
                    create(other)
                restored[name] = _initial_value(variant, entries[name], scope, variables)
            variables[name] = _create(entries[name], restored[name], scope, name in trained)

        for name in entries:
            create(name)
    return {name: variables[name] for name in entries}


def _restore(
    spec: ModuleSpec, entries: Sequence[VariableEntry], scope: str
) -> dict[str, tf.Tensor]:
    if spec.checkpoint_path is None or not entries:
        return {}
    tensors = tf.raw_ops.RestoreV2(
        prefix=spec.checkpoint_path,
        tensor_names=[entry.key for entry in entries],
        shape_and_slices=[entry.slice_spec for entry in entries],
        dtypes=[entry.dtype.base_dtype for entry in entries],
        name=f"{scope}checkpoint_initializer",
    )
    for entry, tensor in zip(entries, tensors, strict=True):
        tensor.set_shape(entry.shape)
    return {entry.op_name: tensor for entry, tensor in zip(entries, tensors, strict=True)}


def _initial_value(
    variant: Variant, entry: VariableEntry, scope: str, variables: dict[str, tf.Variable]
) -> tf.Tensor:
    feeds = {f"{name}:0": handle(variable) for name, variable in variables.items()}
    part = initial_value_part(variant, entry)
    with tf.compat.v1.name_scope(f"{scope}{entry.op_name}_initial_value") as part_scope:
        name = entry.proto.initial_value_name
        return import_part(part, variant, part_scope, feeds, [name])[0]


def _create(entry: VariableEntry, value: tf.Tensor, scope: str, is_trained: bool) -> tf.Variable:
    proto: Any = entry.proto
    return tf.compat.v1.Variable(
        value,
        name=scope + node_of(proto.variable_name),
        dtype=entry.dtype.base_dtype,
        trainable=is_trained,
        use_resource=True if proto.is_resource else None,
        synchronization=tf.VariableSynchronization(proto.synchronization),
        aggregation=tf.compat.v1.VariableAggregation(proto.aggregation),
    )
