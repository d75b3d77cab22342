"""Writing a TF1 Hub module as a reusable SavedModel of TensorFlow 2."""

from __future__ import annotations

import dataclasses
import functools
import keyword
import logging
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import tensorflow as tf

from hub_estimator import errors, files, layout, texts
from hub_estimator.format import collections, tf_errors
from hub_estimator.format.operation_rules import CALLS_PYTHON
from hub_estimator.format.spec import ModuleSpec
from hub_estimator.format.variant import DEFAULT, as_tags, some_of, tags_text
from hub_estimator.graph.reusable.module import ReusableModule

_logger = logging.getLogger("hub_estimator")
_NOT_IN_ARGUMENTS = re.compile(r"\W")


@dataclasses.dataclass(frozen=True)
class SavedSignature:
    """A signature of a SavedModel that was written.

    Attributes:
      tags: the tags of the module's graph variant that it computes.
      signature: its name in the module.
    """

    tags: frozenset[str]
    signature: str


def save_reusable(
    spec: ModuleSpec, path: files.PathLike, tags: Iterable[str] | None = None
) -> dict[str, SavedSignature]:
    """Writes a module as a SavedModel that programs without this package load, train and serve.

    What `tf.saved_model.load` returns for it has

    - `__call__(inputs, training=False)`, where the variant has the signature `"default"`: `inputs` is
      the one input or a dict of them, the result is the output `"default"` or, where there is none,
      a dict of all. With `training=True` it computes the variant of the tags `{"train"}`, where the
      module has it, and runs the update operations;
    - `variables`, `trainable_variables`, and `regularization_losses`, functions without arguments;
    - `signatures`: those of the variant under their own names, those of others under
      `<name>_<tags>`;
    - `attached_messages`, where there are some: a function without arguments that gives the
      serialized messages by their keys.

    Regularization losses that depend on a call's inputs are not in it: the interface has no place.

    Args:
      spec: the module, with values on disk or its variables' initializers.
      path: the folder to make; it appears whole or not at all.
      tags: the tags of the graph variant that `__call__` computes; None is the variant for
        inference, or the only one.

    Returns:
      What the signatures that were written are of, by their names.

    Raises:
      errors.NotConvertibleError: an operation of the module cannot be in a SavedModel.
      tf_errors.ModuleExistsError: a module or a SavedModel is at `path` already.
      errors.TagsNotFoundError: the module has no such variant.
      errors.ValuesNotFoundError: it has no values for its variables.
      errors.ExportError: an asset is not there, or the folder has other files.
    """
    path = files.as_path(path)
    if layout.kind_of(path) is not layout.FolderKind.OTHER:
        raise tf_errors.ModuleExistsError(
            f"There is {layout.kind_of(path).value} at {path} already, and it is never overwritten. "
            "Give another folder, or remove that one first."
        )
    if tags is None and len(spec.variants) == 1:
        tags = spec.variants[0].tags
    _check_operations(spec)
    _check_assets(spec)
    usable = _without_unusable(spec, as_tags(tags))
    form = _ReusableForm(usable, as_tags(tags))
    signatures = _signatures(usable, as_tags(tags))
    functions = {name: form.signature(saved) for name, saved in signatures.items()}
    try:
        with files.whole_folder(path, last=layout.SAVED_MODEL) as scratch:
            tf.saved_model.save(form, scratch, signatures=functions)
    except FileExistsError as error:
        raise errors.ExportError(
            f"A SavedModel cannot be written to {path}: {error} Give another folder."
        ) from error
    return signatures


def _check_operations(spec: ModuleSpec) -> None:
    for effect in spec.side_effects():
        if effect.kind == CALLS_PYTHON:
            raise errors.NotConvertibleError(
                f"{spec.source} cannot be a SavedModel of TensorFlow 2: the operation "
                f"{texts.shown(effect.name)} ({effect.op_type}) of its graph variant with the tags "
                f"{tags_text(effect.tags)} {effect.kind}, which no file holds. Define the module "
                "without it."
            )


def _check_assets(spec: ModuleSpec) -> None:
    # TensorFlow leaves out what is not there.
    for name, source in sorted(spec.asset_paths.items()):
        if not files.exists(source):
            raise errors.ExportError(
                f"The module's asset {name!r} is not at {source} any more. Its file must be there "
                "until the module is converted."
            )


