"""What a signature says of one input or output, in its three encodings."""

from __future__ import annotations

import dataclasses
from typing import Any

import tensorflow as tf

from hub_estimator import compat, texts
from hub_estimator.errors import BrokenModuleError


@dataclasses.dataclass(frozen=True)
class ParsedTensorInfo:
    """The type and the shape of one input or output of a signature.

    Attributes:
      type_spec: its `tf.TypeSpec`: a `tf.TensorSpec`, `tf.SparseTensorSpec` or another one.
    """

    type_spec: tf.TypeSpec

    @property
    def dtype(self) -> tf.DType:
        """The element type."""
        return self._described.dtype

    def get_shape(self) -> tf.TensorShape:
        """Returns the static shape; for a sparse tensor, that of its dense form."""
        return self._described.shape

    @property
    def _described(self) -> Any:
        """What has a type and a shape: the spec, or that of its first tensor (`IndexedSlices`)."""
        if hasattr(self.type_spec, "dtype"):
            return self.type_spec
        return tf.nest.flatten(self.type_spec, expand_composites=True)[0]

    @property
    def is_sparse(self) -> bool:
        """Whether it is a `tf.SparseTensor`."""
        return isinstance(self.type_spec, tf.SparseTensorSpec)

    @property
    def is_composite(self) -> bool:
        """Whether it is made of several tensors in a way that is not sparse, for example ragged."""
        return not isinstance(self.type_spec, (tf.TensorSpec, tf.SparseTensorSpec))

    def __repr__(self) -> str:
        kind = "" if isinstance(self.type_spec, tf.TensorSpec) else type(self.type_spec).__name__
        return f"<{kind}{' ' if kind else ''}dtype={self.dtype.name} shape={self.get_shape()}>"


def parse(tensor_info: Any) -> ParsedTensorInfo:
    """Returns what a `TensorInfo` proto says.

    Raises:
      BrokenModuleError: its encoding is missing or unknown.
    """
    encoding = tensor_info.WhichOneof("encoding")
    if encoding == "composite_tensor":
        type_spec = compat.decode_type_spec(tensor_info.composite_tensor.type_spec)
        parts = tf.nest.flatten(type_spec, expand_composites=True)
        for part in parts:
            _check_shape(part.shape)
        encodings = [
            each.WhichOneof("encoding") for each in tensor_info.composite_tensor.components
        ]
        if encodings != ["name"] * len(parts):
            raise BrokenModuleError(
                f"A signature of the module has a tensor of the type {texts.shown(type_spec)}, made of "
                f"{len(encodings)} parts; it takes {len(parts)}, each of them one tensor. Fetch the "
                "module again."
            )
        return ParsedTensorInfo(type_spec)
    shape = tf.TensorShape(tensor_info.tensor_shape)
    _check_shape(shape)
    dtype = tf.as_dtype(tensor_info.dtype)
    if encoding == "coo_sparse":
        return ParsedTensorInfo(tf.SparseTensorSpec(shape, dtype))
    if encoding == "name":
        return ParsedTensorInfo(tf.TensorSpec(shape, dtype))
    raise BrokenModuleError(
        f"A signature of the module has a tensor in the unknown encoding {encoding!r}; known are "
        "name, coo_sparse and composite_tensor. Export the module again."
    )


def _check_shape(shape: tf.TensorShape) -> None:
    # TensorFlow takes any number at first, and fails when the shape is used.
    sizes = shape.as_list() if shape.rank else []
    if any(size is not None and size < 0 for size in sizes):
        raise BrokenModuleError(
            f"A signature of the module has a tensor of the impossible shape {sizes}. Fetch the "
            "module again."
        )


def component_names(tensor_info: Any) -> list[str]:
    """Returns the names of the tensors that a `TensorInfo` is made of, in TensorFlow's flat order."""
    encoding = tensor_info.WhichOneof("encoding")
    if encoding == "coo_sparse":
        sparse = tensor_info.coo_sparse
        return [
            sparse.indices_tensor_name,
            sparse.values_tensor_name,
            sparse.dense_shape_tensor_name,
        ]
    if encoding == "composite_tensor":
        return [component.name for component in tensor_info.composite_tensor.components]
    return [tensor_info.name]
