"""What a model takes of each example: features and labels, by type and shape."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Literal

import tensorflow as tf

from hub_estimator import files


@dataclasses.dataclass(frozen=True)
class LabelSpec:
    """The labels that one head takes.

    Attributes:
      kind: `"class"`, one of `K` classes per example, `[B]`; `"classes"`, any of `K` classes, `[B, K]`
        of zeros and ones; `"number"`, real numbers, `[B]` or `[B, size]`; `"any"`, whatever a head
        of somebody else takes.
      size: `K`, or how many numbers an example has.
      class_names: the names of the classes, in the order of their numbers; None where they have none.
      by_name: whether the head takes the names themselves (it has a vocabulary) rather than numbers.
    """

    kind: Literal["class", "classes", "number", "any"]
    size: int = 1
    class_names: tuple[str, ...] | None = None
    by_name: bool = False

    @property
    def dtype(self) -> tf.DType:
        """The type of the labels: string by name, int64 by number, float32 for real numbers."""
        if self.kind == "class" and self.by_name:
            return tf.string
        return tf.int64 if self.kind in ("class", "classes") else tf.float32


# One head's labels, or those of each head of a multi-head by its name.
Labels = LabelSpec | Mapping[str, LabelSpec]
# The names of the classes; of a model with several heads, those of each by its name.
ClassNames = tuple[str, ...] | dict[str, tuple[str, ...]]


@dataclasses.dataclass(frozen=True)
class ExampleSpec:
    """What a model takes of each example; inputs read and convert to it, serving asks for it.

    Attributes:
      features: the type and the shape of each feature by name, the batch `B` as first dimension.
        Images are float32 `[B, H, W, C]` in `[0, 1]`.
      labels: the labels.
      weights: the features among them that only weigh an example's loss; predicting needs none.

    Raises:
      errors.InvalidPathNameError: a head's name cannot be that of a file, as reports and exports
        need it.
    """

    features: Mapping[str, tf.TensorSpec]
    labels: Labels
    weights: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for head in self.labels if isinstance(self.labels, Mapping) else ():
            files.check_name("The name of a head", head)

    def without_weights(self) -> ExampleSpec:
        """Returns the spec of what predicting takes."""
        features = {name: each for name, each in self.features.items() if name not in self.weights}
        return dataclasses.replace(self, features=features, weights=())

    def with_class_names(self, names: tuple[str, ...] | None) -> ExampleSpec:
        """Returns the spec with names for the classes of a head that has none itself."""
        if (
            names is None
            or not isinstance(self.labels, LabelSpec)
            or self.labels.kind not in ("class", "classes")
            or self.labels.class_names is not None
        ):
            return self
        return dataclasses.replace(self, labels=dataclasses.replace(self.labels, class_names=names))

    @property
    def class_names(self) -> tuple[str, ...] | None:
        """The names of the classes of a model with one head; None where they have none."""
        return self.labels.class_names if isinstance(self.labels, LabelSpec) else None


def class_names_of(labels: Labels) -> ClassNames | None:
    """Returns the names of the classes of a model's labels; None where they have none."""
    if isinstance(labels, LabelSpec):
        return labels.class_names
    named = {head: each.class_names for head, each in labels.items() if each.class_names}
    return named or None
