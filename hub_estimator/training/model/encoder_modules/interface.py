"""What an encoder needs to know of a module, before there is a graph and in one."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from typing import Any, Protocol

import tensorflow as tf


@dataclasses.dataclass(frozen=True)
class ModuleUse:
    """How an encoder uses a module in one graph.

    Attributes:
      name: the variable scope of the module.
      trainable: whether training changes its variables; see `Encoder`.
      training: whether this graph trains it.
      tags: the tags of the graph variant.
      frozen_tags: those of the variant that prediction uses, where this graph needs it beside the
        other one; else None.
      other_tags: those of the variants that the other modes use: their variables are in this graph
        too, so that each mode's checkpoints and exports have them.
      export_name: the name under which exporters export it; None does not export it.
    """

    name: str
    trainable: bool | str
    training: bool
    tags: frozenset[str]
    frozen_tags: frozenset[str] | None = None
    other_tags: Collection[frozenset[str]] = ()
    export_name: str | None = None


class BuiltModule(Protocol):
    """A module in a graph.

    Attributes:
      trained: the variables that training changes.
    """

    trained: list[tf.Variable]

    def __call__(
        self, inputs: Mapping[str, Any], signature: str, frozen: bool = False
    ) -> dict[str, Any]:
        """Applies a signature.

        Args:
          inputs: the tensors by input name.
          signature: the signature's name.
          frozen: whether to apply it as prediction does though it is trained here.

        Returns:
          All outputs by name.
        """


class EncoderModule(Protocol):
    """A module before there is a graph."""

    @property
    def has_train_variant(self) -> bool:
        """Whether training has a graph of its own."""

    def inputs(self, signature: str, tags: frozenset[str]) -> dict[str, tf.TensorSpec]:
        """Returns the type and the shape of each input of a signature."""

    def output_names(self, signature: str, tags: frozenset[str]) -> list[str]:
        """Returns the names of the outputs of a signature."""

    def digest(self, tags: frozenset[str]) -> str | None:
        """Returns a digest of all that its outputs follow from; None where chance is in them."""

    def build(self, use: ModuleUse) -> BuiltModule:
        """Adds the variables to the default graph."""
