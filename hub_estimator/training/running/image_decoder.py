"""Files of images to the images that a model takes, in a session of its own."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from hub_estimator import errors
from hub_estimator.training import images, parsing


class ImageDecoder:
    """Decodes files of images; several threads may call it at once.

    Args:
      features: what a model takes, by name; those that are images can be decoded.
    """

    def __init__(self, features: Mapping[str, tf.TensorSpec]) -> None:
        self._files: dict[str, tf.Tensor] = {}
        self._images: dict[str, tf.Tensor] = {}
        graph = tf.Graph()
        with graph.as_default():
            for name, spec in features.items():
                if _is_of_files(spec):
                    self._files[name] = tf.compat.v1.placeholder(tf.string, [None])
                    size = parsing.image_size(name, spec)
                    decoded = images.decode(self._files[name], *size)
                    self._images[name] = images.convert(decoded, spec.dtype)
        # As inputs do it, in functions of `tf.data`, which are not optimized: a division by 255 that
        # became a multiplication gives other bits.
        config = tf.compat.v1.ConfigProto()
        config.graph_options.rewrite_options.disable_meta_optimizer = True
        self._session = tf.compat.v1.Session(graph=graph, config=config)

    def decodes(self, name: str) -> bool:
        """Whether a feature can be given as files of images."""
        return name in self._files

    def __call__(self, name: str, contents: np.ndarray, rows: np.ndarray, what: str) -> np.ndarray:
        """Returns images of a feature, `[B, H, W, C]`.

        Args:
          name: the feature.
          contents: those of their files, bytes `[B]`.
          rows: the number of each, from 0 on; messages count from 1 on.
          what: what messages call the rows.

        Raises:
          errors.DataFileError: one cannot be decoded.
        """
        try:
            return self._decode(name, contents)
        except tf.errors.InvalidArgumentError as error:
            row = next(
                (row for row, one in zip(rows, contents, strict=True) if self._fails(name, one)),
                rows[0],
            )
            raise errors.DataFileError(
                f"The image in row {row + 1} of {what} cannot be read: it is damaged or cut short, or of "
                "a variant that TensorFlow does not decode."
            ) from error

    def close(self) -> None:
        """Frees the session."""
        self._session.close()

    def _decode(self, name: str, contents: np.ndarray) -> np.ndarray:
        decoded: np.ndarray = self._session.run(self._images[name], {self._files[name]: contents})
        return decoded

    def _fails(self, name: str, content: bytes) -> bool:
        try:
            self._decode(name, np.array([content], object))
        except tf.errors.InvalidArgumentError:
            return True
        return False


def _is_of_files(spec: tf.TensorSpec) -> bool:
    """Whether a feature is a batch of images of a known size, in real numbers or in bytes."""
    is_batch = spec.shape.rank == 4 and None not in spec.shape[1:].as_list()
    is_image = spec.dtype.is_floating or spec.dtype == tf.uint8
    return is_batch and is_image and spec.shape[3] in images.CHANNELS
