"""Applying a signature of a module to inputs: only the operations that its outputs need."""

from __future__ import annotations

import dataclasses
import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

import tensorflow as tf

from hub_estimator import compat
from hub_estimator.format import collections
from hub_estimator.format.nodes import node_of
from hub_estimator.format.tensor_infos import component_names
from hub_estimator.format.variant import Variant
from hub_estimator.graph.importing.contexts import import_with_contexts, needs_contexts
from hub_estimator.graph.importing.parts import (
    GraphPart,
    comes_from,
    import_part,
    make_part,
    reports_import_failure,
)
from hub_estimator.graph.importing.sharing import merge_constants, plain_reads
from hub_estimator.graph.instance.plan import Training
from hub_estimator.graph.instance.state import StateGraph
from hub_estimator.graph.instance.values import convert_inputs, pack_output

_NOT_IN_SCOPES = re.compile(r"[^A-Za-z0-9_.\\/>-]")


class State(Protocol):
    """A module's state, whether it is in a graph or outside of all."""

    @property
    def graph(self) -> tf.Graph | None:
        """The graph that it is in."""

    @property
    def variables(self) -> Mapping[str, tf.Variable]:
        """The variables by node name."""

    @property
    def values(self) -> Mapping[str, tf.Tensor]:
        """The tensor with each variable's current value, where it is in a graph."""

    @property
    def training(self) -> Training | None:
        """What is trained."""

    def tensor(self, name: str) -> tf.Tensor:
        """Returns the tensor that stands for the stored one `name`: a handle or a reference."""


@dataclasses.dataclass(frozen=True)
class Applied:
    """A signature in the default graph.

    Attributes:
      outputs: all outputs by name.
      losses: the regularization losses of its inputs, where the module is trained.
      updates: the update operations, where the module is trained.
    """

    outputs: dict[str, Any]
    losses: list[tf.Tensor]
    updates: list[Any]

    def after_updates(self, values: Any) -> Any:
        """Returns values that wait for the updates, which nothing outside of a function can run."""
        if not self.updates:
            return values
        with tf.control_dependencies(self.updates):
            return tf.nest.map_structure(tf.identity, values, expand_composites=True)


@dataclasses.dataclass(frozen=True)
class _Plan:
    """What of a variant computes a signature: worked out once, imported at each call.

    Attributes:
      part: the nodes.
      fed: the tensors and operations that the part, or the signature's outputs, take from outside.
      reads: the variables whose values are fed, by the names of the tensors that they stand for.
      tensors: the tensors of the outputs.
      losses: the regularization losses.
      updates: the update operations.
      row_sums: the operations that add looked-up rows, where something is trained.
    """

    part: GraphPart
    fed: frozenset[str]
    reads: Mapping[str, str]
    tensors: tuple[str, ...]
    losses: tuple[str, ...]
    updates: tuple[str, ...]
    row_sums: tuple[str, ...] = ()


def apply(
    variant: Variant, state: StateGraph, name: str, signature: str, inputs: Any, what: str
) -> dict[str, Any]:
    """Adds the operations that compute a signature to the default graph.

    What training takes of them joins the graph's collections.

    Args:
      variant: the variant.
      state: its state in the default graph, or in a graph around it.
      name: the module's name: the operations go to the name scope `<name>_apply_<signature>`.
      signature: the name of a signature that the variant has.
      inputs: the caller's values.
      what: what messages call the signature.

    Returns:
      All outputs by name.

    Raises:
      errors.InputError: the inputs do not fit the signature.
    """
    return _collected(compute(variant, state, name, signature, inputs, what), state)


def apply_from(
    variant: Variant,
    state: StateGraph,
    name: str,
    signature: str,
    known: Mapping[str, tf.Tensor],
    output: str,
) -> Any:
    """Adds the operations that compute an output from tensors inside of a signature, as `apply` does.

    Args:
      variant: as for `apply`.
      state: as for `apply`.
      name: as for `apply`.
      signature: as for `apply`.
      known: the tensors by their stored names: all that the output takes of the signature's inputs
        comes through them.
      output: the name of the output.
    """
    signature_def = variant.meta_graph.signature_def[signature]
    chosen = {output: signature_def.outputs[output]}
    applied = _compute(variant, state, name, signature, known, frozenset(known), chosen)
    return _collected(applied, state)[output]


