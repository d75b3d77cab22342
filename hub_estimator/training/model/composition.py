"""A model over several encoders as one module: its signature is the features before the head."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf

from hub_estimator import errors, files
from hub_estimator.format.checkpoint import Value, write_checkpoint
from hub_estimator.format.spec import ModuleSpec
from hub_estimator.format.variant import quoted
from hub_estimator.graph import registration
from hub_estimator.graph.defining.authoring import add_signature, create_module_spec
from hub_estimator.training.example_spec import ExampleSpec
from hub_estimator.training.serving import placeholders

# Of no use in a module: what the encoders register to be exported apart, and TensorBoard's.
_NOT_CARRIED = (registration.REGISTERED, tf.compat.v1.GraphKeys.SUMMARIES)

Build = Callable[[Mapping[str, tf.Tensor], str], tf.Tensor]


def composed_spec(build: Build, spec: ExampleSpec) -> ModuleSpec:
    """Defines a module by the part of a model that turns features into one tensor.

    Its signature takes the features by their names and gives the output `"default"`. It has a
    variant for inference and one with the tag `"train"`.

    Args:
      build: called with the features, tensors by name, and the Estimator's mode, `"infer"` or
        `"train"`, in a graph of its own for each; returns float `[B, D]`.
      spec: what the model takes of each example.

    Raises:
      errors.DefinitionError: the graph cannot be a module; its subclasses tell why.
    """

    def model(mode: str) -> None:
        features = placeholders(spec.without_weights().features, "input")
        add_signature(inputs=features, outputs=build(dict(features), mode))

    variants = [((), {"mode": "infer"}), (("train",), {"mode": "train"})]
    return create_module_spec(model, variants, drop_collections=_NOT_CARRIED)


class ComposedModule:
    """The composed module of a model in a graph, to be registered for export there.

    Args:
      spec: the module. The graph has its variables under their names in the module.
    """

    def __init__(self, spec: ModuleSpec) -> None:
        self._spec = spec

    def export(self, path: files.PathLike, session: tf.compat.v1.Session) -> None:
        """Writes the module with the values that the model's variables have in a session.

        Args:
          path: the folder to make; it appears whole or not at all.
          session: a session of the model's graph.

        Raises:
          errors.ExportError: the graph lacks a variable, or it has no value in the session.
          ModuleExistsError: a module is at `path` already.
        """
        variables = _variables(session.graph)
        missing = {entry.op_name for entry in self._spec.variables} - set(variables)
        if missing:
            raise errors.ExportError(
                f"The model cannot be exported as a module: its graph has no variables "
                f"{quoted(missing)}. It has: {quoted(variables)}."
            )
        wanted = {entry.op_name: variables[entry.op_name] for entry in self._spec.variables}
        self._spec.write(path, lambda prefix: self._write(prefix, session, wanted))

    def _write(self, prefix: str, session: Any, variables: Mapping[str, Any]) -> None:
        try:
            arrays = session.run(dict(variables))
        except tf.errors.FailedPreconditionError as error:
            raise errors.ExportError(
                "The model cannot be exported as a module: a variable has no value in the session. "
                f"Restore a checkpoint first. ({error.message})"
            ) from error
        write_checkpoint(
            prefix,
            [
                Value(entry.key, entry.slice_spec, arrays[entry.op_name])
                for entry in self._spec.variables
            ],
        )


def _variables(graph: tf.Graph) -> dict[str, Any]:
    collection = graph.get_collection(tf.compat.v1.GraphKeys.GLOBAL_VARIABLES)
    return {variable.op.name: variable for variable in collection}
