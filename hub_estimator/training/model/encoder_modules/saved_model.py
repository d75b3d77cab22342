"""TF2 SavedModels with the reusable interface, as encoders' modules."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from hub_estimator import digests, errors
from hub_estimator.format.folder import check_files
from hub_estimator.format.integrity import reports_damage
from hub_estimator.format.origin import Origin
from hub_estimator.format.variant import quoted
from hub_estimator.graph.importing.parts import reports_import_failure
from hub_estimator.graph.loaded_saved_model import Interface, LoadedSavedModel
from hub_estimator.training.model.encoder_modules.interface import ModuleUse


@dataclasses.dataclass(frozen=True)
class ReusableSavedModel:
    """A TF2 SavedModel.

    Its `"default"` signature is its `__call__`; others are its signatures. It has no graph variants:
    `__call__` is told when to train.

    Attributes:
      origin: where it is.
    """

    origin: Origin

    @property
    def folder(self) -> str:
        """The folder that it is in."""
        return self.origin.folder

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
        return dict(self._interface(signature).inputs)

    def output_names(self, signature: str, tags: frozenset[str]) -> list[str]:
        """Returns the names of the outputs of a signature."""
        self._check_tags(tags)
        return list(self._interface(signature).outputs)

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
            raise errors.PartsMismatchError(
                f"Encoder.export_name is {use.export_name!r}, but {self.folder} is a TF2 SavedModel, "
                "which is not exported as a module. Set it to None; the whole model can be "
                "exported by @LatestExporter."
            )
        if isinstance(use.trainable, str):
            raise errors.PartsMismatchError(
                f"Encoder.trainable is {use.trainable!r}, but {self.folder} is a TF2 SavedModel, which "
                "is trained as a whole. Give True or False."
            )
        return BuiltSavedModel(self.origin, use.name, use.trainable, use.training)

    def _check_tags(self, tags: frozenset[str]) -> None:
        if tags:
            raise errors.TagsNotFoundError(
                f"Encoder.tags has {quoted(tags)}, but {self.folder} is a TF2 SavedModel, which has "
                "no graph variants. Leave Encoder.tags out."
            )

    def _interface(self, signature: str) -> Interface:
        interfaces = _interfaces(self.origin)
        if signature not in interfaces:
            raise errors.SignatureNotFoundError(
                f"The SavedModel {self.folder} has no signature {signature!r}. "
                f"It has: {quoted(interfaces)}."
            )
        return interfaces[signature]


@functools.lru_cache(maxsize=8)
def _interfaces(origin: Origin) -> Mapping[str, Interface]:
    with tf.Graph().as_default(), reports_damage(f"The SavedModel {origin.folder}"):
        return LoadedSavedModel.load(origin).interfaces()


class BuiltSavedModel:
    """A TF2 SavedModel in a graph.

    Args:
      origin: where it is.
      name: the name scope of its variables; a number is added where it is taken.
      trainable: whether training changes its variables.
      training: whether this graph trains it.

    Attributes:
      trained: the variables that training changes.

    Raises:
      errors.NothingTrainableError: it is to be trained and does not say which variables.
    """

    def __init__(self, origin: Origin, name: str, trainable: bool, training: bool) -> None:
        with tf.compat.v1.variable_scope(None, name, auxiliary_name_scope=False) as scope:
            self._scope = scope.name
        with tf.compat.v1.name_scope(f"{self._scope}/"):
            self._model = LoadedSavedModel.load(origin)
        self._training = training
        self.trained = self._train(origin.folder) if trainable else []

    def __call__(
        self, inputs: Mapping[str, Any], signature: str, frozen: bool = False
    ) -> dict[str, Any]:
        """Applies a signature; the one called "default" is `__call__`."""
        with reports_import_failure(self._scope):
            return self._model(inputs, signature, training=self._training and not frozen)

    def _train(self, folder: str) -> list[tf.Variable]:
        if self._model.trainable_variables is None:
            raise errors.NothingTrainableError(
                f"{folder} cannot be trained: the SavedModel has no `trainable_variables`. "
                "Set Encoder.trainable = False."
            )
        # There may be none in it: training may still update averages.
        trained = self._model.collect_trained()
        self._model.collect_losses()
        return trained
