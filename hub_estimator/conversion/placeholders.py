"""What signatures take, in a TF1 graph."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from hub_estimator import errors


def placeholder_of(spec: tf.TypeSpec, name: str) -> Any:
    """Adds to the default graph what callers give for an input.

    Args:
      spec: the type and the shape of the input.
      name: its name.

    Raises:
      errors.NotConvertibleError: it is of a type that programs of TF1 do not have.
    """
    scope = "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in name)
    with tf.compat.v1.name_scope(f"input_{scope}"):
        if isinstance(spec, tf.TensorSpec):
            return tf.compat.v1.placeholder(spec.dtype, spec.shape)
        if isinstance(spec, tf.SparseTensorSpec):
            return tf.compat.v1.sparse_placeholder(spec.dtype, spec.shape)
        if isinstance(spec, tf.RaggedTensorSpec):
            flat = [
                tf.compat.v1.placeholder(part.dtype, part.shape)
                for part in tf.nest.flatten(spec, expand_composites=True)
            ]
            return tf.nest.pack_sequence_as(spec, flat, expand_composites=True)
    raise errors.NotConvertibleError(
        f"The input {name!r} is {spec}, and modules take dense, sparse and ragged tensors."
    )
