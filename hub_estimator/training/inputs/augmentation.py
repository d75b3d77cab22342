"""Random changes of images, which keep what they show, for training."""

from __future__ import annotations

import dataclasses

import tensorflow as tf

from hub_estimator import errors
from hub_estimator.training import checks

_GRAY = (0.2989, 0.587, 0.114)
"""How bright red, green and blue are; ITU-R BT.601."""


@dataclasses.dataclass(frozen=True)
class Augmentation:
    """Mirrors, crops and recolours images, each by chance.

    What becomes of an image depends on the image and the seed alone.

    Attributes:
      flip: how likely an image is mirrored, left to right.
      crop: the smallest part of the height and of the width that is kept; 1 keeps all.
      colour: the largest change of brightness, contrast and saturation, as a fraction; 0 is none.
    """

    flip: float = 0.5
    crop: float = 0.8
    colour: float = 0.1

    def __post_init__(self) -> None:
        for name in ("flip", "crop", "colour"):
            value = getattr(self, name)
            checks.number(f"Augmentation.{name}", value)
            if value > 1 or (name == "crop" and not value):
                raise errors.InvalidSettingError(
                    f"Augmentation.{name} is {value}; it must be a fraction, at most 1"
                    f"{' and more than 0' if name == 'crop' else ''}."
                )

    def __call__(self, image: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """Changes one image.

        Args:
          image: uint8 `[H, W, C]`.
          seed: int64 `[2]`.

        Returns:
          float32 `[H', W', C]`, 0 to 255.
        """
        chances = tf.unstack(tf.random.stateless_uniform([7], seed))
        image = tf.cast(self._cropped(image, *chances[:3]), tf.float32)
        image = tf.cond(
            chances[3] < self.flip, lambda: tf.reverse(image, [1]), lambda: tf.identity(image)
        )
        return self._recoloured(image, *chances[4:]) if self.colour else image

    def _cropped(self, image: tf.Tensor, *chances: tf.Tensor) -> tf.Tensor:
        shape = tf.shape(image)
        scale = self.crop + (1.0 - self.crop) * chances[0]
        height, width = tf.unstack(
            tf.maximum(1, tf.cast(tf.round(scale * tf.cast(shape[:2], tf.float32)), tf.int32))
        )
        top = _place(chances[1], shape[0] - height)
        left = _place(chances[2], shape[1] - width)
        return image[top : top + height, left : left + width]

    def _recoloured(self, image: tf.Tensor, *chances: tf.Tensor) -> tf.Tensor:
        brightness, contrast, saturation = (
            self.colour * (2.0 * chance - 1.0) for chance in chances
        )
        colours, opacity = image[..., :3], image[..., 3:]
        mean = tf.reduce_mean(colours)
        colours = (colours - mean) * (1.0 + contrast) + mean + 255.0 * brightness
        if image.shape[-1] != 1:
            gray = tf.reduce_sum(colours * _GRAY, axis=-1, keepdims=True)
            colours = (colours - gray) * (1.0 + saturation) + gray
        return tf.clip_by_value(tf.concat([colours, opacity], axis=-1), 0.0, 255.0)


def _place(chance: tf.Tensor, space: tf.Tensor) -> tf.Tensor:
    """Returns a place from 0 to `space`, each equally likely."""
    places = tf.cast(space + 1, tf.float32)
    return tf.minimum(tf.cast(chance * places, tf.int32), space)
