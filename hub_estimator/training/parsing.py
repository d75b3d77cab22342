"""How a `tf.Example` holds what a model takes: files of records and served models parse alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from hub_estimator import errors
from hub_estimator.training import images
from hub_estimator.training.example_spec import ExampleSpec

ParsingSpec = dict[str, Any]


def parsing_spec(spec: ExampleSpec) -> ParsingSpec:
    """Returns how to parse the features of a model from examples, for `tf.io.parse_example`.

    Each feature is under its own name: strings as bytes, whole numbers as int64, real numbers as
    float, an image as the bytes of its file. Where a feature is a row of any length, such as the
    ids of tokens, an example has as many values as it likes.

    Args:
      spec: what the model takes; its labels are left out.

    Raises:
      errors.UnservableFeatureError: a feature cannot be in an example.
    """
    return {name: feature_parser(name, feature) for name, feature in spec.features.items()}


def parse(serialized: tf.Tensor, spec: ExampleSpec) -> dict[str, tf.Tensor]:
    """Parses the features of a model from a batch of examples.

    Args:
      serialized: string `[B]`, each a serialized `tf.Example` as `parsing_spec` describes it.
      spec: what the model takes; its labels are left out.

    Returns:
      The features, of the types and shapes that the model takes. Values that an example lacks
      where another of the batch is longer are 0, or empty.

    Raises:
      errors.UnservableFeatureError: a feature cannot be in an example.
    """
    return convert(tf.io.parse_example(serialized, parsing_spec(spec)), spec.features)


def convert(
    parsed: Mapping[str, Any], features: Mapping[str, tf.TensorSpec]
) -> dict[str, tf.Tensor]:
    """Converts what `tf.io.parse_example` made of `parsing_spec` to what the model takes."""
    return {name: _converted(parsed[name], feature) for name, feature in features.items()}


def is_image(spec: tf.TensorSpec) -> bool:
    """Whether a feature is a batch of images: real numbers `[B, H, W, C]`."""
    return spec.shape.rank == 4 and spec.dtype.is_floating


def image_size(name: str, spec: tf.TensorSpec) -> tuple[int, int, int]:
    """Returns `(H, W, C)` of a feature of images.

    Raises:
      errors.UnservableFeatureError: they are not all known.
    """
    size = spec.shape[1:].as_list()
    if None in size:
        raise errors.UnservableFeatureError(
            f"The images of the feature {name!r} have the shape {spec.shape.as_list()}; to decode "
            "files to them, height, width and channels must be known."
        )
    height, width, channels = size
    return height, width, channels


def feature_parser(name: str, spec: tf.TensorSpec) -> Any:
    """Returns how to parse one feature: a member of what `tf.io.parse_example` takes.

    Args:
      name: the feature, also its key in the example.
      spec: its type and shape, the batch `B` as first dimension.

    Raises:
      errors.UnservableFeatureError: it cannot be in an example.
    """
    if is_image(spec):
        image_size(name, spec)
        return tf.io.FixedLenFeature([], tf.string)
    stored, sizes = stored_type(spec.dtype), spec.shape.as_list()[1:] if spec.shape.rank else None
    if stored is None or sizes is None or (None in sizes and len(sizes) > 1):
        raise errors.UnservableFeatureError(
            f"The feature {name!r} is {spec.dtype.name} of shape {spec.shape}; a tf.Example cannot "
            "hold that. It holds strings, numbers and encoded images, of a known shape or in a row "
            "of any length."
        )
    if None in sizes:
        return tf.io.RaggedFeature(stored)
    return tf.io.FixedLenFeature(sizes, stored)


def stored_type(dtype: tf.DType) -> tf.DType | None:
    """Returns the type in which a `tf.Example` holds values of `dtype`; None where it cannot."""
    if dtype == tf.string:
        return tf.string
    if dtype.is_floating:
        return tf.float32
    return tf.int64 if dtype.is_integer or dtype.is_bool else None


def _converted(values: Any, spec: tf.TensorSpec) -> tf.Tensor:
    if is_image(spec):
        height, width, channels = spec.shape[1:].as_list()
        values = images.decode(values, height, width, channels)
    if isinstance(values, tf.RaggedTensor):
        values = values.to_tensor()
    return tf.ensure_shape(tf.cast(values, spec.dtype), [None, *spec.shape[1:].as_list()])
