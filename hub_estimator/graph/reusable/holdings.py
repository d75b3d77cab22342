"""What a module holds outside of all graphs: variables, tables and assets, each made once."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf

from hub_estimator.format.assets import asset_nodes
from hub_estimator.format.nodes import node_of
from hub_estimator.format.spec import ModuleSpec
from hub_estimator.format.variant import VariableEntry, Variant
from hub_estimator.graph.instance.plan import (
    Trainable,
    Training,
    table_initializers,
    trainable_names,
)
from hub_estimator.graph.instance.state import alike, check_can_share
from hub_estimator.graph.reusable.eager_state import EagerState, Other
from hub_estimator.graph.reusable.initial_values import initial_values
from hub_estimator.graph.reusable.resource_form import resource_form
from hub_estimator.graph.reusable.tables import CREATED_BY, Table

CreateVariable = Callable[[VariableEntry, Any, bool], tf.Variable]
"""Makes a variable: of what it is in the module, its value at first (an array or a tensor), and
whether it is trained."""


_NOT_AGGREGATED = tf.VariableAggregation.NONE


def create_variable(entry: VariableEntry, initial_value: Any, is_trained: bool) -> tf.Variable:
    """Makes a `tf.Variable` under the name that it has in the module."""
    proto: Any = entry.proto
    synchronization = tf.VariableSynchronization(proto.synchronization)
    aggregation = tf.VariableAggregation(proto.aggregation)
    if not is_trained and entry.dtype.is_floating and aggregation == _NOT_AGGREGATED:
        # What update operations change, such as moving averages, differs between replicas.
        synchronization = tf.VariableSynchronization.ON_READ
        aggregation = tf.VariableAggregation.MEAN
    return tf.Variable(
        initial_value,
        trainable=is_trained,
        name=entry.op_name,
        dtype=entry.dtype.base_dtype,
        shape=entry.shape,
        synchronization=synchronization,
        aggregation=aggregation,
    )


@dataclasses.dataclass(frozen=True)
class HeldVariable:
    """A variable.

    Attributes:
      entry: what it is in the module.
      variable: the variable.
      is_trained: whether it is trained.
    """

    entry: VariableEntry
    variable: tf.Variable
    is_trained: bool


class Holdings:
    """The variables, tables and assets of a module, to which variants add those that they need.

    Args:
      spec: the module.
      create: makes its variables.
    """

    def __init__(self, spec: ModuleSpec, create: CreateVariable) -> None:
        self.variables: dict[str, HeldVariable] = {}
        self.others: dict[str, Other] = {}
        self._spec = spec
        self._create = create
        self._assets: dict[str, tf.saved_model.Asset] = {}
        self._states: list[EagerState] = []

    def add(self, stored: Variant, trainable: Trainable) -> EagerState:
        """Makes what a variant needs and is not there.

        Args:
          stored: the variant, as stored.
          trainable: what is trained of the variables that are made, see `Trainable`.

        Raises:
          errors.VariablesDifferError: the variant has a variable in another type, shape or
            partition than one that is there.
        """
        variant = resource_form(stored)
        check_can_share([held.entry for held in self.variables.values()], self._spec, variant)
        self._add_variables(variant, trainable_names(variant, trainable))
        variables = {
            entry.op_name: self.variables[entry.op_name].variable for entry in variant.variables
        }
        shared: dict[str, Other] = {}
        for state in self._states:
            shared |= alike(state.others, state.variant, variant)
        state = EagerState(variant, variables, self._add_others(variant, shared))
        _fill_tables(state, frozenset(shared))
        self._states.append(state)
        return state

    def trained(self, state: EagerState, is_whole: bool) -> EagerState:
        """Returns a state for training, of whose variables those are trained that are anywhere."""
        names = frozenset(name for name in state.variables if self.variables[name].is_trained)
        return dataclasses.replace(state, training=Training(names, is_whole))

    def _add_variables(self, variant: Variant, trained: frozenset[str]) -> None:
        there = {name: held.variable for name, held in self.variables.items()}
        for entry, value in initial_values(self._spec, EagerState(variant, there, {})):
            is_trained = entry.op_name in trained
            there[entry.op_name] = self._create(entry, value, is_trained)
            held = HeldVariable(entry, there[entry.op_name], is_trained)
            self.variables[entry.op_name] = held

    def _add_others(self, variant: Variant, shared: Mapping[str, Other]) -> dict[str, Other]:
        """Returns the tables and assets of a variant by their stored names."""
        others = {f"{node}:0": other for node, other in shared.items()}
        paths = asset_nodes(variant.meta_graph, self._spec.asset_paths)
        for name in sorted(variant.instance_nodes - shared.keys() - self.variables.keys()):
            if name in paths:
                others[f"{name}:0"] = self._asset(paths[name])
            elif variant.nodes[name].op in CREATED_BY:
                others[f"{name}:0"] = self._hold(name, Table(variant.nodes[name]))
        return others

    def _asset(self, path: str) -> tf.saved_model.Asset:
        if path not in self._assets:
            self._assets[path] = self._hold("asset", tf.saved_model.Asset(path))
        return self._assets[path]

    def _hold(self, name: str, other: Any) -> Any:
        free, number = name, 0
        while free in self.others:
            number += 1
            free = f"{name}_{number}"
        self.others[free] = other
        return other


def _fill_tables(state: EagerState, shared: frozenset[str]) -> None:
    """Fills the tables of a variant but for those that are there already, by node name."""
    fillers: dict[Table, list[str]] = {}
    for initializer in table_initializers(state.variant, shared):
        used = sorted(map(node_of, state.part([initializer]).fed))
        others = [state.others.get(f"{name}:0") for name in used]
        tables = [other for other in others if isinstance(other, Table)]
        for table in tables[:1]:
            fillers.setdefault(table, []).append(initializer)
    for table, initializers in fillers.items():
        table.fill_with(functools.partial(_add_initializers, state, initializers))


def _add_initializers(state: EagerState, initializers: list[str]) -> None:
    state.add(initializers, "initialize/")
