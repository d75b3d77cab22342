"""`tf.TypeSpec`s as the `TypeSpecProto`s that module signatures store."""

from __future__ import annotations

from typing import Any

import tensorflow as tf
from tensorflow.core.protobuf import struct_pb2
from tensorflow.python.saved_model import nested_structure_coder


def decode_type_spec(proto: Any) -> tf.TypeSpec:
    """Returns the `tf.TypeSpec` that a `TypeSpecProto` describes.

    Raises:
      ValueError: the proto names a type that this TensorFlow does not know.
    """
    value = struct_pb2.StructuredValue(type_spec_value=proto)
    try:
        return tf.__internal__.saved_model.decode_proto(value)
    except nested_structure_coder.NotEncodableError as error:
        raise ValueError(str(error)) from error


def encode_type_spec(type_spec: tf.TypeSpec) -> Any:
    """Returns the `TypeSpecProto` of a `tf.TypeSpec`."""
    return tf.__internal__.saved_model.encode_structure(type_spec).type_spec_value
