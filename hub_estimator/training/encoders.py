"""An encoder: one module at work in a model."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterable, Mapping
from typing import Any

import tensorflow as tf

from hub_estimator import errors, files
from hub_estimator.format.spec import ModuleSpec
from hub_estimator.format.variant import as_tags
from hub_estimator.graph.module import Module, as_module_spec
from hub_estimator.graph.registration import register_module_for_export

TRAIN_TAGS = frozenset({"train"})
_TRAIN_MODE = "train"  # the value of `ModeKeys.TRAIN`


@dataclasses.dataclass(frozen=True)
class Encoder:
    """One module that turns features into a float `[B, D]` tensor.

    Attributes:
      handle: where the module is: a folder, a URL, or a `ModuleSpec`.
      feature: the name of the feature that is the signature's one input, or a dict from the
        signature's input names to feature names.
      signature: the signature to apply.
      output: the name of the output to use, which may be an intermediate one.
      trainable: whether training changes the module's variables; a regular expression chooses those
        whose names within the module it is found in.
      tags: the graph variant to use in every mode, one string being one tag; None takes the
        `{"train"}` variant when training a trainable module that has one, and the variant without
        tags otherwise.
      name: the variable scope of the module, the prefix of its variables in checkpoints.
      export_name: the name under which exporters export the module; None does not export it.
    """

    handle: files.PathLike | ModuleSpec
    feature: str | Mapping[str, str] = "text"
    signature: str = "default"
    output: str = "default"
    trainable: bool | str = False
    tags: str | Iterable[str] | None = None
    name: str = "module"
    export_name: str | None = None

    @functools.cached_property
    def spec(self) -> ModuleSpec:
        """The module's spec, read once.

        Raises:
          errors.HandleError: the handle cannot be resolved.
          errors.NotAModuleError: what is there is not a module.
        """
        return as_module_spec(self.handle)

    def tags_for(self, mode: str) -> frozenset[str]:
        """Returns the tags of the graph variant that an Estimator's mode uses."""
        if self.tags is not None:
            return as_tags(self.tags)
        fine_tunes = mode == _TRAIN_MODE and bool(self.trainable)
        return TRAIN_TAGS if fine_tunes and TRAIN_TAGS in self.spec.get_tags() else frozenset()

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
          errors.ModelError: the inputs are not those of the signature.
        """
        tags = self.tags_for(mode)
        inputs = self.spec.get_input_info_dict(self.signature, tags=tags)
        outputs = self.spec.get_output_info_dict(self.signature, tags=tags)
        self._check_output(outputs)
        for name in self._feature_by_input(inputs).values():
            if name not in feature_names:
                raise errors.FeatureNotFoundError(
                    f"Encoder {self.name!r} takes the feature {name!r}, which the input does not "
                    f"give. It gives: {', '.join(sorted(feature_names))}."
                )

    def feature_specs(self) -> dict[str, tf.TensorSpec]:
        """Returns the type and the shape of each feature, as the module's signature has them."""
        inputs = self.spec.get_input_info_dict(self.signature, tags=self.tags_for("infer"))
        return {
            feature: tf.TensorSpec(inputs[name].get_shape(), inputs[name].dtype, feature)
            for name, feature in self._feature_by_input(inputs).items()
        }

    def __call__(self, features: Mapping[str, Any], mode: str) -> tf.Tensor:
        """Adds the module to the graph and applies it.

        Args:
          features: the tensors by feature name, with `B` as their first dimension.
          mode: the Estimator's mode.

        Returns:
          The output, float `[B, D]`.
        """
        tags = self.tags_for(mode)
        module = Module(self.spec, trainable=self.trainable, name=self.name, tags=tags)
        inputs = self._feature_by_input(module.get_input_info_dict(self.signature))
        values = {name: features[feature] for name, feature in inputs.items()}
        outputs = module(values, signature=self.signature, as_dict=True)
        self._check_output(outputs)
        if self.export_name is not None:
            register_module_for_export(module, self.export_name)
        return self._checked_rank(outputs[self.output])

    def _feature_by_input(self, inputs: Mapping[str, Any]) -> Mapping[str, str]:
        if isinstance(self.feature, Mapping):
            chosen = self.feature
        else:
            chosen = {name: self.feature for name in inputs}
        if set(chosen) != set(inputs) or (isinstance(self.feature, str) and len(inputs) != 1):
            raise errors.ModelError(
                f"Encoder {self.name!r} gives the signature {self.signature!r} the feature "
                f"{self.feature!r}, but its inputs are: {', '.join(sorted(inputs)) or 'none'}. "
                "Give Encoder.feature a dict with exactly these keys."
            )
        return chosen

    def _check_output(self, outputs: Mapping[str, Any]) -> None:
        if self.output not in outputs:
            raise errors.OutputNotFoundError(
                f"The signature {self.signature!r} of the module {self.handle!r} has no output "
                f"{self.output!r}. It has: {', '.join(sorted(outputs))}."
            )

    def _checked_rank(self, output: Any) -> tf.Tensor:
        if not isinstance(output, tf.Tensor) or output.shape.rank not in (None, 2):
            raise errors.ModelError(
                f"The output {self.output!r} of encoder {self.name!r} is {output}; a model takes "
                "a dense output [batch, width]. Choose another Encoder.output or signature."
            )
        return tf.cast(output, tf.float32)
