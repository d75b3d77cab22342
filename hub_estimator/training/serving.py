"""What a served or exported model asks for: the raw values of its features."""

from __future__ import annotations

import dataclasses
from typing import Any

import tensorflow as tf

from hub_estimator import compat
from hub_estimator.training.example_spec import ExampleSpec


@dataclasses.dataclass(frozen=True)
class ServingInput:
    """A `serving_input_fn`: called, it makes the placeholders of a request in the default graph.

    Attributes:
      spec: what the model takes.
    """

    spec: ExampleSpec

    def __call__(self) -> Any:
        """Returns a `ServingInputReceiver` whose requests give the features themselves."""
        features = {
            name: tf.compat.v1.placeholder(each.dtype, each.shape, name=f"serving_{name}")
            for name, each in self.spec.features.items()
        }
        return compat.estimator_module().export.ServingInputReceiver(features, dict(features))
