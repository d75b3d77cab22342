"""How many batches to run through a module at a time."""

from __future__ import annotations

from collections.abc import Mapping

import tensorflow as tf

from hub_estimator import environment

_FEW = 16
"""Up to so many whole numbers are values of an example; more are its tokens."""
_MOST = 8
"""More would wait for the one thread that makes the batches."""


def batches_at_once(features: Mapping[str, tf.TensorSpec]) -> int:
    """Returns how many batches to run at a time, which the cores of this process are enough for.

    Args:
      features: what the module takes.
    """
    # What is done to a text uses one core; what is done to images uses all, and much memory.
    return min(threads(), _MOST) if are_small(features) else 1


def threads() -> int:
    """Returns how many of this process's cores TensorFlow is to use."""
    cores = environment.cores()
    return min(cores, int(environment.number("TF_NUM_INTEROP_THREADS", cores, 1e6)))


def are_small(features: Mapping[str, tf.TensorSpec]) -> bool:
    """Whether examples are texts or rows of numbers, and no images and no tokens of texts."""
    return all(map(_is_small, features.values()))


def _is_small(spec: tf.TensorSpec) -> bool:
    inner = spec.shape[1:]
    if not inner.is_fully_defined() or inner.rank > 1:
        return False
    return spec.dtype.is_floating or inner.num_elements() <= _FEW
