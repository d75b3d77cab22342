"""Encoded images to the float images that modules take; inputs and serving decode alike."""

from __future__ import annotations

import tensorflow as tf

from hub_estimator import errors

# What files of each format start with; the formats that `tf.io.decode_image` reads.
_SIGNATURES = {
    "PNG": (b"\x89PNG\r\n\x1a\n",),
    "JPEG": (b"\xff\xd8\xff",),
    "GIF": (b"GIF87a", b"GIF89a"),
    "BMP": (b"BM",),
}
HEADER_BYTES = 8
"""How many bytes of a file tell its format."""

WHITE = 255
"""The greatest value of images in whole numbers."""
CHANNELS = (1, 3, 4)
"""How many channels a file can be decoded to."""


def image_format(content: bytes) -> str | None:
    """Returns the format of an encoded image by how it starts; None where it is none we read."""
    for name, starts in _SIGNATURES.items():
        if content.startswith(starts):
            return name
    return None


def decode(images: tf.Tensor, height: int, width: int, channels: int) -> tf.Tensor:
    """Decodes and resizes a batch of images.

    Args:
      images: string `[B]`, each a PNG, JPEG, BMP or GIF file; of an animation the first frame.
      height: `H`, in pixels.
      width: `W`, in pixels.
      channels: `C`; 1 is gray, 3 is RGB, 4 is RGB and opacity.

    Returns:
      float32 `[B, H, W, C]` in `[0, 1]`.

    Raises:
      errors.ImageInputError: images cannot have so many channels.
    """
    _check_channels(channels)
    return tf.map_fn(
        lambda image: resize(decode_one(image, channels), height, width),
        images,
        fn_output_signature=tf.TensorSpec([height, width, channels], tf.float32),
    )


def decode_one(image: tf.Tensor, channels: int) -> tf.Tensor:
    """Decodes one image in its own size.

    Args:
      image: string `[]`, a PNG, JPEG, BMP or GIF file.
      channels: `C`; 1 is gray, 3 is RGB, 4 is RGB and opacity.

    Returns:
      uint8 `[H, W, C]`.

    Raises:
      errors.ImageInputError: images cannot have so many channels.
    """
    _check_channels(channels)
    if channels == 3:
        return _decode(image, 3)
    # TensorFlow's decoders make these of some formats only.
    direct, make = {1: (("PNG", "JPEG"), _gray), 4: (("PNG", "BMP"), _opaque)}[channels]
    decoded = tf.cond(
        _starts_like(image, direct),
        lambda: _decode(image, channels),
        lambda: make(_decode(image, 3)),
    )
    return tf.ensure_shape(decoded, [None, None, channels])


def resize(image: tf.Tensor, height: int, width: int) -> tf.Tensor:
    """Resizes an image, each pixel of a smaller one being the average of those it stands for.

    Args:
      image: uint8 or float32 `[H', W', C]` of 0 to 255.
      height: `H`, in pixels.
      width: `W`, in pixels.

    Returns:
      float32 `[H, W, C]` in `[0, 1]`.
    """
    resized = tf.image.resize(tf.cast(image, tf.float32), [height, width], antialias=True)
    return tf.clip_by_value(resized / float(WHITE), 0.0, 1.0)


def convert(images: tf.Tensor, dtype: tf.DType) -> tf.Tensor:
    """Converts images to the type that a module takes.

    Args:
      images: float32 of any shape, in `[0, 1]`.
      dtype: a type of real numbers, or one of whole numbers that has 255.

    Returns:
      The same as real numbers; as whole ones the nearest of 0 to 255.
    """
    return tf.cast(tf.round(WHITE * images) if dtype.is_integer else images, dtype)


def _check_channels(channels: int) -> None:
    if channels not in CHANNELS:
        raise errors.ImageInputError(
            f"Images of {channels} channels were asked for. A file decodes to 1 (gray), 3 (RGB) or "
            "4 (RGB and opacity)."
        )


def _decode(image: tf.Tensor, channels: int) -> tf.Tensor:
    decoded = tf.io.decode_image(image, channels=channels, expand_animations=False)
    decoded.set_shape([None, None, channels])
    return decoded


def _starts_like(image: tf.Tensor, formats: tuple[str, ...]) -> tf.Tensor:
    # One byte tells the formats apart that decode at all.
    starts = [_SIGNATURES[name][0][:1] for name in formats]
    return tf.reduce_any(tf.equal(tf.strings.substr(image, 0, 1), starts))


def _gray(image: tf.Tensor) -> tf.Tensor:
    return tf.image.rgb_to_grayscale(image)


def _opaque(image: tf.Tensor) -> tf.Tensor:
    return tf.concat([image, WHITE * tf.ones_like(image[..., :1])], axis=-1)
