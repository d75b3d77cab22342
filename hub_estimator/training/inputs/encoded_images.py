"""Images in data files, still encoded: checked by their headers, in the graph that decodes them."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from hub_estimator.training.inputs import image_headers

# One pixel, a GIF: decoded in the place of what is not to be.
_NOTHING = base64.b64decode("R0lGODlhAQABAIAAAP///wAAACwAAAAAAQABAAACAkQBADs=")


def checked(
    encoded: Mapping[str, tf.Tensor], where: tf.Tensor
) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
    """Tells the images of a batch that can be decoded from those that are too large, or none.

    Args:
      encoded: string `[B]` of each feature by name.
      where: string `[B]`, what messages call the place of each example.

    Returns:
      The same images, one of a single pixel in the place of those not to be decoded; and what is
      wrong with each example, string `[B]`, empty where nothing is.
    """
    decodable, refused = {}, tf.fill(tf.shape(where), "")
    for name, images in encoded.items():
        problems = tf.numpy_function(_problems, [images], tf.string)
        problems.set_shape(images.shape)
        is_right = tf.equal(problems, "")
        message = tf.strings.join([f"The image {name!r} in ", where, " ", problems, "."])
        decodable[name] = tf.where(is_right, images, tf.constant(_NOTHING))
        refused = tf.where(is_right | tf.not_equal(refused, ""), refused, message)
    return decodable, refused


def _problems(contents: np.ndarray) -> np.ndarray:
    problems = [image_headers.problem(io.BytesIO(content)).encode() for content in contents]
    return np.array(problems, object)
