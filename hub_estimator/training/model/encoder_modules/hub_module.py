"""TF1 Hub modules as encoders' modules."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf

from hub_estimator import files
from hub_estimator.digests import Digest
from hub_estimator.format.spec import ModuleSpec
from hub_estimator.format.variant import TRAIN_TAGS
from hub_estimator.graph.instance.cut import LowerPart, lower_part
from hub_estimator.graph.instance.plan import Trainable
from hub_estimator.graph.module import Module
from hub_estimator.graph.registration import register_module_for_export
from hub_estimator.training.model.encoder_modules.interface import ModuleUse


@dataclasses.dataclass(frozen=True)
class HubModule:
    """A TF1 Hub module.

    Attributes:
      spec: what is on disk.
    """

    spec: ModuleSpec

    @property
    def has_train_variant(self) -> bool:
        """Whether it has a graph variant with the tag "train"."""
        return TRAIN_TAGS in self.spec.get_tags()

    def inputs(self, signature: str, tags: frozenset[str]) -> dict[str, tf.TensorSpec]:
        """Returns the type and the shape of each input of a signature."""
        infos = self.spec.get_input_info_dict(signature, tags=tags)
        return {
            name: tf.TensorSpec(info.get_shape(), info.dtype, name) for name, info in infos.items()
        }

    def output_names(self, signature: str, tags: frozenset[str]) -> list[str]:
        """Returns the names of the outputs of a signature."""
        return sorted(self.spec.get_output_info_dict(signature, tags=tags))

    def digest(self, tags: frozenset[str]) -> str | None:
        """Returns a digest of a graph variant, its assets and the values of the variables.

        None where the variables have no stored values.
        """
        variant, digest = self.spec.variant(tags), Digest()
        digest.add(variant.meta_graph.SerializeToString(deterministic=True))
        for name, path in sorted(self.spec.asset_paths.items()):
            digest.add(name)
            digest.add_file(path)
        if variant.variables:
            index = f"{self.spec.checkpoint_path}.index"
            if self.spec.checkpoint_path is None or not files.exists(index):
                return None
            digest.add_file(index)  # it holds a checksum of each value
        return digest.hexadecimal()

    def lower_part(
        self, trainable: Trainable, trained_tags: frozenset[str], tags: frozenset[str],
        signature: str, output: str,
    ) -> LowerPart:  # fmt: skip
        """Returns what of a signature training does not change.

        Args:
          trainable: what is trained.
          trained_tags: the tags of the graph variant that is trained.
          tags: those of the graph variant with the signature.
          signature: the signature's name.
          output: the name of the output that is used.

        Raises:
          NoBorderError: nothing of it can be computed beforehand.
        """
        trained, variant = self.spec.variant(trained_tags), self.spec.variant(tags)
        return lower_part(variant, trained, trainable, signature, output)

    def build(self, use: ModuleUse) -> BuiltHubModule:
        """Adds the variables to the default graph."""
        module = Module(self.spec, trainable=use.trainable, name=use.name, tags=use.tags)
        if use.export_name is not None:
            register_module_for_export(module, use.export_name)
        for tags in use.other_tags:
            names = {entry.op_name for entry in self.spec.variant(tags).variables}
            if names - {entry.op_name for entry in self.spec.variant(use.tags).variables}:
                module.variant(tags)
        frozen = module
        if use.frozen_tags is not None:
            frozen = module.variant(use.frozen_tags, trained=False)
        return BuiltHubModule(module, frozen)


class BuiltHubModule:
    """A TF1 Hub module in a graph.

    Args:
      module: the module.
      frozen: the variant that prediction uses, on its variables.

    Attributes:
      trained: the variables that training changes.
    """

    def __init__(self, module: Module, frozen: Module) -> None:
        self._module = module
        self._frozen = frozen
        self.trained = module.trained_variables

    def __call__(
        self, inputs: Mapping[str, Any], signature: str, frozen: bool = False
    ) -> dict[str, Any]:
        """Applies a signature; returns all outputs by name."""
        module = self._frozen if frozen else self._module
        return module(dict(inputs), signature=signature, as_dict=True)

    def inner_tensors(
        self, inputs: Mapping[str, Any], signature: str, names: Sequence[str]
    ) -> list[tf.Tensor]:
        """Computes tensors inside of a signature, by their names in the module's graph."""
        return self._module.inner_tensors(dict(inputs), signature, names)

    def output_from(self, tensors: Mapping[str, tf.Tensor], signature: str, output: str) -> Any:
        """Computes an output of a signature from such tensors."""
        return self._module.output_from(tensors, signature, output)
