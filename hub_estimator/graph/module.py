"""`Module`: a module at work in a TensorFlow graph."""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import tensorflow as tf

from hub_estimator import compat, errors, files
from hub_estimator.format.checkpoint import StoredValues, find_values
from hub_estimator.format.read import load_module_spec
from hub_estimator.format.spec import ModuleSpec
from hub_estimator.format.tensor_infos import ParsedTensorInfo
from hub_estimator.format.variant import DEFAULT, inside_sentence, tags_text
from hub_estimator.graph import origins
from hub_estimator.graph.instance.apply import apply, apply_from, compute_tensors
from hub_estimator.graph.instance.plan import Trainable
from hub_estimator.graph.instance.saving import write_values
from hub_estimator.graph.instance.scopes import fresh_scope
from hub_estimator.graph.instance.state import build_state, share_state, variable_map
from hub_estimator.graph.instance.values import choose_outputs

Spec = ModuleSpec | files.PathLike

# Not a string: TensorFlow then leaves the collection out of saved graphs, where it cannot be.
_MODULES = ("hub_estimator", "modules")


def as_module_spec(spec: Any) -> ModuleSpec:
    """Returns the spec of what users may give: a spec, or a handle.

    Raises:
      TypeError: it is neither.
      OSError: see `load_module_spec`.
    """
    return spec if isinstance(spec, ModuleSpec) else load_module_spec(spec)


def modules_of(graph: tf.Graph | None = None) -> list[Module]:
    """Returns the modules that were made in a graph; None is the default graph."""
    graph = tf.compat.v1.get_default_graph() if graph is None else graph
    return list(graph.get_collection(_MODULES))


