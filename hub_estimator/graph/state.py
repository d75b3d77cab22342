"""The state of a module in a graph: its variables, tables and asset paths, and nothing else."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from typing import Any

import tensorflow as tf
from tensorflow.core.framework import variable_pb2

from hub_estimator import compat
from hub_estimator.errors import InvalidNameError, NameTakenError, VariablesDifferError
from hub_estimator.format import collections
from hub_estimator.format.nodes import node_of
from hub_estimator.format.spec import ModuleSpec
from hub_estimator.format.variant import Variant, quoted, tags_text
from hub_estimator.graph import replicas
from hub_estimator.graph.parts import import_part, prefix_shared_name
from hub_estimator.graph.state_plan import (
    StatePlan,
    Trainable,
    state_plan,
    trained_variables,
)

_NAME = re.compile(r"[A-Za-z0-9.][A-Za-z0-9_.\\/>-]*")


@dataclasses.dataclass(frozen=True)
class Scope:
    """Where a module's state goes.

    Attributes:
      variables: the absolute name scope of the variables, ending in a slash.
      rest: that of all else; another one in the second and later replicas of a strategy.
    """

    variables: str
    rest: str


@dataclasses.dataclass(frozen=True)
class StateGraph:
    """A module's state in a graph.

    Attributes:
      graph: the graph.
      scope: the absolute name scope of the variables, ending in a slash.
      variables: the variables by node name.
      values: the tensor with each variable's current value, by node name.
      others: the tensors of tables and assets, by their stored names (`node:0`).
      trained: the node names of the variables that are trained.
      prepared: a place for what is added to the graph once, when it is needed.
    """

    graph: tf.Graph
    scope: str
    variables: dict[str, tf.Variable]
    values: dict[str, tf.Tensor]
    others: dict[str, tf.Tensor]
    trained: frozenset[str]
    prepared: dict[str, Any] = dataclasses.field(default_factory=dict)

    def tensor(self, name: str) -> tf.Tensor:
        """Returns the tensor that stands for the stored one `name`: a handle or a reference."""
        if name in self.others:
            return self.others[name]
        return replicas.component(self.variables[node_of(name)]).op.outputs[0]


def fresh_scope(name: str) -> Scope:
    """Returns fresh absolute scopes for a module's state, and reserves them.

    The name is that of a fresh variable scope inside of the current one: `name`, then `name_1`, ...

    Raises:
      NameTakenError: operations have the name scope of the fresh variable scope.
      InvalidNameError: the name cannot be that of a variable scope.
    """
    # TensorFlow's variables from protos fail in a scope that starts with a digit.
    starts_with_digit = (tf.compat.v1.get_variable_scope().name or str(name))[:1].isdigit()
    if not isinstance(name, str) or not _NAME.fullmatch(name) or starts_with_digit:
        raise InvalidNameError(
            "A module's name is that of a variable scope: a letter, then letters, digits and the "
            f"characters _ . - /. {name!r} is not."
        )
    graph = tf.compat.v1.get_default_graph()
    with tf.compat.v1.variable_scope(None, default_name=name, auxiliary_name_scope=False) as scope:
        path = scope.name
    with tf.compat.v1.name_scope(None):
        if replicas.index():
            # The first replica made the variables; this one gets its parts of them.
            return Scope(f"{path}/", f"{graph.unique_name(f'replica_{replicas.index()}/{path}')}/")
        if graph.unique_name(path) != path:
            raise NameTakenError(
                f"The variable scope {path!r} is free, but operations have the name scope "
                f"{path!r}. Make the module before them, or give it another name."
            )
    return Scope(f"{path}/", f"{path}/")


def build_state(
    spec: ModuleSpec, variant: Variant, scope: Scope, trainable: Trainable = False
) -> StateGraph:
    """Builds the state of a module in the default graph.

    Args:
      spec: the module.
      variant: which of its graphs.
      scope: where.
      trainable: see `Trainable`.
    """
    trained = trained_variables(variant, trainable)
    with tf.control_dependencies(None):
        variables: dict[str, tf.Variable] = {}
        if tf.distribute.has_strategy():
            variables = replicas.create_variables(spec, variant, scope.variables, trained)
        plan = state_plan(spec, variant, trained, given=frozenset(variables))
        feeds = {f"{name}:0": replicas.handle(variables[name]) for name in variables}
        losses = _import(plan, variant, scope.rest, feeds)
    values = {name: replicas.component(variables[name]).value() for name in variables}
    for proto in plan.protos:
        name = node_of(proto.variable_name)
        variables[name] = _imported_variable(proto, scope.rest, trained)
        values[name] = _tensor(scope.rest + proto.snapshot_name)
    _add_model_variables(variant, variables)
    for loss in losses:
        tf.compat.v1.add_to_collection(collections.REGULARIZATION_LOSSES, loss)
    return StateGraph(
        graph=tf.compat.v1.get_default_graph(),
        scope=scope.variables,
        variables=variables,
        values=values,
        others=_others(variant, scope.rest, given={}),
        trained=trained,
    )


def share_state(
    base: StateGraph, base_variant: Variant, spec: ModuleSpec, variant: Variant, name: str
) -> StateGraph:
    """Builds the state of another variant of a module on the variables of one that is there.

    Tables and assets that both have alike are shared too; others are built.

    Args:
      base: the state that is there.
      base_variant: the variant that it is of.
      spec: the module.
      variant: the other variant.
      name: the name of the scope of what must be built.

    Raises:
      VariablesDifferError: the other variant uses a variable that is not there.
    """
    names = {entry.op_name for entry in variant.variables}
    if names - set(base.variables):
        raise VariablesDifferError(
            f"The graph variant with the tags {tags_text(variant.tags)} cannot share the variables "
            f"of that with the tags {tags_text(base_variant.tags)}, which lacks "
            f"{quoted(names - set(base.variables))}. Instantiate the one that has all first."
        )
    shared = _alike(base, base_variant, variant)
    others = {f"{node}:0": tensor for node, tensor in shared.items()}
    plan = state_plan(spec, variant, frozenset(), given=frozenset([*names, *shared]))
    if plan.part.graph_def.node:
        handles = {f"{node}:0": replicas.handle(base.variables[node]) for node in names}
        scope = fresh_scope(name).rest
        with tf.control_dependencies(None):
            _import(plan, variant, scope, {**handles, **others})
        others = _others(variant, scope, shared)
    return StateGraph(
        graph=base.graph,
        scope=base.scope,
        variables={name: base.variables[name] for name in names},
        values={name: base.values[name] for name in names},
        others=others,
        trained=base.trained & names,
    )


def _alike(base: StateGraph, base_variant: Variant, variant: Variant) -> dict[str, tf.Tensor]:
    """Returns the tensors of the tables and assets that two variants have alike, by node name."""
    base_files = collections.asset_files(base_variant.meta_graph)
    files = collections.asset_files(variant.meta_graph)
    return {
        node: base.others[f"{node}:0"]
        for node in variant.instance_nodes
        if f"{node}:0" in base.others
        and base_variant.nodes[node] == variant.nodes[node]
        and base_files.get(f"{node}:0") == files.get(f"{node}:0")
    }


def variable_map(variables: Mapping[str, tf.Variable], variant: Variant) -> dict[str, Any]:
    """Returns each variable by its name in the module; a partitioned one is the list of its parts."""
    found: dict[str, Any] = {}
    for entry in variant.variables:
        if entry.slice_spec:
            found.setdefault(entry.key, []).append(variables[entry.op_name])
        else:
            found[entry.key] = variables[entry.op_name]
    return found


def _import(
    plan: StatePlan, variant: Variant, scope: str, feeds: dict[str, tf.Tensor]
) -> list[tf.Tensor]:
    """Imports the state, fills the collections of tables and assets; returns the losses."""
    if not plan.part.graph_def.node:
        return []
    graph_def = tf.compat.v1.GraphDef()
    graph_def.CopyFrom(plan.part.graph_def)
    for node in graph_def.node:
        prefix_shared_name(node, scope)
    part = dataclasses.replace(plan.part, graph_def=graph_def)
    losses = import_part(part, variant, scope, feeds, plan.losses)
    graph = tf.compat.v1.get_default_graph()
    for name in plan.initializers:
        operation = graph.get_operation_by_name(scope + name)
        graph.add_to_collection(collections.TABLE_INITIALIZERS, operation)
    inside = {node.name for node in graph_def.node}
    for name in collections.asset_files(variant.meta_graph):
        if node_of(name) in inside:
            graph.add_to_collection(collections.ASSET_FILEPATHS, _tensor(scope + name))
    return losses


def _imported_variable(proto: Any, scope: str, trained: frozenset[str]) -> tf.Variable:
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


def _add_model_variables(variant: Variant, variables: Mapping[str, tf.Variable]) -> None:
    for proto in collections.variable_defs(variant.meta_graph, collections.MODEL_VARIABLES):
        variable = variables.get(node_of(proto.variable_name))
        if variable is not None:
            tf.compat.v1.add_to_collection(collections.MODEL_VARIABLES, variable)


def _others(variant: Variant, scope: str, given: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    variables = {entry.op_name for entry in variant.variables}
    return {
        f"{node}:0": given[node] if node in given else _tensor(f"{scope}{node}:0")
        for node in variant.instance_nodes - variables
    }


def _tensor(name: str) -> tf.Tensor:
    return tf.compat.v1.get_default_graph().get_tensor_by_name(name)