def _collected(applied: Applied, state: StateGraph) -> dict[str, Any]:
    """Adds to the graph's collections what training takes; returns the outputs."""
    if tf.compat.v1.get_default_graph() is not state.graph:
        return applied.after_updates(applied.outputs)
    for loss in applied.losses:
        state.graph.add_to_collection(collections.REGULARIZATION_LOSSES, loss)
    for update in applied.updates:
        state.graph.add_to_collection(collections.UPDATE_OPS, update)
    return applied.outputs


def compute(
    variant: Variant,
    state: State,
    name: str,
    signature: str,
    inputs: Any,
    what: str,
    known: Mapping[str, tf.Tensor] | None = None,
) -> Applied:
    """Adds the operations that compute a signature to the default graph, and to no collection.

    Args:
      variant: the variant.
      state: its state, which may be outside of all graphs, too.
      name: as for `apply`.
      signature: as for `apply`.
      inputs: as for `apply`.
      what: as for `apply`.
      known: tensors that are in the graph already, by their stored names.

    Raises:
      errors.InputError: the inputs do not fit the signature.
    """
    known = known or {}
    signature_def = variant.meta_graph.signature_def[signature]
    # Outside of the scope: a constant made inside could take the name of one that is imported.
    given = convert_inputs(signature_def, inputs, what)
    return _compute(
        variant, state, name, signature, {**given, **known}, frozenset(known), signature_def.outputs
    )


def _compute(
    variant: Variant,
    state: State,
    name: str,
    signature: str,
    given: Mapping[str, tf.Tensor],
    known: frozenset[str],
    outputs: Mapping[str, Any],
) -> Applied:
    """Adds what computes some outputs of a signature, whose `TensorInfo`s these are by name."""
    scope_name = _NOT_IN_SCOPES.sub("_", f"{name}_apply_{signature}")
    with tf.compat.v1.name_scope(scope_name) as scope:
        plan = _plan(variant, state, signature, known, frozenset(outputs))
        feeds = {**_state_feeds(state, variant, plan), **_captured(given)}
        elements = [*plan.tensors, *plan.losses, *plan.updates, *plan.row_sums]
        results = _import(plan.part, variant, scope, feeds, elements)
    found = dict(zip(elements, results, strict=True))
    compat.hasten_row_gradients(found[name] for name in plan.row_sums)
    tensors = {**feeds, **given, **found}
    with reports_import_failure(scope):
        packed = {key: pack_output(info, tensors) for key, info in sorted(outputs.items())}
    return Applied(
        packed, [found[loss] for loss in plan.losses], [found[name] for name in plan.updates]
    )


def compute_tensors(
    variant: Variant, state: State, signature: str, inputs: Any, what: str, names: Sequence[str]
) -> list[tf.Tensor]:
    """Adds what computes tensors from a signature's inputs to the default graph; returns them.

    Args:
      variant: the variant.
      state: its state.
      signature: the signature's name.
      inputs: the caller's values.
      what: what messages call the signature.
      names: the tensors' names.
    """
    signature_def = variant.meta_graph.signature_def[signature]
    given = convert_inputs(signature_def, inputs, what)
    others = [name for name in names if name not in given]
    with tf.compat.v1.name_scope("control_flow") as scope:
        taken = frozenset([*given, *(f"{node}:0" for node in variant.instance_nodes)])
        roots = [node_of(name) for name in others]
        part = make_part(variant, variant.nodes.ancestors(roots, comes_from(taken)), taken)
        plan = _Plan(part, part.fed, {}, tuple(others), (), ())
        feeds = {**_state_feeds(state, variant, plan), **_captured(given)}
        found = dict(zip(others, _import(part, variant, scope, feeds, others), strict=True))
    return [given[name] if name in given else found[name] for name in names]


def part_of(variant: Variant, state: State, signature: str, known: Iterable[str] = ()) -> GraphPart:
    """Returns the nodes that compute a signature in the default graph, but for known tensors."""
    outputs = frozenset(variant.meta_graph.signature_def[signature].outputs)
    return _plan(variant, state, signature, frozenset(known), outputs).part


def _import(
    part: GraphPart,
    variant: Variant,
    scope: str,
    feeds: Mapping[str, tf.Tensor],
    elements: Sequence[str],
) -> list[Any]:
    if not part.graph_def.node:
        return []
    if needs_contexts(variant, part):
        return import_with_contexts(part, variant, scope, feeds, elements)
    return import_part(part, variant, scope, feeds, elements)