class Module:
    """A module in the current graph: its variables once, its computation at each call.

    The variables join the graph under a fresh variable scope; their initializers read the values
    that the module was exported with. A call adds the operations of a signature.

        m = hub.Module("path/to/module", trainable=True)
        features = m(sentences)

    Args:
      spec: a `ModuleSpec`, or a handle: a folder or a URL, as `str`, `bytes` or path-like.
      trainable: whether the variables are trained with those around: they join
        `TRAINABLE_VARIABLES`, the module's regularization losses `REGULARIZATION_LOSSES`, and each
        call's update operations `UPDATE_OPS`. A regular expression chooses the variables (by
        `re.search` in their names within the module) among those that the publisher made trainable.
      name: the name of the variable scope; a number is added where it is taken.
      tags: the tags of the graph variant, in any iterable; None is the variant for inference.

    Raises:
      OSError: there is no module under the handle (`NotAModuleError` tells what is).
      errors.TagsNotFoundError: the module has no variant with these tags.
      errors.ValuesNotFoundError: the module has no values for variables of this variant.
      errors.NameTakenError: operations have the name scope that the variables need.
      errors.NoTrainableVariablesError: the regular expression finds no variable.
      errors.EagerModeError: there is no graph to add to.
    """

    def __init__(
        self,
        spec: Spec,
        trainable: Trainable = False,
        name: str = "module",
        tags: Iterable[str] | None = None,
    ) -> None:
        if tf.executing_eagerly():
            raise errors.EagerModeError(
                "hub.Module works in a graph, but TensorFlow executes eagerly here. Use it inside "
                "of a model_fn or of `with tf.Graph().as_default():`, or use hub.load."
            )
        self._spec = as_module_spec(spec)
        self._variant = self._spec.variant(tags)
        self._spec.check_values(self._variant.tags)
        self._trainable = trainable
        self._name = name
        self._state = build_state(self._spec, self._variant, fresh_scope(name), trainable)
        tf.compat.v1.add_to_collection(_MODULES, self)
        origins.note(self._state.scope.variables, self._spec.origin)

    def __repr__(self) -> str:
        return (
            f"<hub.Module {self._state.scope.variables.rstrip('/')!r} of {self._spec.source}, "
            f"tags {tags_text(self._variant.tags)}>"
        )

    def variant(self, tags: Iterable[str] | None = None, trained: bool = True) -> Module:
        """Returns another graph variant of this module, on the variables of this one.

        With it, one graph trains and serves with the same weights:

            train = hub.Module(handle, trainable=True, tags={"train"})
            serve = train.variant()

        Only variables are added that this one does not have. A call of the result adds update
        operations where this module is trained, as a call of this one does.

        Args:
          tags: the tags of the other variant; None is the variant for inference.
          trained: whether it is trained where this module is; False adds no update operations, and
            its own variables are not trained.

        Raises:
          errors.TagsNotFoundError: the module has no variant with these tags.
          errors.ValuesNotFoundError: the module has no values for variables of the other variant.
          errors.VariablesDifferError: the other variant has a variable in another type, shape or
            partition.
          errors.WrongGraphError: the current graph is not that of the variables.
        """
        if tf.compat.v1.get_default_graph() is not self.graph:
            raise errors.WrongGraphError(
                f"Another variant of {self!r} is made in another graph than the one that holds its "
                "variables. Make it in that graph."
            )
        other = copy.copy(self)
        other._variant = self._spec.variant(tags)
        self._spec.check_values(other._variant.tags)
        is_trained = trained and self._state.training is not None
        trainable = self._trainable if is_trained else False
        other._state = share_state(
            self._state, self._variant, self._spec, other._variant, trainable
        )
        return other

    @property
    def graph(self) -> tf.Graph:
        """The graph that holds the variables."""
        return self._state.graph

    @property
    def spec(self) -> ModuleSpec:
        """What the module was made of."""
        return self._spec

    @property
    def trainable(self) -> Trainable:
        """What was given as `trainable`."""
        return self._trainable

    @property
    def variable_map(self) -> dict[str, Any]:
        """Each variable by its name in the module; a partitioned one is the list of its parts."""
        return variable_map(self._state.variables, self._variant)

    @property
    def variables(self) -> list[tf.Variable]:
        """The variables, sorted by their names in the module."""
        return [self._state.variables[name] for name in sorted(self._state.variables)]

    @property
    def trained_variables(self) -> list[tf.Variable]:
        """The variables that are trained, sorted by their names in the module.

        Those that only other graph variants on this module have are among them.
        """
        if self._state.training is None:
            return []
        held = self._state.held
        return [held[name].variable for name in sorted(held) if held[name].is_trained]

    @property
    def constant_variables(self) -> list[tf.Variable]:
        """The variables that always have the module's values on disk, sorted by name.

        All of a module that is not trained, also those that other graph variants on it have, as
        long as nobody else assigns to them. None of one that is, in part too, for its update
        operations change others; and none where the module is not on disk.
        """
        if self._spec.checkpoint_path is None or self._trainable:
            return []
        return [self._state.held[name].variable for name in sorted(self._state.held)]

    def __call__(
        self, inputs: Any = None, signature: str | None = None, as_dict: bool | None = None
    ) -> Any:
        """Adds the operations that compute a signature to the current graph.

        Args:
          inputs: a dict from the names of the signature's inputs to values, or one value where it
            has one input, or None where it has none. Tensors, and what converts to them.
          signature: the signature's name; None is `"default"`.
          as_dict: whether to return all outputs in a dict by name, rather than the one named
            `"default"`.

        Returns:
          The output, or the dict of all.

        Raises:
          errors.SignatureNotFoundError: the variant has no such signature.
          errors.InputError: inputs are missing or extra, or do not fit by type or shape.
          errors.OutputError: there is no output `"default"`, and not all are asked for.
          errors.WrongGraphError: the current graph is not that of the variables, nor inside of it.
        """
        signature = signature or DEFAULT
        what = self._checked(signature)
        outputs = apply(self._variant, self._state, self._name, signature, inputs, what)
        return choose_outputs(outputs, as_dict, what)

    def inner_tensors(self, inputs: Any, signature: str, names: Sequence[str]) -> list[tf.Tensor]:
        """Adds what computes tensors inside of a signature to the current graph.

        Args:
          inputs: as for a call.
          signature: the signature's name.
          names: the names of the tensors in the module's graph (`node:0`).

        Returns:
          The tensors.

        Raises:
          errors.Error: as a call does.
        """
        what = self._checked(signature)
        return compute_tensors(self._variant, self._state, signature, inputs, what, names)

    def output_from(self, tensors: Mapping[str, tf.Tensor], signature: str, output: str) -> Any:
        """Adds what computes an output from tensors inside of a signature to the current graph.

        Args:
          tensors: by their names in the module's graph; all that the output takes of the inputs comes
            through them.
          signature: the signature's name.
          output: the name of the output.

        Returns:
          The output.

        Raises:
          errors.Error: as a call does.
        """
        self._checked(signature)
        return apply_from(self._variant, self._state, self._name, signature, tensors, output)

    def _checked(self, signature: str) -> str:
        """Checks that a signature can be applied here; returns what messages call it."""
        graph = tf.compat.v1.get_default_graph()
        if tf.executing_eagerly() or not compat.is_inside(graph, self.graph):
            raise errors.WrongGraphError(
                f"{self!r} is applied in another graph than the one that holds its variables. "
                "Make a module in each graph."
            )
        self._variant.signature(signature, self._spec.source)
        return f"The signature {signature!r} of {inside_sentence(self._spec.source)}"

    def get_signature_names(self) -> list[str]:
        """Returns the names of the signatures, sorted."""
        return self._spec.get_signature_names(tags=self._variant.tags)

    def get_input_info_dict(self, signature: str | None = None) -> dict[str, ParsedTensorInfo]:
        """Returns the type and the shape of each input of a signature; see `ModuleSpec`."""
        return self._spec.get_input_info_dict(signature, tags=self._variant.tags)

    def get_output_info_dict(self, signature: str | None = None) -> dict[str, ParsedTensorInfo]:
        """Returns the type and the shape of each output of a signature; see `ModuleSpec`."""
        return self._spec.get_output_info_dict(signature, tags=self._variant.tags)

    def get_attached_message(self, key: str, message_type: Any, required: bool = False) -> Any:
        """Returns the message attached under a key, or None; see `ModuleSpec`."""
        return self._spec.get_attached_message(
            key, message_type, tags=self._variant.tags, required=required
        )

    def export(
        self,
        path: files.PathLike,
        session: tf.compat.v1.Session,
        checkpoint_path: files.PathLike | None = None,
    ) -> None:
        """Writes the module with the values that its variables have in a session.

        All graph variants are written, not just the one of this instance. Variables that only
        others have keep the values that the module has on disk; a variant for which there are none
        cannot be used afterwards, and a log line says so.

        Args:
          path: the folder to make; it appears whole or not at all.
          session: a session of the graph.
          checkpoint_path: the prefix of a checkpoint of a graph with this module, where the
            values of variables that only other variants have are looked for first.

        Raises:
          tf_errors.ModuleExistsError: a module is at `path` already.
          errors.WrongGraphError: the session is of another graph.
          errors.ExportError: a variable has no value in the session.
          tf_errors.CheckpointNotFoundError: there is no such checkpoint; it is a
            `tf.errors.NotFoundError`.
          errors.DamagedCheckpointError: a file of it is damaged.
        """
        if getattr(session, "graph", None) is not self.graph:
            raise errors.WrongGraphError(
                f"{self!r} is exported with a session of another graph. Give a session of the "
                "graph that holds its variables: tf.compat.v1.Session(graph=module.graph)."
            )
        specs = {held.entry.key: held.entry.spec for held in self._state.held.values()}
        kept = self._values_of_others(specs, checkpoint_path)
        for values in kept:
            specs |= values.specs
        self._spec.write(path, lambda prefix: self._write_values(session, prefix, kept), specs)

    def _values_of_others(
        self, own: Collection[str], checkpoint_path: files.PathLike | None
    ) -> list[StoredValues]:
        """Returns the values of the variables that are not in the graph, by their keys."""
        keys = {entry.key for entry in self._spec.variables} - set(own)
        found = []
        if checkpoint_path is not None:
            scope = self._state.scope.variables
            found.append(find_values(files.as_path(checkpoint_path), keys, lambda key: scope + key))
            keys -= set(found[0].names)
        if self._spec.checkpoint_path is not None:
            kept = keys & set(self._spec.stored)
            found.append(find_values(self._spec.checkpoint_path, kept))
        return [values for values in found if values.names]

    def _write_values(
        self, session: tf.compat.v1.Session, prefix: str, kept: Sequence[StoredValues]
    ) -> None:
        try:
            write_values(self._state, session, prefix, kept)
        except tf.errors.FailedPreconditionError as error:
            raise errors.ExportError(
                f"{self!r} cannot be exported: a variable has no value in the session. Run "
                f"tf.compat.v1.global_variables_initializer() first. ({error.message})"
            ) from error
