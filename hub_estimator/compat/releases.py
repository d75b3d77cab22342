"""Which TensorFlow this is."""

from __future__ import annotations

import re


def parse_version(text: str) -> tuple[int, int, int]:
    """Returns the numbers of a version: `"2.16.0-rc1"` is `(2, 16, 0)`."""
    major, minor, patch = (int(number) for number in re.findall(r"\d+", text)[:3])
    return major, minor, patch


def tf_version() -> tuple[int, int, int]:
    """Returns the running TensorFlow's version as `(major, minor, patch)`."""
    import tensorflow as tf  # not earlier: `parse_version` needs none

    return parse_version(tf.version.VERSION)


def ships_estimator() -> bool:
    """Whether this TensorFlow has `tf.estimator` and what it stands on: 2.15 and before."""
    return tf_version() < (2, 16, 0)