def _plan(
    variant: Variant,
    state: State,
    signature: str,
    known: frozenset[str],
    outputs: frozenset[str],
) -> _Plan:
    graph = tf.compat.v1.get_default_graph()
    # Elsewhere, a read is of its own time: after what it waits for, at each turn of a loop.
    shares_reads = graph is state.graph and not compat.adds_dependencies(graph)
    key = ("apply plan", signature, state.training, shares_reads, known, outputs)
    if key not in variant.prepared:
        signature_def = variant.meta_graph.signature_def[signature]
        plan = _make_plan(variant, state.training, signature_def, shares_reads, known, outputs)
        variant.prepared[key] = plan
    return variant.prepared[key]


def _make_plan(
    variant: Variant,
    training: Training | None,
    signature_def: Any,
    shares_reads: bool,
    known: frozenset[str],
    wanted: frozenset[str],
) -> _Plan:
    inputs = {name for info in signature_def.inputs.values() for name in component_names(info)}
    outputs = {name for key in wanted for name in component_names(signature_def.outputs[key])}
    given = known | inputs | {f"{node}:0" for node in variant.instance_nodes}
    updates = _updates(variant, inputs) if training is not None else []
    losses = losses_of(variant, inputs) if training is not None else []
    roots = {node_of(name) for name in [*(outputs - given), *losses, *updates]}
    names = variant.nodes.ancestors(roots, comes_from(given))
    trained = frozenset() if training is None else training.variables
    reads = plain_reads(variant, names, trained) if shares_reads else {}
    if reads:
        given |= set(reads)
        roots = {node_of(name) for name in [*(outputs - given), *losses, *updates]}
        names = variant.nodes.ancestors(roots, comes_from(given))
    part = make_part(variant, names, given)
    if not needs_contexts(variant, part):
        merge_constants(part, kept=roots)
    return _Plan(
        part=part,
        fed=part.fed | (outputs & given),
        reads=reads,
        tensors=tuple(sorted(outputs - given)),
        losses=tuple(losses),
        updates=tuple(updates),
        row_sums=() if training is None else _row_sums(part),
    )


def _row_sums(part: GraphPart) -> tuple[str, ...]:
    return tuple(node.name for node in part.graph_def.node if compat.is_row_sum(node.op))


def _updates(variant: Variant, inputs: set[str]) -> list[str]:
    """The update operations of a signature: those of its inputs, and those of no one's."""
    names = collections.node_names(variant.meta_graph, collections.UPDATE_OPS)
    of_nobody = [name for name in names if node_of(name) not in variant.fed_nodes]
    of_inputs = _reached(variant, names, inputs)
    return [name for name in names if name in of_inputs or name in of_nobody]


def losses_of(variant: Variant, inputs: set[str]) -> list[str]:
    """Returns the regularization losses of a signature's inputs; the state has the others.

    Args:
      variant: the variant.
      inputs: the names of the tensors (`node:0`) of the signature's inputs.
    """
    names = collections.node_names(variant.meta_graph, collections.REGULARIZATION_LOSSES)
    return _reached(variant, names, inputs)


def _reached(variant: Variant, names: list[str], inputs: set[str]) -> list[str]:
    """Those of some nodes that depend on a signature's inputs, and on nothing else that is fed."""
    if not names or not inputs:
        return []
    reached, is_given = variant.nodes.descendants(inputs), comes_from(frozenset(inputs))
    return [
        name
        for name in names
        if node_of(name) in reached
        and not any(
            variant.nodes[needed].op == "Placeholder"
            for needed in variant.nodes.ancestors([node_of(name)], is_given)
        )
    ]


def _captured(given: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    """In a function (`tf.cond`, `tf.map_fn`, ...) the import does not capture by itself."""
    graph = tf.compat.v1.get_default_graph()
    return {name: compat.capture(tensor, graph) for name, tensor in given.items()}


def _state_feeds(state: State, variant: Variant, plan: _Plan) -> dict[str, tf.Tensor]:
    graph = tf.compat.v1.get_default_graph()
    taken = {*map(node_of, plan.fed), *itertools.chain(*plan.part.colocated.values())}
    names = {f"{node}:0" for node in variant.instance_nodes & taken}
    if graph is state.graph:
        reads = {read: state.values[name] for read, name in plan.reads.items()}
        return {**{name: state.tensor(name) for name in names}, **reads}
    feeds = {}
    for name in names:
        tensor = state.tensor(name)
        if node_of(name) in state.variables and tensor.dtype.base_dtype != tf.resource:
            # A function cannot capture a reference, but its value.
            tensor = state.values[node_of(name)]
        feeds[name] = compat.capture(tensor, graph)
    return feeds
