"""The state of a module in a graph: its variables, tables and asset paths, and nothing else."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from typing import Any, TypeVar

import tensorflow as tf
from tensorflow.core.framework import variable_pb2

from hub_estimator import compat, errors
from hub_estimator.format import collections
from hub_estimator.format.nodes import node_of
from hub_estimator.format.spec import ModuleSpec
from hub_estimator.format.variant import VariableEntry, Variant, inside_sentence, tags_text
from hub_estimator.graph.importing.parts import (
    import_part,
    prefix_shared_name,
    reports_import_failure,
)
from hub_estimator.graph.instance import replicas
from hub_estimator.graph.instance.plan import (
    StatePlan,
    Trainable,
    Training,
    choose_training,
    state_plan,
    trainable_names,
)
from hub_estimator.graph.instance.scopes import Scope

_T = TypeVar("_T")


@dataclasses.dataclass(frozen=True)
class Held:
    """A variable in a graph.

    Attributes:
      entry: what it is in the module.
      variable: the variable.
      value: the tensor with its current value.
      is_trained: whether it is trained.
    """

    entry: VariableEntry
    variable: tf.Variable
    value: tf.Tensor
    is_trained: bool


@dataclasses.dataclass(frozen=True)
class StateGraph:
    """The state of a graph variant of a module in a graph.

    Attributes:
      graph: the graph.
      scope: where it is.
      variables: the variables of the variant by node name.
      values: the tensor with each variable's current value, by node name.
      others: the tensors of tables and assets, by their stored names (`node:0`).
      training: what of the variant is trained; None where it is not.
      held: the variables of all variants on this state, by node name.
      prepared: a place for what is added to the graph once, when it is needed.
    """

    graph: tf.Graph
    scope: Scope
    variables: dict[str, tf.Variable]
    values: dict[str, tf.Tensor]
    others: dict[str, tf.Tensor]
    training: Training | None
    held: dict[str, Held]
    prepared: dict[Any, Any] = dataclasses.field(default_factory=dict)

    def tensor(self, name: str) -> tf.Tensor:
        """Returns the tensor that stands for the stored one `name`: a handle or a reference."""
        if name in self.others:
            return self.others[name]
        return replicas.handle(self.variables[node_of(name)])


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
    training = choose_training(variant, trainable)
    held: dict[str, Held] = {}
    others = _add(spec, variant, scope, training, held, shared={})
    return _state(variant, scope, training, held, others)


def share_state(
    base: StateGraph,
    base_variant: Variant,
    spec: ModuleSpec,
    variant: Variant,
    trainable: Trainable,
) -> StateGraph:
    """Builds the state of another variant of a module on that of one that is there.

    Variables, tables and assets that both have alike are shared; others are built.

    Args:
      base: the state that is there. The variables that are built join those that it holds.
      base_variant: the variant that it is of.
      spec: the module.
      variant: the other variant.
      trainable: what of it is trained, see `Trainable`; but for the variables that are there.

    Raises:
      errors.VariablesDifferError: the other variant has a variable in another type, shape or
        partition.
    """
    check_can_share([held.entry for held in base.held.values()], spec, variant)
    new = trainable_names(variant, trainable).difference(base.held)
    added = Training(new, is_whole=False) if new else None
    scope = dataclasses.replace(
        base.scope, resources=f"{base.scope.rest}{tags_text(variant.tags)}/"
    )
    shared = alike(base.others, base_variant, variant)
    others = _add(spec, variant, scope, added, base.held, shared)
    training = None
    if trainable:
        names = {
            entry.op_name for entry in variant.variables if base.held[entry.op_name].is_trained
        }
        training = Training(frozenset(names), is_whole=not isinstance(trainable, str))
    return _state(variant, base.scope, training, base.held, others)


def _state(
    variant: Variant,
    scope: Scope,
    training: Training | None,
    held: dict[str, Held],
    others: dict[str, tf.Tensor],
) -> StateGraph:
    own = {entry.op_name: held[entry.op_name] for entry in variant.variables}
    return StateGraph(
        graph=tf.compat.v1.get_default_graph(),
        scope=scope,
        variables={name: holding.variable for name, holding in own.items()},
        values={name: holding.value for name, holding in own.items()},
        others=others,
        training=training,
        held=held,
    )


def check_can_share(there: Collection[VariableEntry], spec: ModuleSpec, variant: Variant) -> None:
    """Checks that the variables of a variant are like those of their names that are there.

    Raises:
      errors.VariablesDifferError: one is not.
    """
    keys, forms = {entry.key for entry in there}, {_form(entry) for entry in there}
    for entry in variant.variables:
        if entry.key in keys and _form(entry) not in forms:
            raise errors.VariablesDifferError(
                f"The graph variant with the tags {tags_text(variant.tags)} of "
                f"{inside_sentence(spec.source)} has the variable {entry.key!r} in another type, "
                "shape or partition than the one in this graph, and cannot share it. Make an "
                "instance of its own of it: hub.Module(..., tags=...)."
            )


def _form(entry: VariableEntry) -> tuple[Any, ...]:
    """What must be equal of a variable, or of a part of one, that is shared."""
    shape = str(entry.shape)
    return entry.op_name, entry.slice_spec, entry.dtype.base_dtype, shape, entry.proto.is_resource


def alike(others: Mapping[str, _T], base_variant: Variant, variant: Variant) -> dict[str, _T]:
    """Returns those of the tables and assets of a variant that another one has alike, by node name.

    Args:
      others: what the first variant has by their stored names (`node:0`).
      base_variant: the first variant.
      variant: the other one.
    """
    base_files = collections.asset_files(base_variant.meta_graph)
    files = collections.asset_files(variant.meta_graph)
    return {
        node: others[f"{node}:0"]
        for node in variant.instance_nodes
        if f"{node}:0" in others
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


def _add(
    spec: ModuleSpec,
    variant: Variant,
    scope: Scope,
    training: Training | None,
    held: dict[str, Held],
    shared: Mapping[str, tf.Tensor],
) -> dict[str, tf.Tensor]:
    """Adds to the default graph what of a variant's state is not there.

    Args:
      spec: the module.
      variant: the variant.
      scope: where.
      training: what is trained of what is added.
      held: the variables that are there, by node name; those that are added join them.
      shared: the tensors of the tables and assets that are there, by node name.

    Returns:
      The tensors of the variant's tables and assets, by their stored names (`node:0`).
    """
    trained = frozenset() if training is None else training.variables
    entries = {entry.op_name: entry for entry in variant.variables}
    there = {name: held[name].variable for name in entries if name in held}
    new: dict[str, tuple[tf.Variable, tf.Tensor]] = {}
    with tf.control_dependencies(None):
        creates = tf.distribute.has_strategy()
        plan = state_plan(spec, variant, training, frozenset([*there, *shared]), creates)
        if creates:
            made = replicas.create_variables(
                spec, variant, plan.created, scope.variables, trained, there
            )
            new = {
                name: (variable, replicas.component(variable).value())
                for name, variable in made.items()
            }
            there |= made
        feeds = {f"{name}:0": replicas.handle(variable) for name, variable in there.items()}
        feeds |= {f"{name}:0": tensor for name, tensor in shared.items()}
        found = _import(plan, variant, scope, feeds)
    for proto in plan.protos:
        with reports_import_failure(scope.rest):
            variable = _imported_variable(proto, found, scope.rest, trained)
        new[node_of(proto.variable_name)] = variable, found[proto.snapshot_name]
    for name, (variable, value) in new.items():
        held[name] = Held(entries[name], variable, value, name in trained)
    _fill_collections(plan, variant, found, new)
    others = variant.instance_nodes - entries.keys()
    return {f"{name}:0": shared.get(name, found.get(f"{name}:0")) for name in others}


def _import(
    plan: StatePlan, variant: Variant, scope: Scope, feeds: dict[str, tf.Tensor]
) -> dict[str, Any]:
    """Imports the state; returns its tensors and operations by their stored names.

    TensorFlow gives them other names where the scope has those already.
    """
    if not plan.part.graph_def.node:
        return {}
    variables = {node_of(proto.variable_name) for proto in plan.protos}
    graph_def = tf.compat.v1.GraphDef()
    graph_def.CopyFrom(plan.part.graph_def)
    for node in graph_def.node:
        prefix_shared_name(node, scope.rest if node.name in variables else scope.resources)
    part = dataclasses.replace(plan.part, graph_def=graph_def)
    inside = {node.name for node in graph_def.node}
    names = [*plan.losses, *plan.initializers]
    names += [f"{name}:0" for name in (variant.instance_nodes & inside) - variables]
    for proto in plan.protos:
        names += _names(proto).values()
    return dict(zip(names, import_part(part, variant, scope.rest, feeds, names), strict=True))


def _names(proto: Any) -> dict[str, str]:
    """Returns the names in a `VariableDef` by the names of their fields."""
    fields = ("variable_name", "initializer_name", "snapshot_name", "initial_value_name")
    return {field: name for field in fields if (name := getattr(proto, field))}


def _imported_variable(
    proto: Any, found: Mapping[str, Any], scope: str, trained: frozenset[str]
) -> tf.Variable:
    is_trained = node_of(proto.variable_name) in trained
    names = _names(proto)
    placed = {field: found[name].name.removeprefix(scope) for field, name in names.items()}
    if placed != names or proto.trainable != is_trained:
        proto = variable_pb2.VariableDef.FromString(proto.SerializeToString())
        proto.trainable = is_trained
        for field, name in placed.items():
            setattr(proto, field, name)
    variable = compat.variable_from_proto(proto, scope.rstrip("/"))
    tf.compat.v1.add_to_collection(collections.VARIABLES, variable)
    if is_trained:
        tf.compat.v1.add_to_collection(collections.TRAINABLE_VARIABLES, variable)
    return variable


def _fill_collections(
    plan: StatePlan, variant: Variant, found: Mapping[str, Any], new: Mapping[str, Any]
) -> None:
    graph = tf.compat.v1.get_default_graph()
    for name in plan.initializers:
        graph.add_to_collection(collections.TABLE_INITIALIZERS, found[name])
    for name in collections.asset_files(variant.meta_graph):
        if name in found:
            graph.add_to_collection(collections.ASSET_FILEPATHS, found[name])
    for proto in collections.variable_defs(variant.meta_graph, collections.MODEL_VARIABLES):
        if node_of(proto.variable_name) in new:
            variable, _ = new[node_of(proto.variable_name)]
            graph.add_to_collection(collections.MODEL_VARIABLES, variable)
    for name in plan.losses:
        graph.add_to_collection(collections.REGULARIZATION_LOSSES, found[name])
