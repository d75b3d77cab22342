"""TF2 SavedModels with the reusable interface, as encoders' modules.

The interface: https://www.tensorflow.org/hub/reusable_saved_models.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from hub_estimator import errors
from hub_estimator.format.folder import check_files
from hub_estimator.format.integrity import reports_damage
from hub_estimator.format.variant import DEFAULT, quoted
from hub_estimator.graph.loading import load
from hub_estimator.graph.parts import reports_import_failure
from hub_estimator.training import digests
from hub_estimator.training.model.encoder_modules.interface import ModuleUse

TRAINING = "training"  # the argument by which `__call__` is told to train
_NOT_INPUTS = (TRAINING, "mask")


@dataclasses.dataclass(frozen=True)
class ReusableSavedModel:
    """A TF2 SavedModel.

    Its `"default"` signature is its `__call__`; others are its signatures. It has no graph variants:
    `__call__` is told when to train.

    Attributes:
      folder: where it is.
    """

    folder: str

    @property
    def has_train_variant(self) -> bool:
        """No: `__call__` is told when to train."""
        return False

    def inputs(self, signature: str, tags: frozenset[str]) -> dict[str, tf.TensorSpec]:
        """Returns the type and the shape of each input of a signature.

        Raises:
          errors.TagsNotFoundError: it was asked for with tags.
        """
        self._check_tags(tags)
        return self._interface(signature)[0]

    def output_names(self, signature: str, tags: frozenset[str]) -> list[str]:
        """Returns the names of the outputs of a signature."""
        self._check_tags(tags)
        return list(self._interface(signature)[1])

    def digest(self, tags: frozenset[str]) -> str:
        """Returns a digest of its graph, its assets and the values of its variables."""
        self._check_tags(tags)
        check_files(self.folder)
        return digests.of_module(self.folder)

    def build(self, use: ModuleUse) -> BuiltSavedModel:
        """Adds the variables to the default graph.

        Raises:
          errors.ModelError: it cannot be exported or trained in this way.
        """
        self._check_tags(use.tags)
        if use.export_name is not None:
            raise errors.ModelError(
                f"Encoder.export_name is {use.export_name!r}, but {self.folder} is a TF2 SavedModel, "
                "which is not exported as a module. Set it to None; the whole model can be "
                "exported by @LatestExporter."
            )
        if isinstance(use.trainable, str):
            raise errors.ModelError(
                f"Encoder.trainable is {use.trainable!r}, but {self.folder} is a TF2 SavedModel, which "
                "is trained as a whole. Give True or False."
            )
        return BuiltSavedModel(self.folder, use.name, use.trainable, use.training)

    def _check_tags(self, tags: frozenset[str]) -> None:
        if tags:
            raise errors.TagsNotFoundError(
                f"Encoder.tags has {quoted(tags)}, but {self.folder} is a TF2 SavedModel, which has "
                "no graph variants. Leave Encoder.tags out."
            )

    def _interface(self, signature: str) -> tuple[dict[str, tf.TensorSpec], tuple[str, ...]]:
        interfaces = _interfaces(self.folder)
        if signature not in interfaces:
            raise errors.SignatureNotFoundError(
                f"The SavedModel {self.folder} has no signature {signature!r}. "
                f"It has: {quoted(interfaces)}."
            )
        return interfaces[signature]


@functools.lru_cache(maxsize=8)
def _interfaces(folder: str) -> dict[str, tuple[dict[str, tf.TensorSpec], tuple[str, ...]]]:
    """Returns the inputs and the names of the outputs of each signature."""
    with tf.Graph().as_default(), reports_damage(f"The SavedModel {folder}"):
        loaded = load(folder)
        functions = dict(loaded.signatures)
        if callable(loaded):
            functions[DEFAULT] = loaded.__call__.concrete_functions[0]
        return {
            name: (_inputs(function), _output_names(function.structured_outputs))
            for name, function in functions.items()
        }


def _inputs(function: Any) -> dict[str, tf.TensorSpec]:
    arguments, named = function.structured_input_signature
    by_name = dict(zip(function.function_type.parameters, arguments, strict=False)) | dict(named)
    inputs: dict[str, tf.TensorSpec] = {}
    for name, given in by_name.items():
        if isinstance(given, Mapping):
            inputs |= given
        elif isinstance(given, tf.TensorSpec) and name not in _NOT_INPUTS:
            inputs[name] = given
    return inputs


def _output_names(outputs: Any) -> tuple[str, ...]:
    return tuple(sorted(outputs)) if isinstance(outputs, Mapping) else (DEFAULT,)


class BuiltSavedModel:
    """A TF2 SavedModel in a graph.

    Args:
      folder: where it is.
      name: the name scope of its variables; a number is added where it is taken.
      trainable: whether training changes its variables.
      training: whether this graph trains it.

    Attributes:
      trained: the variables that training changes.

    Raises:
      errors.ModelError: it is to be trained and does not say which variables.
    """

    def __init__(self, folder: str, name: str, trainable: bool, training: bool) -> None:
        with tf.compat.v1.variable_scope(None, name, auxiliary_name_scope=False) as scope:
            self._scope = scope.name
        with tf.compat.v1.name_scope(f"{self._scope}/"):
            self._loaded = load(folder)
        self._folder = folder
        self._training = training
        self.trained = self._train() if trainable else []

    def __call__(
        self, inputs: Mapping[str, Any], signature: str, frozen: bool = False
    ) -> dict[str, Any]:
        """Applies a signature; the one called "default" is `__call__`."""
        with reports_import_failure(self._scope):
            if signature == DEFAULT and callable(self._loaded):
                outputs = self._call(inputs, self._training and not frozen)
            else:
                outputs = self._loaded.signatures[signature](**inputs)
        return dict(outputs) if isinstance(outputs, Mapping) else {DEFAULT: outputs}

    def _call(self, inputs: Mapping[str, Any], training: bool) -> Any:
        function = self._loaded.__call__.concrete_functions[0]
        names = list(function.function_type.parameters)
        first = function.structured_input_signature[0][0]
        values = {names[0]: dict(inputs)} if isinstance(first, Mapping) else dict(inputs)
        # The reusable interface has no update operations: they are part of the call.
        extra = {TRAINING: training} if TRAINING in names else {}
        return self._loaded(**values, **extra)

    def _train(self) -> list[tf.Variable]:
        if getattr(self._loaded, "trainable_variables", None) is None:
            raise errors.ModelError(
                f"{self._folder} cannot be trained: the SavedModel has no `trainable_variables`. "
                "Set Encoder.trainable = False."
            )
        # There may be none in it: training may still update averages.
        trained = list(self._loaded.trainable_variables)
        for variable in trained:
            tf.compat.v1.add_to_collection(tf.compat.v1.GraphKeys.TRAINABLE_VARIABLES, variable)
        for loss in getattr(self._loaded, "regularization_losses", None) or ():
            key = tf.compat.v1.GraphKeys.REGULARIZATION_LOSSES
            tf.compat.v1.losses.add_loss(loss(), key)
        return trained
