"""What a served or exported model asks for: the values of its features, in one of several forms."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from typing import Any, Literal

import tensorflow as tf

from hub_estimator import compat, errors
from hub_estimator.training import images, parsing
from hub_estimator.training.example_spec import ExampleSpec

# What TensorFlow's names cannot have, but those of features, which are columns of a table, can.
_NO_NAME = re.compile(r"[^A-Za-z0-9_.]")

Form = Literal["features", "files", "examples"]
FORMS: tuple[Form, ...] = ("features", "files", "examples")


@dataclasses.dataclass(frozen=True)
class ServingInput:
    """A `serving_input_fn`: called, it makes the placeholders of a request in the default graph.

    A request gives no weights of examples, which predicting does not need.

    Attributes:
      spec: what the model takes.
      form: `"features"`, each feature by its name as the model takes it; `"files"`, the same, but
        images `[B, H, W, C]`, real numbers of 0 to 1 or whole ones of 0 to 255, as string `[B]`, the
        contents of their files; `"examples"`, one input `examples`, string `[B]` of serialized
        `tf.Example`s.
    """

    spec: ExampleSpec
    form: Form = "features"

    def __call__(self) -> Any:
        """Returns a `ServingInputReceiver`: what a request gives, and the features made of it.

        Raises:
          errors.ModelError: there is no such form, or a feature cannot be given in it.
        """
        check_form("ServingInput.form", self.form)
        spec = self.spec.without_weights()
        given = placeholders(_requests(spec.features, self.form), "serving")
        if self.form == "examples":
            features = parsing.parse(given["examples"], spec)
        else:
            features = {
                name: _decoded(name, feature, given) for name, feature in spec.features.items()
            }
        return compat.estimator_module().export.ServingInputReceiver(features, given)


def placeholders(specs: Mapping[str, tf.TensorSpec], prefix: str) -> dict[str, tf.Tensor]:
    """Makes a placeholder for each feature in the default graph.

    Args:
      specs: their types and shapes by name.
      prefix: what the names of the placeholders start with.
    """
    return {
        name: tf.compat.v1.placeholder(
            spec.dtype, spec.shape, f"{prefix}_{_NO_NAME.sub('_', name)}"
        )
        for name, spec in specs.items()
    }


def check_form(name: str, form: Any) -> None:
    """Checks a setting that is the form of a serving input.

    Raises:
      errors.InvalidSettingError: it is something else.
    """
    if form not in FORMS:
        raise errors.InvalidSettingError(
            f"{name} is {form!r}; it must be one of {', '.join(map(repr, FORMS))}."
        )


def _requests(features: Mapping[str, tf.TensorSpec], form: Form) -> dict[str, tf.TensorSpec]:
    """Returns what a request gives, by name."""
    if form == "examples":
        return {"examples": tf.TensorSpec([None], tf.string)}
    return {
        name: tf.TensorSpec([None], tf.string)
        if form == "files" and (parsing.is_image(feature) or _is_whole_image(feature))
        else feature
        for name, feature in features.items()
    }


def _decoded(name: str, spec: tf.TensorSpec, given: Mapping[str, tf.Tensor]) -> tf.Tensor:
    """Returns a feature, decoded where its files are given."""
    if given[name].dtype == spec.dtype:
        return given[name]
    decoded = images.decode(given[name], *parsing.image_size(name, spec))
    return images.convert(decoded, spec.dtype)


def _is_whole_image(spec: tf.TensorSpec) -> bool:
    """Whether a feature is a batch of images in bytes, as files have them.

    Inputs and `tf.Example`s give such a feature as its numbers.
    """
    if spec.shape.rank != 4 or spec.dtype != tf.uint8:
        return False
    return None not in spec.shape[1:].as_list() and spec.shape[3] in images.CHANNELS
