"""An encoder: one module at work in a model."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import tensorflow as tf

from hub_estimator import errors, files, layout
from hub_estimator.format.origin import find
from hub_estimator.format.read import spec_at
from hub_estimator.format.spec import ModuleSpec
from hub_estimator.format.variant import TRAIN_TAGS, as_tags
from hub_estimator.graph.instance.cut import LowerPart, NoBorderError
from hub_estimator.training import checks
from hub_estimator.training.model import pooling
from hub_estimator.training.model.dropout import drop
from hub_estimator.training.model.encoder_modules.frozen_at_first import FrozenAtFirst
from hub_estimator.training.model.encoder_modules.hub_module import HubModule
from hub_estimator.training.model.encoder_modules.interface import (
    BuiltModule,
    EncoderModule,
    ModuleUse,
)
from hub_estimator.training.model.encoder_modules.saved_model import ReusableSavedModel
from hub_estimator.training.optimization.groups import VariableGroup

_TRAIN_MODE = "train"  # the value of `ModeKeys.TRAIN`
_PREDICT_MODE = "infer"
_MODES = (_TRAIN_MODE, "eval", _PREDICT_MODE)

# The feature of a signature's one input, or the features of its inputs by their names.
Feature = str | Mapping[str, str]
Tags = str | Iterable[str]


@dataclasses.dataclass(frozen=True)
class Encoding:
    """What an encoder added to a graph.

    Attributes:
      outputs: float32 `[B, D]`, one for each use of the module.
      group: the variables that are trained, and how; None where none is.
    """

    outputs: list[tf.Tensor]
    group: VariableGroup | None


@dataclasses.dataclass(frozen=True)
class Encoder:
    """One module that turns features into float `[B, D]` tensors.

    Attributes:
      handle: where the module is: a folder, a URL, or a `ModuleSpec`. A TF1 Hub module, or a TF2
        SavedModel that can be called.
      feature: the name of the feature that is the signature's one input, or a dict from the
        signature's input names to feature names. A list of these uses the module once for each, on
        one set of variables.
      signature: the signature to apply.
      output: the name of the output to use, which may be an intermediate one.
      pool: what becomes of the inner dimensions of an output `[B, ..., D]`: `"mean"` or `"max"` over
        them; None refuses such outputs. Without a `pool_mask` positions that only fill up a batch
        count too, so that what an example gives depends on the longest of its batch.
      pool_mask: the name of a feature `[B, T]` of numbers; of an output `[B, T, D]`, `pool` takes the
        positions where it is not 0. For token ids that are filled up with 0 this is their own
        feature. Where the module does not take it, it is int64. A list of features needs a list
        with one for each.
      trainable: whether training changes the module's variables; a regular expression chooses those
        whose names within the module it is found in.
      tags: the graph variant to use, one string being one tag; a dict gives them for each of the
        modes `"train"`, `"eval"` and `"infer"`. None takes the `{"train"}` variant when training a
        trainable module that has one, and the variant without tags otherwise. `[]` takes that one
        always: without dropout, what comes before all that is trained can be computed once.
      learning_rate_multiplier: what the learning rate is multiplied by for the module's variables.
      train_from_step: the global step from which the module is trained; before it, its variables
        stay as they are while the rest of the model learns. Regularization losses of a module that
        depend on its inputs are left out then; those of its variables are not.
      dropout: the fraction of the output that training drops.
      name: the variable scope of the module, the prefix of its variables in checkpoints.
      export_name: the name under which exporters export the module; None does not export it.
    """

    handle: files.PathLike | ModuleSpec
    feature: Feature | Sequence[Feature] = "text"
    signature: str = "default"
    output: str = "default"
    pool: str | None = None
    pool_mask: str | Sequence[str] | None = None
    trainable: bool | str = False
    tags: Tags | Mapping[str, Tags] | None = None
    learning_rate_multiplier: float = 1.0
    train_from_step: int = 0
    dropout: float = 0.0
    name: str = "module"
    export_name: str | None = None

    @functools.cached_property
    def module(self) -> EncoderModule:
        """What the handle names, read once, and told apart by what is on disk.

        Raises:
          errors.HandleError: the handle cannot be resolved.
          errors.NotAModuleError: what is there is not a module.
        """
        if isinstance(self.handle, ModuleSpec):
            return HubModule(self.handle)
        origin = find(self.handle)
        if layout.kind_of(origin.folder) is layout.FolderKind.SAVED_MODEL:
            return ReusableSavedModel(origin)
        return HubModule(spec_at(origin))

    def tags_for(self, mode: str) -> frozenset[str]:
        """Returns the tags of the graph variant that an Estimator's mode uses."""
        tags = self.tags
        if isinstance(tags, Mapping):
            tags = tags.get(mode)
        if tags is not None:
            return as_tags(tags)
        fine_tunes = mode == _TRAIN_MODE and bool(self.trainable)
        return TRAIN_TAGS if fine_tunes and self.module.has_train_variant else frozenset()

    def _other_tags(self, mode: str) -> list[frozenset[str]]:
        """Returns the tags of the graph variants that other modes use."""
        return sorted(
            {self.tags_for(other) for other in _MODES} - {self.tags_for(mode)}, key=sorted
        )

    @property
    def is_frozen(self) -> bool:
        """Whether its outputs are the same in training as elsewhere, at every step."""
        return not self.trainable and self.tags_for(_TRAIN_MODE) == self.tags_for(_PREDICT_MODE)

    def trainable_by_others(self) -> Encoder:
        """Returns the encoder as a part of a module, whose users choose what is trained, and when."""
        # A SavedModel need not say what of it can be trained.
        trainable = self.trainable or isinstance(self.module, HubModule)
        return dataclasses.replace(self, trainable=trainable, train_from_step=0)

    def check(self, mode: str, feature_names: Iterable[str]) -> None:
        """Checks all that can be known before a graph is built.

        Args:
          mode: the Estimator's mode.
          feature_names: the features that the input gives.

        Raises:
          errors.HandleError: the handle cannot be resolved.
          errors.NotAModuleError: what is there is not a module.
          errors.NotInModuleError: the tags, the signature or the output are not in the module.
          errors.FeatureNotFoundError: the input does not give a feature.
          errors.InvalidSettingError: the inputs are not those of the signature, or a setting is wrong.
          errors.InvalidPathNameError: `export_name` cannot be the name of a folder.
        """
        self._check_settings()
        tags = self.tags_for(mode)
        inputs = self.module.inputs(self.signature, tags)
        self._check_output(self.module.output_names(self.signature, tags))
        for use, mask in zip(self._uses(inputs), self._masks(), strict=True):
            for name in [*use.values(), *([] if mask is None else [mask])]:
                if name not in feature_names:
                    raise errors.FeatureNotFoundError(
                        f"Encoder {self.name!r} takes the feature {name!r}, which the input does "
                        f"not give. It gives: {', '.join(sorted(feature_names))}."
                    )

    def feature_specs(self) -> dict[str, tf.TensorSpec]:
        """Returns the type and the shape of each feature, as the module's signature has them."""
        inputs = self.module.inputs(self.signature, self.tags_for(_PREDICT_MODE))
        masks = [mask for mask in self._masks() if mask is not None]
        return {mask: tf.TensorSpec([None, None], tf.int64, mask) for mask in masks} | {
            feature: tf.TensorSpec(inputs[name].shape, inputs[name].dtype, feature)
            for use in self._uses(inputs)
            for name, feature in use.items()
        }

    def feature_by_input(self, tags: frozenset[str]) -> Mapping[str, str]:
        """Returns the feature of each input of the signature, for an encoder with one use."""
        (use,) = self._uses(self.module.inputs(self.signature, tags))
        return use

    def single_uses(self) -> list[Encoder]:
        """Returns an encoder for each use of the module, which has just that one."""
        is_one = isinstance(self.feature, (str, Mapping))
        uses = [self.feature] if is_one else list(self.feature)
        return [
            dataclasses.replace(self, feature=use, pool_mask=mask)
            for use, mask in zip(uses, self._masks(), strict=True)
        ]

    def __call__(
        self,
        features: Mapping[str, Any],
        mode: str,
        precomputed: Sequence[tf.Tensor] | None = None,
        scope: str | None = None,
        inside: Mapping[str, tf.Tensor] | None = None,
    ) -> Encoding:
        """Adds the module to the graph and applies it.

        Args:
          features: the tensors by feature name, with `B` as their first dimension.
          mode: the Estimator's mode.
          precomputed: what a frozen module gives for these features, `[B, D]` for each use; the
            module's variables are in the graph nevertheless. None applies the module.
          scope: what tells it from the other encoders of the model; None is its name.
          inside: tensors inside of the signature by their names, from which the one output is
            computed; None computes it from the features.

        Returns:
          The outputs, and the variables that are trained.
        """
        scope = scope or self.name
        built = self.build(mode)
        if inside is not None:
            precomputed = [self.output_from(built, inside)]
        if precomputed is None:
            precomputed = self.outputs_of(built, features, mode)
        outputs = [
            drop(output, self.dropout, mode == _TRAIN_MODE, f"{scope}/{number}")
            for number, output in enumerate(precomputed)
        ]
        return Encoding(outputs, self._group(built, scope))

    def build(self, mode: str) -> BuiltModule:
        """Adds the module's variables to the default graph.

        Args:
          mode: the Estimator's mode.
        """
        training = mode == _TRAIN_MODE
        starts_frozen = training and bool(self.trainable and self.train_from_step)
        use = ModuleUse(
            name=self.name,
            trainable=self.trainable,
            training=training and bool(self.trainable),
            tags=self.tags_for(mode),
            frozen_tags=self.tags_for(_PREDICT_MODE) if starts_frozen else None,
            other_tags=self._other_tags(mode),
            export_name=self.export_name,
        )
        built = self.module.build(use)
        return FrozenAtFirst(built, self.train_from_step) if starts_frozen else built

    def outputs_of(
        self, built: BuiltModule, features: Mapping[str, Any], mode: str
    ) -> list[tf.Tensor]:
        """Applies the module; returns float32 `[B, D]` for each use.

        Args:
          built: the module in the default graph.
          features: the tensors by feature name.
          mode: the Estimator's mode.
        """
        inputs = self.module.inputs(self.signature, self.tags_for(mode))
        return [
            self._apply(built, names, features, mask)
            for names, mask in zip(self._uses(inputs), self._masks(), strict=True)
        ]

    def inner_tensors(
        self, built: Any, features: Mapping[str, Any], mode: str, names: Sequence[str]
    ) -> list[tf.Tensor]:
        """Computes tensors inside of the signature, for an encoder with one use.

        Args:
          built: the module in the default graph, a `BuiltHubModule`.
          features: the tensors by feature name.
          mode: the Estimator's mode.
          names: the names of the tensors in the module's graph.
        """
        use = self.feature_by_input(self.tags_for(mode))
        inputs = {name: features[feature] for name, feature in use.items()}
        return built.inner_tensors(inputs, self.signature, names)

    def output_from(self, built: Any, inside: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """Computes the one output from tensors inside of the signature; returns float32 `[B, D]`.

        Args:
          built: the module in the default graph, a `BuiltHubModule`.
          inside: the tensors by their names in the module's graph.
        """
        output = built.output_from(inside, self.signature, self.output)
        self._check_numbers(output)
        return self._checked_rank(
            output if self.pool is None else pooling.pool(output, self.pool, None)
        )

    def lower_part(self, mode: str) -> LowerPart:
        """Returns what of the one use of a trained module does not change in training.

        Args:
          mode: the Estimator's mode.

        Raises:
          NoBorderError: nothing of it can be computed beforehand.
        """
        if not isinstance(self.module, HubModule):
            raise NoBorderError("it is a TF2 SavedModel")
        if self.train_from_step:
            raise NoBorderError("Encoder.train_from_step changes what is trained")
        if len(self.single_uses()) > 1:
            raise NoBorderError("it is used for several features")
        if self.pool_mask is not None:
            raise NoBorderError("Encoder.pool_mask is a feature that each step takes")
        return self.module.lower_part(
            self.trainable,
            self.tags_for(_TRAIN_MODE),
            self.tags_for(mode),
            self.signature,
            self.output,
        )

    def _apply(
        self,
        built: BuiltModule,
        names: Mapping[str, str],
        features: Mapping[str, Any],
        mask: str | None,
    ) -> tf.Tensor:
        values = {name: features[feature] for name, feature in names.items()}
        outputs = built(values, self.signature)
        self._check_output(outputs)
        output = outputs[self.output]
        self._check_numbers(output)
        if self.pool is not None:
            positions = None if mask is None else features[mask]
            self._check_mask(output, mask, positions)
            output = pooling.pool(output, self.pool, positions)
        return self._checked_rank(output)

    def _group(self, built: BuiltModule, scope: str) -> VariableGroup | None:
        if not built.trained:
            return None
        return VariableGroup(
            scope, tuple(built.trained), self.learning_rate_multiplier, self.train_from_step
        )

    def _uses(self, inputs: Mapping[str, Any]) -> list[Mapping[str, str]]:
        """Returns the features of the signature's inputs, for each use of the module."""
        return [self._feature_by_input(use.feature, inputs) for use in self.single_uses()]

    def _masks(self) -> list[str | None]:
        """Returns the mask for each use of the module."""
        uses = 1 if isinstance(self.feature, (str, Mapping)) else len(self.feature)
        mask = self.pool_mask
        if mask is None:
            return [None] * uses
        masks = [mask] if isinstance(mask, str) else list(mask)
        if len(masks) != uses:
            raise errors.InvalidSettingError(
                f"Encoder.pool_mask is {mask!r}, but Encoder.feature is {self.feature!r}. Give a "
                "mask for each feature."
            )
        return list(masks)

    def _feature_by_input(self, feature: Any, inputs: Mapping[str, Any]) -> Mapping[str, str]:
        chosen = feature if isinstance(feature, Mapping) else {name: feature for name in inputs}
        if set(chosen) != set(inputs) or (isinstance(feature, str) and len(inputs) != 1):
            raise errors.PartsMismatchError(
                f"Encoder {self.name!r} gives the signature {self.signature!r} the feature "
                f"{feature!r}, but its inputs are: {', '.join(sorted(inputs)) or 'none'}. "
                "Give Encoder.feature a dict with exactly these keys."
            )
        return chosen

    def _check_settings(self) -> None:
        checks.fraction("Encoder.dropout", self.dropout)
        if self.export_name is not None:
            files.check_name("Encoder.export_name", self.export_name)
        checks.whole_number("Encoder.train_from_step", self.train_from_step, least=0)
        checks.number("Encoder.learning_rate_multiplier", self.learning_rate_multiplier)
        if self.pool not in (None, *pooling.KINDS):
            kinds = ", ".join(map(repr, pooling.KINDS))
            raise errors.InvalidSettingError(
                f"Encoder.pool is {self.pool!r}; it must be {kinds} or None."
            )
        if self.pool_mask is not None and self.pool is None:
            raise errors.InvalidSettingError(
                f"Encoder.pool_mask is {self.pool_mask!r}, but Encoder.pool is None. Set "
                "Encoder.pool, or leave the mask out."
            )
        if isinstance(self.tags, Mapping) and set(self.tags) - set(_MODES):
            raise errors.InvalidSettingError(
                f"Encoder.tags is {self.tags!r}; the keys of a dict must be modes: "
                f"{', '.join(map(repr, _MODES))}."
            )

    def _check_output(self, outputs: Iterable[str]) -> None:
        if self.output not in outputs:
            raise errors.OutputNotFoundError(
                f"The signature {self.signature!r} of the module {self.handle!r} has no output "
                f"{self.output!r}. It has: {', '.join(sorted(outputs))}."
            )

    def _check_numbers(self, output: Any) -> None:
        dtype = output.dtype
        if not (dtype.is_floating or dtype.is_integer or dtype.is_bool):
            raise errors.PartsMismatchError(
                f"The output {self.output!r} of encoder {self.name!r} is {dtype.name} "
                f"{output.shape}; a model takes numbers. Choose another Encoder.output or signature."
            )

    def _check_mask(self, output: tf.Tensor, name: str | None, mask: Any) -> None:
        if name is None:
            return
        fits = output.shape[:2].is_compatible_with(mask.shape)
        if not fits or output.shape.rank not in (None, 3) or mask.dtype == tf.string:
            raise errors.PartsMismatchError(
                f"The output {self.output!r} of encoder {self.name!r} is {output.shape}, its mask "
                f"{name!r} {mask.dtype.name} {mask.shape}. Encoder.pool_mask must be a feature of "
                "numbers [B, T] for an output [B, T, D]."
            )

    def _checked_rank(self, output: Any) -> tf.Tensor:
        if not isinstance(output, tf.Tensor) or output.shape.rank not in (None, 2):
            raise errors.PartsMismatchError(
                f"The output {self.output!r} of encoder {self.name!r} is {output}; a model takes "
                "a dense output [batch, width]. Set Encoder.pool, or choose another "
                "Encoder.output or signature."
            )
        return tf.cast(output, tf.float32)
