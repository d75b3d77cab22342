"""Small `tf.Example`s."""

from __future__ import annotations

import tensorflow as tf


def example(**features) -> bytes:
    """A serialized `tf.Example`; each feature is a list of bytes, floats or whole numbers."""
    kinds = {bytes: "bytes_list", float: "float_list", int: "int64_list"}
    message = tf.train.Example()
    for name, values in features.items():
        feature = message.features.feature[name]
        if values:
            getattr(feature, kinds[type(values[0])]).value.extend(values)
    return message.SerializeToString()
