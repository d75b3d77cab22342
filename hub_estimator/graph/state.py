"""The state of a module in a graph: its variables, tables and asset paths, and nothing else."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from typing import Any

import tensorflow as tf
from tensorflow.core.framework import variable_pb2

from hub_estimator import compat
from hub_estimator.errors import NameTakenError, NoTrainableVariablesError
from hub_estimator.format import collections
from hub_estimator.format.nodes import node_of, tensor_of
from hub_estimator.format.spec import ModuleSpec
from hub_estimator.format.variant import VariableEntry, Variant, quoted
from hub_estimator.graph.assets import asset_nodes, set_asset_path
from hub_estimator.graph.parts import GraphPart, import_part, make_part, prefix_shared_name

Trainable = bool | str
"""Whether variables are trained: all that the publisher made trainable, none, or those of them whose
names the regular expression is found in."""

_RESTORE = "checkpoint_initializer"
_STATE_ROOTS = "state"


@dataclasses.dataclass(frozen=True)
class StateGraph:
    """A module's state in a graph.

    Attributes:
      scope: the absolute name scope of the state, ending in a slash.
      graph: the graph.
      variables: the variables by node name.
      values: the tensor with each variable's current value, by node name.
      feeds: the tensors that applications of the module take, by their stored names (`node:0`).
      trained: the node names of the variables that are trained.
    """

    scope: str
    graph: tf.Graph
    variables: dict[str, tf.Variable]
    values: dict[str, tf.Tensor]
    feeds: dict[str, tf.Tensor]
    trained: frozenset[str]


@dataclasses.dataclass(frozen=True)
class _Plan:
    """What of a variant makes its state: worked out once, imported for each instance."""

    part: GraphPart
    protos: tuple[Any, ...]
    losses: tuple[str, ...]


def state_tensors(variant: Variant) -> dict[str, list[str]]:
    """Returns the tensors (`node:0`) that hold a variant's state, by node name.

    They are the handles and references of variables and tables, and the constants with the paths of
    assets.
    """
    if _STATE_ROOTS not in variant.prepared:
        assets = {node_of(name) for name in collections.asset_files(variant.meta_graph)}
        variant.prepared[_STATE_ROOTS] = {
            node.name: [f"{node.name}:0"]
            for node in variant.meta_graph.graph_def.node
            if node.name in assets or compat.op_outputs_state(node.op)
        }
    return variant.prepared[_STATE_ROOTS]


def trained_variables(variant: Variant, trainable: Trainable) -> frozenset[str]:
    """Returns the node names of the variables that are trained.

    Raises:
      NoTrainableVariablesError: `trainable` is a regular expression that no trainable variable's name has.
    """
    names = {
        node_of(proto.variable_name)
        for proto in collections.variable_defs(variant.meta_graph, collections.TRAINABLE_VARIABLES)
    }
    if isinstance(trainable, bool):
        return frozenset(names if trainable else ())
    found = frozenset(name for name in names if re.search(trainable, name))
    if not found:
        raise NoTrainableVariablesError(
            f"trainable={trainable!r} is found in the name of no trainable variable. There are: "
            f"{quoted(names)}."
        )
    return found


def fresh_scope(name: str) -> str:
    """Returns a fresh absolute scope for a module's state, ending in a slash, and reserves it.

    The name is that of a fresh variable scope inside of the current one: `name`, then `name_1`, ...

    Raises:
      NameTakenError: operations have the name scope of the fresh variable scope.
    """
    graph = tf.compat.v1.get_default_graph()
    with tf.compat.v1.variable_scope(None, default_name=name, auxiliary_name_scope=False) as scope:
        path = scope.name
    with tf.compat.v1.name_scope(None):
        if graph.unique_name(path) != path:
            raise NameTakenError(
                f"The variable scope {path!r} is free, but operations have the name scope "
                f"{path!r}. Make the module before them, or give it another name."
            )
    return f"{path}/"


def build_state(
    spec: ModuleSpec, variant: Variant, scope: str, trainable: Trainable = False
) -> StateGraph:
    """Builds the state of a module in the default graph.

    Args:
      spec: the module.
      variant: which of its graphs.
      scope: the absolute name scope, ending in a slash.
      trainable: see `Trainable`.
    """
    trained = trained_variables(variant, trainable)
    plan = _plan(spec, variant, trained)
    graph = tf.compat.v1.get_default_graph()
    with tf.control_dependencies(None):
        losses = _import(plan, variant, scope)
    variables = {
        node_of(proto.variable_name): _add_variable(proto, scope, trained) for proto in plan.protos
    }
    _add_to_collections(variant, graph, scope, losses)
    return StateGraph(
        scope=scope,
        graph=graph,
        variables=variables,
        values={
            node_of(proto.variable_name): graph.get_tensor_by_name(scope + proto.snapshot_name)
            for proto in plan.protos
        },
        feeds={
            tensor: graph.get_tensor_by_name(scope + tensor)
            for tensors in state_tensors(variant).values()
            for tensor in tensors
        },
        trained=trained,
    )


def _plan(spec: ModuleSpec, variant: Variant, trained: frozenset[str]) -> _Plan:
    key = ("state plan", trained)
    if key not in variant.prepared:
        variant.prepared[key] = _make_plan(spec, variant, trained)
    return variant.prepared[key]


def _make_plan(spec: ModuleSpec, variant: Variant, trained: frozenset[str]) -> _Plan:
    restores = spec.checkpoint_path is not None
    losses = _losses(variant, trained)
    roots = set(state_tensors(variant)) | {node_of(loss) for loss in losses}
    roots |= set(collections.node_names(variant.meta_graph, collections.TABLE_INITIALIZERS))
    for entry in variant.variables:
        roots.add(node_of(entry.proto.snapshot_name))
        if not restores:
            roots |= {entry.proto.initializer_name, node_of(entry.proto.initial_value_name)}
    state = frozenset(state_tensors(variant))
    names = variant.nodes.ancestors(
        {root for root in roots if root}, lambda edge: edge.startswith("^") and edge[1:] in state
    )
    part = make_part(variant, names, frozenset())
    for node in part.graph_def.node:
        if node.name in state:
            # State has no inputs; what the author made it wait for is not its own.
            del node.input[:]
    for name, path in asset_nodes(variant.meta_graph, spec.asset_paths).items():
        set_asset_path(_node(part.graph_def, name), path)
    protos = [entry.proto for entry in variant.variables]
    if restores and protos:
        protos = _add_restore(part.graph_def, variant.variables, spec.checkpoint_path or "")
    return _Plan(part, tuple(protos), tuple(losses))


def _losses(variant: Variant, trained: frozenset[str]) -> list[str]:
    """The regularization losses of trained variables that need no input of a signature."""
    if not trained:
        return []
    state = state_tensors(variant)
    losses = []
    for loss in collections.node_names(variant.meta_graph, collections.REGULARIZATION_LOSSES):
        needed = variant.nodes.ancestors([node_of(loss)], lambda edge: False)
        types = {variant.nodes[name].op for name in needed}
        if "Placeholder" not in types and (needed & trained or not needed & set(state)):
            losses.append(loss)
    return losses


def _node(graph_def: Any, name: str) -> Any:
    return next(node for node in graph_def.node if node.name == name)


def _add_restore(
    graph_def: Any, variables: tuple[VariableEntry, ...], checkpoint_path: str
) -> list[Any]:
    """Makes one operation restore the initial values of all variables; returns their new protos."""
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
    return [
        _add_assignment(graph_def, entry, f"{restore}:{index}")
        for index, entry in enumerate(variables)
    ]


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
    node.attr["_class"].list.s.append(f"loc:@{entry.op_name}".encode())
    proto = variable_pb2.VariableDef()
    proto.CopyFrom(entry.proto)
    proto.initial_value_name = tensor_of(value)
    return proto


def _import(plan: _Plan, variant: Variant, scope: str) -> list[tf.Tensor]:
    graph_def = tf.compat.v1.GraphDef()
    graph_def.CopyFrom(plan.part.graph_def)
    for node in graph_def.node:
        prefix_shared_name(node, scope)
    part = dataclasses.replace(plan.part, graph_def=graph_def)
    return import_part(part, variant, scope, {}, plan.losses)


def _add_variable(proto: Any, scope: str, trained: frozenset[str]) -> tf.Variable:
    is_trained = node_of(proto.variable_name) in trained
    if proto.trainable != is_trained:
        changed = variable_pb2.VariableDef()
        changed.CopyFrom(proto)
        changed.trainable = is_trained
        proto = changed
    variable = compat.variable_from_proto(proto, scope.rstrip("/"))
    tf.compat.v1.add_to_collection(collections.VARIABLES, variable)
    if is_trained:
        tf.compat.v1.add_to_collection(collections.TRAINABLE_VARIABLES, variable)
    return variable


def _add_to_collections(
    variant: Variant, graph: tf.Graph, scope: str, losses: list[tf.Tensor]
) -> None:
    for loss in losses:
        graph.add_to_collection(collections.REGULARIZATION_LOSSES, loss)
    for key, names in (
        (collections.TABLE_INITIALIZERS, _names(variant, collections.TABLE_INITIALIZERS)),
        (collections.ASSET_FILEPATHS, collections.asset_files(variant.meta_graph)),
    ):
        for name in names:
            graph.add_to_collection(key, graph.as_graph_element(scope + name))


def _names(variant: Variant, key: str) -> list[str]:
    return collections.node_names(variant.meta_graph, key)


def variable_map(variables: Mapping[str, tf.Variable], variant: Variant) -> dict[str, Any]:
    """Returns each variable by its name in the module; a partitioned one is the list of its parts."""
    found: dict[str, Any] = {}
    for entry in variant.variables:
        if entry.slice_spec:
            found.setdefault(entry.key, []).append(variables[entry.op_name])
        else:
            found[entry.key] = variables[entry.op_name]
    return found
