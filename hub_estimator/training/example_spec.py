"""What a model takes of each example: features and labels, by type and shape."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import tensorflow as tf

from hub_estimator import files
from hub_estimator.training.labels.label_spec import LabelSpec

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
        features = {
            name: feature for name, feature in self.features.items() if name not in self.weights
        }
        return dataclasses.replace(self, features=features, weights=())

    def with_class_names(self, names: tuple[str, ...] | None) -> ExampleSpec:
        """Returns the spec with names for the classes of a head that has none itself."""
        if names is None or not isinstance(self.labels, LabelSpec):
            return self
        return dataclasses.replace(self, labels=self.labels.with_class_names(names))

    @property
    def class_names(self) -> tuple[str, ...] | None:
        """The names of the classes of a model with one head; None where they have none."""
        return self.labels.class_names if isinstance(self.labels, LabelSpec) else None


def class_names_of(labels: Labels) -> ClassNames | None:
    """Returns the names of the classes of a model's labels; None where they have none."""
    if isinstance(labels, LabelSpec):
        return labels.class_names
    named = {head: part.class_names for head, part in labels.items() if part.class_names}
    return named or None
