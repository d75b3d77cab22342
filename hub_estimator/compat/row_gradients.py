"""The gradient of sums over looked-up rows, where TensorFlow's own kernels for it are slow.

Text modules look up a row for each word and add those of each text: `SparseSegmentSqrtN` and its
siblings. The kernels of their gradients are fast in TensorFlow 2.15; in 2.21 they take a third of a
step. The same gradient is a sum too, with rows and segments exchanged. Where the segments share most
rows, as long texts do, it is a product of two matrices: how often each segment has each row, times
the gradients of the segments. Elsewhere it is a sum over the positions sorted by row.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any

import numpy as np
import tensorflow as tf

from hub_estimator.compat import measured

_ROW_SUMS = frozenset(
    {
        "SparseSegmentSum",
        "SparseSegmentSumWithNumSegments",
        "SparseSegmentMean",
        "SparseSegmentMeanWithNumSegments",
        "SparseSegmentSqrtN",
        "SparseSegmentSqrtNWithNumSegments",
    }
)

_FLOATS = (tf.float32, tf.float64)
# Enough for kernels to differ by factors; both together take a few milliseconds.
_IDS, _ROWS, _WIDTH, _SEGMENTS = 8192, 1024, 384, 64
_CLEARLY = 1.5  # times as fast
# Numbers of the matrix of counts for each one that counts something. A product takes a thirtieth of
# the time that sorting and adding take for as many numbers, on a processor with AVX-512; others
# multiply slower. It bounds the memory of the counts, too.
_SPARSEST = 24


def is_row_sum(op_type: str) -> bool:
    """Whether operations of a type look rows up and add those of each segment."""
    return op_type in _ROW_SUMS


def hasten_row_gradients(operations: Iterable[tf.Operation]) -> None:
    """Gives sums over looked-up rows a faster gradient, where TensorFlow's own is the slower one.

    Only the Python objects know of it: what is exported or saved of the graph is as it was. Values
    differ by rounding: they are sums in another order.
    """
    for operation in operations:
        if operation.inputs[0].dtype in _FLOATS and _own_is_slow():
            operation._gradient_function = _gradient


def trains_row_sums(graph: tf.Graph) -> bool:
    """Whether a graph has gradients of sums over looked-up rows, TensorFlow's own or faster ones."""
    return any(
        operation._gradient_function is _gradient
        or (operation.type.startswith("SparseSegment") and "Grad" in operation.type)
        for operation in graph.get_operations()
    )


def _gradient(operation: tf.Operation, gradient: Any) -> list[Any]:
    data, indices, segments = operation.inputs[:3]
    weighed = _weighed(operation.type, tf.convert_to_tensor(gradient), segments)
    summed: Any
    if _is_sparse(operation):
        summed = _sorted_sparse_sum(weighed, indices, segments, tf.shape(data))
    else:
        summed = _sum(weighed, indices, segments, tf.shape(data))
    return [summed, *[None] * (len(operation.inputs) - 1)]


def _sum(gradient: tf.Tensor, indices: tf.Tensor, segments: tf.Tensor, shape: tf.Tensor) -> Any:
    """Adds the gradients of each row's segments: `[S, ...]` to `[rows, ...]`."""
    sizes = tf.cast(tf.stack([shape[0], tf.shape(gradient)[0]]), tf.int64)
    is_shared = tf.reduce_prod(sizes) <= _SPARSEST * tf.size(indices, tf.int64)
    # Times zero, what is not finite would be in all rows.
    is_finite = tf.reduce_all(tf.math.is_finite(gradient))
    return tf.cond(
        is_shared & is_finite,
        lambda: _product(gradient, indices, segments, sizes, shape),
        lambda: _sorted_sum(gradient, indices, segments, shape),
    )


def _product(
    gradient: tf.Tensor, indices: tf.Tensor, segments: tf.Tensor, sizes: tf.Tensor, shape: tf.Tensor
) -> tf.Tensor:
    places = tf.cast(indices, tf.int64) * sizes[1] + tf.cast(segments, tf.int64)
    ones = tf.ones_like(places, gradient.dtype)
    counts = tf.math.unsorted_segment_sum(ones, places, tf.reduce_prod(sizes))
    width = tf.reduce_prod(shape[1:], keepdims=True)
    flat = tf.reshape(gradient, tf.concat([tf.shape(gradient)[:1], width], 0))
    return tf.reshape(tf.matmul(tf.reshape(counts, sizes), flat), shape)


def _sorted_sum(
    gradient: tf.Tensor, indices: tf.Tensor, segments: tf.Tensor, shape: tf.Tensor
) -> tf.Tensor:
    order = tf.argsort(indices)
    return tf.raw_ops.SparseSegmentSumWithNumSegments(
        data=gradient,
        indices=tf.gather(segments, order),
        segment_ids=tf.gather(indices, order),
        num_segments=shape[0],
    )


def _sorted_sparse_sum(
    gradient: tf.Tensor, indices: tf.Tensor, segments: tf.Tensor, shape: tf.Tensor
) -> tf.IndexedSlices:
    order = tf.argsort(indices)
    rows, numbers = tf.unique(tf.gather(indices, order))
    values = tf.raw_ops.SparseSegmentSum(
        data=gradient, indices=tf.gather(segments, order), segment_ids=numbers
    )
    return tf.IndexedSlices(values, rows, shape)


def _is_sparse(operation: tf.Operation) -> bool:
    """Whether its gradient is wanted as `IndexedSlices`: newer TensorFlow can be asked for that."""
    try:
        return bool(operation.get_attr("sparse_gradient"))
    except ValueError:
        return False


def _weighed(kind: str, gradient: tf.Tensor, segments: tf.Tensor) -> tf.Tensor:
    """Divides the gradient of each segment by what its sum was divided by."""
    if kind.startswith("SparseSegmentSum"):
        return gradient
    ones = tf.ones_like(segments, gradient.dtype)
    # A segment of nothing has a gradient that goes nowhere.
    counts = tf.maximum(tf.math.unsorted_segment_sum(ones, segments, tf.shape(gradient)[0]), 1)
    divisors = tf.sqrt(counts) if kind.startswith("SparseSegmentSqrtN") else counts
    return gradient / tf.reshape(divisors, [-1, *[1] * (gradient.shape.rank - 1)])


@functools.cache
def _own_is_slow() -> bool:
    """Whether TensorFlow's own gradient is clearly the slower one: measured once, on a CPU.

    Where there is a GPU, its kernels are left to compute what they can.
    """
    if tf.config.list_physical_devices("GPU"):
        return False
    numbers = np.random.RandomState(0)
    ids = numbers.randint(0, _ROWS, _IDS).astype(np.int32)
    segments = np.sort(numbers.randint(0, _SEGMENTS, _IDS)).astype(np.int32)
    with tf.Graph().as_default(), tf.device("/cpu:0"):
        gradient = tf.zeros([_SEGMENTS, _WIDTH])
        looked_up = tf.raw_ops.SparseSegmentSqrtN(
            data=tf.zeros([_ROWS, _WIDTH]),
            indices=tf.compat.v1.placeholder_with_default(ids, [None]),
            segment_ids=tf.compat.v1.placeholder_with_default(segments, [None]),
        )
        own = tf.gradients(looked_up, looked_up.op.inputs[0], gradient)[0].op
        _, indices, segment_ids = looked_up.op.inputs
        # The slower of ours.
        ours = _sorted_sum(gradient, indices, segment_ids, tf.constant([_ROWS, _WIDTH])).op
    own_secs, our_secs = measured.seconds([own, ours])
    return _CLEARLY * our_secs < own_secs
