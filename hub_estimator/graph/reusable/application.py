"""A signature in a function of TensorFlow 2, where v1 branches and loops need care.

Two things of `tf.function` do not go with them. It makes operations wait for others, also for those in
branches that are not taken; so they are in a function without that. And their gradients need contexts
that no function keeps; so nothing is differentiated through them: where a trained variable, or an input
whose gradient is asked for, has its effect through one, asking is TensorFlow's `LookupError` with our
reason.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow as tf

from hub_estimator import compat
from hub_estimator.format.nodes import node_of
from hub_estimator.format.tensor_infos import component_names, parse
from hub_estimator.graph.importing.contexts import control_flow_results, has_control_flow
from hub_estimator.graph.importing.parts import comes_from
from hub_estimator.graph.importing.reading import READING
from hub_estimator.graph.instance.apply import Applied, compute, compute_tensors, part_of
from hub_estimator.graph.reusable.eager_state import EagerState

_NO_GRADIENT = (
    "depends on what is trained through branches or loops of TF1 (tf.cond, tf.while_loop, tf.map_fn, "
    "... without control flow v2), of which TensorFlow has no gradients in functions. Train it with "
    "hub.Module in a graph, choose other variables with trainable='<regular expression>', or ask its "
    "publisher to export it with tf.compat.v1.enable_control_flow_v2()."
)


@dataclasses.dataclass(frozen=True)
class Application:
    """A signature of a variant to be computed.

    Attributes:
      state: the variant with its state.
      signature: the signature's name.
      what: what messages call the signature.
      differentiates_inputs: whether gradients with respect to its inputs are asked for.
    """

    state: EagerState
    signature: str
    what: str
    differentiates_inputs: bool = False

    @property
    def input_specs(self) -> dict[str, tf.TypeSpec]:
        """The types of the inputs by name."""
        infos = self._signature_def.inputs
        return {key: parse(info).type_spec for key, info in infos.items()}

    @property
    def _signature_def(self) -> Any:
        return self.state.variant.meta_graph.signature_def[self.signature]

    def add(self, given: Mapping[str, Any]) -> Applied:
        """Adds the operations to the default function graph; `given` are the inputs by name."""
        variant = self.state.variant
        part = part_of(variant, self.state, self.signature)
        if not has_control_flow(part):
            return self._compute(given)
        results = control_flow_results(variant, part)
        if not self._can_be_first(results):
            return self._compute_whole(given)
        tensors = self._results(given, results)
        return self._compute(given, dict(zip(results, tensors, strict=True)))

    def _can_be_first(self, results: Sequence[str]) -> bool:
        """Whether results can be computed before all else, and nothing is done twice then."""
        variant = self.state.variant
        rest = part_of(variant, self.state, self.signature, results)
        given = comes_from(frozenset(f"{name}:0" for name in variant.instance_nodes))
        first = variant.nodes.ancestors(map(node_of, results), given)
        functions = {function.signature.name for function in rest.graph_def.library.function}
        return not has_control_flow(rest) and not any(
            node.name in first
            and node.op not in READING
            and (node.op in functions or compat.is_stateful(node.op))
            for node in rest.graph_def.node
        )

    def _compute(
        self, given: Mapping[str, Any], known: Mapping[str, tf.Tensor] | None = None
    ) -> Applied:
        state = self.state
        return compute(state.variant, state, "module", self.signature, given, self.what, known)

    def _compute_whole(self, given: Mapping[str, Any]) -> Applied:
        """Computes all without dependencies; no gradient of it can be had."""

        def apply(inputs: Mapping[str, Any]) -> Any:
            applied = self._compute(inputs)
            return applied.after_updates((applied.outputs, applied.losses))

        found = _without_dependencies(apply, given)
        outputs, losses = tf.nest.map_structure(self._prevent, found, expand_composites=True)
        return Applied(outputs, losses, [])

    def _results(self, given: Mapping[str, Any], results: Sequence[str]) -> list[tf.Tensor]:
        """Computes what branches and loops give."""

        def apply(inputs: Mapping[str, Any]) -> list[tf.Tensor]:
            state, signature = self.state, self.signature
            return compute_tensors(state.variant, state, signature, inputs, self.what, results)

        differentiable = self._differentiable()
        return [
            self._prevent(tensor) if node_of(name) in differentiable else tf.stop_gradient(tensor)
            for name, tensor in zip(results, _without_dependencies(apply, given), strict=True)
        ]

    def _differentiable(self) -> set[str]:
        """The nodes that depend on what gradients are asked for."""
        variables = self.state.variables
        sources = {f"{name}:0" for name, variable in variables.items() if variable.trainable}
        if self.differentiates_inputs:
            infos = self._signature_def.inputs.values()
            sources.update(name for info in infos for name in component_names(info))
        return self.state.variant.nodes.descendants(sources)

    def _prevent(self, tensor: tf.Tensor) -> tf.Tensor:
        """Makes a gradient through a tensor an error."""
        if not tensor.dtype.is_floating:
            return tensor
        return tf.raw_ops.PreventGradient(input=tensor, message=f"{self.what} {_NO_GRADIENT}")


def _without_dependencies(apply: Callable[[Any], Any], given: Mapping[str, Any]) -> Any:
    """Applies a function without the control dependencies that `tf.function` adds."""

    def apply_flat(*tensors: tf.Tensor) -> Any:
        return apply(tf.nest.pack_sequence_as(given, tensors, expand_composites=True))

    flat = tf.nest.flatten(given, expand_composites=True)
    specs = [tf.TensorSpec(tensor.shape, tensor.dtype) for tensor in flat]
    return tf.compat.v1.wrap_function(apply_flat, specs)(*flat)
