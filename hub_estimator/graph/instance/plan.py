"""What of a stored graph makes a module's state: worked out once, used for each instance."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from typing import Any

import tensorflow as tf
from tensorflow.core.framework import variable_pb2

from hub_estimator import errors
from hub_estimator.format import collections
from hub_estimator.format.assets import asset_nodes, set_asset_path
from hub_estimator.format.checkpoint import balanced
from hub_estimator.format.nodes import node_of, tensor_of
from hub_estimator.format.spec import ModuleSpec
from hub_estimator.format.variant import VariableEntry, Variant, quoted
from hub_estimator.graph.importing.parts import GraphPart, make_part

Trainable = bool | str
"""Whether variables are trained: all that the publisher made trainable, none, or those of them whose
names the regular expression is found in."""

_RESTORE = "checkpoint_initializer"


@dataclasses.dataclass(frozen=True)
class Training:
    """What of a variant is trained, where it is; there may be no variables to train.

    Attributes:
      variables: the node names of the variables that are trained.
      is_whole: whether all is that the publisher made trainable, rather than some chosen variables.
    """

    variables: frozenset[str]
    is_whole: bool = True


@dataclasses.dataclass(frozen=True)
class InitialValue:
    """What gives a variable its initial value, where it is created rather than imported.

    Attributes:
      entry: the variable.
      part: the nodes to import; other variables that they read are fed. None where the checkpoint
        has the value.
    """

    entry: VariableEntry
    part: GraphPart | None


@dataclasses.dataclass(frozen=True)
class StatePlan:
    """What of a variant makes its state.

    Attributes:
      created: the variables to create before, each after those that its initial value reads.
      part: the nodes to import.
      protos: the `VariableDef`s of the variables; their nodes are in the part.
      losses: the tensors of the regularization losses.
      initializers: the operations that fill tables.
    """

    created: tuple[InitialValue, ...]
    part: GraphPart
    protos: tuple[Any, ...]
    losses: tuple[str, ...]
    initializers: tuple[str, ...]


def choose_training(variant: Variant, trainable: Trainable) -> Training | None:
    """Returns what of a variant is trained; None where it is not.

    Raises:
      errors.NoTrainableVariablesError: no trainable variable's name has the regular expression, or
        it is none.
    """
    if not trainable:
        return None
    names = trainable_names(variant, trainable)
    if not isinstance(trainable, str):
        return Training(names)
    if not names:
        raise errors.NoTrainableVariablesError(
            f"trainable={trainable!r} is found in the name of no trainable variable. There are: "
            f"{quoted(trainable_names(variant, True))}."
        )
    return Training(names, is_whole=False)


def trainable_names(variant: Variant, trainable: Trainable) -> frozenset[str]:
    """Returns the node names of the variables that are trained; there may be none.

    Raises:
      errors.NoTrainableVariablesError: `trainable` is no regular expression.
    """
    if not trainable:
        return frozenset()
    defs = collections.variable_defs(variant.meta_graph, collections.TRAINABLE_VARIABLES)
    names = frozenset(node_of(proto.variable_name) for proto in defs)
    if not isinstance(trainable, str):
        return names
    try:
        pattern = re.compile(trainable)
    except re.error as error:
        raise errors.NoTrainableVariablesError(
            f"trainable={trainable!r} is not a regular expression: {error}."
        ) from error
    return frozenset(name for name in names if pattern.search(name))


def state_plan(
    spec: ModuleSpec,
    variant: Variant,
    training: Training | None,
    given: frozenset[str] = frozenset(),
    creates: bool = False,
) -> StatePlan:
    """Returns the plan of a variant's state.

    Args:
      spec: the module.
      variant: the variant.
      training: what of it is trained.
      given: the nodes of the state that are there already, and are fed.
      creates: whether its variables are created, and fed then, rather than imported.
    """
    key = ("state plan", training, given, creates)
    if key not in variant.prepared:
        created = _initial_values(spec, variant, given) if creates else ()
        fed = given.union(value.entry.op_name for value in created)
        variant.prepared[key] = _make_plan(spec, variant, training, fed, created)
    return variant.prepared[key]


def _make_plan(
    spec: ModuleSpec,
    variant: Variant,
    training: Training | None,
    given: frozenset[str],
    created: tuple[InitialValue, ...],
) -> StatePlan:
    restores = spec.checkpoint_path is not None
    variables = [entry for entry in variant.variables if entry.op_name not in given]
    losses = state_losses(variant, training)
    initializers = table_initializers(variant, given)
    roots = {*variant.instance_nodes - given, *initializers, *map(node_of, losses)}
    for entry in variables:
        roots.add(node_of(entry.proto.snapshot_name))
        if not restores:
            roots |= set(
                map(node_of, (entry.proto.initializer_name, entry.proto.initial_value_name))
            )
    part = _part(variant, roots - {""}, given)
    paths = asset_nodes(variant.meta_graph, spec.asset_paths)
    for node in part.graph_def.node:
        if node.name in paths:
            set_asset_path(node, paths[node.name])
    protos = [entry.proto for entry in variables]
    if restores and protos:
        protos = _add_restores(part.graph_def, variables, spec.checkpoint_path or "")
    return StatePlan(created, part, tuple(protos), tuple(losses), tuple(initializers))


def _part(variant: Variant, roots: set[str], given: frozenset[str]) -> GraphPart:
    state = variant.instance_nodes
    names = variant.nodes.ancestors(
        roots, lambda edge: node_of(edge) in given or (edge.startswith("^") and edge[1:] in state)
    )
    part = make_part(variant, names, frozenset(f"{name}:0" for name in given))
    for node in part.graph_def.node:
        if node.name in state:
            # State has no inputs; what the author made it wait for is not its own.
            del node.input[:]
    return part


def _initial_values(
    spec: ModuleSpec, variant: Variant, given: frozenset[str]
) -> tuple[InitialValue, ...]:
    """The initial values of the variables that are not there."""
    entries = {entry.op_name: entry for entry in variant.variables if entry.op_name not in given}
    if spec.checkpoint_path is not None:
        return tuple(InitialValue(entry, None) for entry in entries.values())
    all_names = frozenset(entry.op_name for entry in variant.variables)
    ordered: dict[str, InitialValue] = {}

    def add(name: str) -> None:
        if name not in entries or name in ordered:
            return
        part = _part(variant, {node_of(entries[name].proto.initial_value_name)}, all_names)
        for other in sorted(map(node_of, part.fed)):
            add(other)
        ordered[name] = InitialValue(entries[name], part)

    for name in entries:
        add(name)
    return tuple(ordered.values())


def table_initializers(variant: Variant, given: frozenset[str]) -> list[str]:
    """Returns the operations that fill tables, but not those of tables that are there already."""
    names = collections.node_names(variant.meta_graph, collections.TABLE_INITIALIZERS)
    return [
        name
        for name in names
        if not given
        & {node_of(edge) for edge in variant.nodes[name].input}
        - {node_of(asset) for asset in collections.asset_files(variant.meta_graph)}
    ]


def state_losses(variant: Variant, training: Training | None) -> list[str]:
    """Returns the names of the regularization losses of what is trained that need no input."""
    if training is None:
        return []
    state = variant.instance_nodes
    losses = []
    for loss in collections.node_names(variant.meta_graph, collections.REGULARIZATION_LOSSES):
        needed = variant.nodes.ancestors([node_of(loss)], lambda edge: False)
        is_ours = training.is_whole or needed & training.variables or not needed & state
        if is_ours and node_of(loss) not in variant.fed_nodes:
            losses.append(loss)
    return losses


def _add_restores(
    graph_def: Any, variables: Sequence[VariableEntry], checkpoint_path: str
) -> list[Any]:
    """Makes operations restore the initial values of all variables; returns their new protos.

    One does where there is little to read; several read much at the same time.
    """
    protos = {}
    for group in balanced([entry.size for entry in variables]):
        entries = [variables[index] for index in group]
        restore = _add_restore(graph_def, entries, checkpoint_path)
        for output, entry in enumerate(entries):
            protos[entry.op_name] = _add_assignment(graph_def, entry, f"{restore}:{output}")
    return [protos[entry.op_name] for entry in variables]


def _add_restore(graph_def: Any, variables: Sequence[VariableEntry], checkpoint_path: str) -> str:
    """Adds an operation that restores values; returns its name."""
    taken = {node.name for node in graph_def.node}
    restore = _RESTORE
    while restore in taken:
        restore += "_"
    _add_constant(graph_def, f"{restore}/prefix", checkpoint_path)
    _add_constant(graph_def, f"{restore}/keys", [entry.key for entry in variables])
    _add_constant(graph_def, f"{restore}/slices", [entry.slice_spec for entry in variables])
    node = graph_def.node.add(name=restore, op="RestoreV2")
    node.input.extend([f"{restore}/prefix", f"{restore}/keys", f"{restore}/slices"])
    types = [entry.dtype.base_dtype.as_datatype_enum for entry in variables]
    node.attr["dtypes"].list.type.extend(types)
    return restore


def _add_constant(graph_def: Any, name: str, value: Any) -> None:
    node = graph_def.node.add(name=name, op="Const")
    node.attr["dtype"].type = tf.string.as_datatype_enum
    node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(value, tf.string))


def _add_assignment(graph_def: Any, entry: VariableEntry, value: str) -> Any:
    is_resource = entry.proto.is_resource
    op = "AssignVariableOp" if is_resource else "Assign"
    node = graph_def.node.add(name=entry.proto.initializer_name, op=op)
    node.input.extend([entry.op_name, value])
    node.attr["dtype" if is_resource else "T"].type = entry.dtype.base_dtype.as_datatype_enum
    if not is_resource and not entry.shape.is_fully_defined():
        node.attr["validate_shape"].b = False  # as for variables made with validate_shape=False
    node.attr["_class"].list.s.append(f"loc:@{entry.op_name}".encode())
    proto = variable_pb2.VariableDef()
    proto.CopyFrom(entry.proto)
    proto.initial_value_name = tensor_of(value)
    return proto
