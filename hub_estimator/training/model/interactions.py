"""How the outputs of several encoders become the input of the layers: `[B, D]` each to one."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

from hub_estimator import errors


def concatenation(encoded: Sequence[tf.Tensor]) -> tf.Tensor:
    """Puts the outputs side by side.

    Args:
      encoded: float32 `[B, D]` each; `D` may differ.

    Returns:
      float32, as wide as all together.
    """
    return encoded[0] if len(encoded) == 1 else tf.concat(list(encoded), axis=1)


def pair_comparison(encoded: Sequence[tf.Tensor]) -> tf.Tensor:
    """Compares two outputs: `[u, v, |u - v|, u * v]`.

    Source: Conneau et al., "Supervised Learning of Universal Sentence Representations from Natural
    Language Inference Data", EMNLP 2017, figure 1.

    Args:
      encoded: two, float32 `[B, D]`.

    Returns:
      float32 `[B, 4 * D]`.

    Raises:
      errors.PartsMismatchError: there are not two, or their widths differ.
    """
    if len(encoded) != 2:
        raise errors.PartsMismatchError(
            f"@pair_comparison compares two outputs of encoders, and the model has {len(encoded)}. "
            "Give the model two encoders, or one encoder two features."
        )
    _check_widths("@pair_comparison", encoded)
    first, second = encoded
    return tf.concat([first, second, tf.abs(first - second), first * second], axis=1)


def total(encoded: Sequence[tf.Tensor]) -> tf.Tensor:
    """Adds the outputs up.

    Args:
      encoded: float32 `[B, D]` each.

    Returns:
      float32 `[B, D]`.

    Raises:
      errors.PartsMismatchError: their widths differ.
    """
    _check_widths("@total", encoded)
    return tf.add_n(list(encoded))


def _check_widths(name: str, encoded: Sequence[tf.Tensor]) -> None:
    widths = [outputs.shape[1] for outputs in encoded]
    if len({width for width in widths if width is not None}) > 1:
        raise errors.PartsMismatchError(
            f"{name} needs encoders of one width; their outputs have the widths "
            f"{', '.join(map(str, widths))}. Choose other modules or outputs, or @concatenation."
        )