def _without_unusable(spec: ModuleSpec, needed: frozenset[str]) -> ModuleSpec:
    """Returns a spec without those variants that lack values, but with the one that is needed."""
    unusable = {} if spec.checkpoint_path is None else dict(spec.unusable)
    unusable.pop(needed, None)
    if not unusable:
        return spec
    _logger.warning(
        "%s has no values for the graph variants with the tags %s, which are left out.",
        spec.source,
        some_of([tags_text(tags) for tags in spec.get_tags() if tags in unusable]),
    )
    usable = [variant for variant in spec.variants if variant.tags not in unusable]
    return ModuleSpec(usable, spec.asset_paths, spec.checkpoint_path, spec.source, spec.origin)


def _signatures(spec: ModuleSpec, called: frozenset[str]) -> dict[str, SavedSignature]:
    """Returns the signatures of all variants by the names that they get."""
    found = {name: SavedSignature(called, name) for name in spec.get_signature_names(called)}
    for tags in spec.get_tags():
        for signature in spec.get_signature_names(tags) if tags != called else ():
            name = "_".join([signature, *sorted(tags)])
            while name in found:
                name += "_"
            found[name] = SavedSignature(tags, signature)
    return found


class _ReusableForm(tf.train.Checkpoint):
    """What is saved: the attributes that the interface asks for, and the functions."""

    def __init__(self, spec: ModuleSpec, tags: frozenset[str]) -> None:
        super().__init__()
        # The default is also that which looks for the variant for training.
        chosen = tags or None
        self._module = ReusableModule(spec, True, chosen, more_tags=spec.get_tags())
        self._spec, self._tags = spec, tags
        self.variables = list(self._module.variables)
        self.trainable_variables = list(self._module.trainable_variables)
        losses = self._module.regularization_losses
        self.regularization_losses = [loss.function() for loss in losses]
        messages = collections.attachments(spec.variant(tags).meta_graph)
        if messages:
            self.attached_messages = _constant_function(messages)
        if DEFAULT in spec.get_signature_names(tags):
            # An attribute: what is loaded can be called where, and only where, there is one.
            self.__call__ = self._callable(SavedSignature(tags, DEFAULT))

    def _callable(self, default: SavedSignature) -> Any:
        @functools.partial(tf.function, autograph=False)
        def call(inputs: Any = None, training: bool = False) -> Any:
            return self._module(inputs, training=training)

        specs = _specs(self._spec, default)
        inputs = next(iter(specs.values())) if len(specs) == 1 else specs or None
        for training in (False, True):
            call.get_concrete_function(inputs, training=training)
        return call

    def signature(self, saved: SavedSignature) -> Any:
        """Returns the concrete function of a signature."""
        arguments = _arguments(_specs(self._spec, saved))

        @functools.partial(tf.function, autograph=False)
        def compute(**given: Any) -> dict[str, Any]:
            inputs = {name: given[argument] for name, (argument, _) in arguments.items()}
            return self._module.compute(inputs, saved.signature, tags=saved.tags).outputs

        return compute.get_concrete_function(**dict(arguments.values()))


def _specs(spec: ModuleSpec, saved: SavedSignature) -> dict[str, tf.TypeSpec]:
    infos = spec.get_input_info_dict(saved.signature, saved.tags)
    return {name: info.type_spec for name, info in infos.items()}


def _arguments(specs: Mapping[str, tf.TypeSpec]) -> dict[str, tuple[str, tf.TypeSpec]]:
    """Returns the name and the type of the argument for each input of a signature."""
    found: dict[str, tuple[str, tf.TypeSpec]] = {}
    for name, spec in specs.items():
        argument = _NOT_IN_ARGUMENTS.sub("_", name)
        if not argument.isidentifier() or keyword.iskeyword(argument) or argument == "self":
            argument = f"input_{argument}"
        while argument in (taken for taken, _ in found.values()):
            argument += "_"
        if isinstance(spec, tf.TensorSpec):
            spec = tf.TensorSpec(spec.shape, spec.dtype, argument)
        found[name] = argument, spec
    return found


def _constant_function(values: Mapping[str, bytes]) -> Callable[[], dict[str, tf.Tensor]]:
    @functools.partial(tf.function, autograph=False, input_signature=[])
    def constants() -> dict[str, tf.Tensor]:
        return {key: tf.constant(value) for key, value in values.items()}

    return constants
