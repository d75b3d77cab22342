"""How much memory data may ask for, where a small file can ask for much; variables raise it."""

from __future__ import annotations

from hub_estimator.environment import number

DATA_BYTES = "HUB_ESTIMATOR_MAX_DATA_BYTES"
"""The variable of how much is unpacked into memory at once."""
IMAGE_PIXELS = "HUB_ESTIMATOR_MAX_IMAGE_PIXELS"
"""The variable of how large an image is decoded."""

_DATA_BYTES = 2 << 30
_IMAGE_PIXELS = 100_000_000
"""They take 0.3 GB decoded, and 1.2 GB more while they are resized."""
_MOST = 1e18


def most_data_bytes() -> int:
    """Returns how many bytes a compressed text file, or a compressed record, may have unpacked.

    Raises:
      errors.SettingError: the variable is no number above zero, or a senseless one.
    """
    return int(number(DATA_BYTES, _DATA_BYTES, _MOST))


def most_image_pixels() -> int:
    """Returns how many pixels an image may have, all frames of an animation together.

    Raises:
      errors.SettingError: the variable is no number above zero, or a senseless one.
    """
    return int(number(IMAGE_PIXELS, _IMAGE_PIXELS, _MOST))
