"""The gradient of sums over looked-up rows, where TensorFlow's own kernels for it are slow.

Text modules look up a row for each word and add those of each text: `SparseSegmentSqrtN` and its
siblings. The kernels of their gradients are fast in TensorFlow 2.15; in 2.21 they take a third of a
step. The same gradient is a sum too, with rows and segments exchanged: over the positions sorted by
row. Sorting needs the ids alone, and runs beside the rest of the step.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Iterable
from typing import Any

import numpy as np
import tensorflow as tf

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
_IDS, _ROWS, _WIDTH, _SEGMENTS, _TURNS = 8192, 1024, 384, 64, 4
_CLEARLY = 1.5  # times as fast


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


def _gradient(operation: tf.Operation, gradient: Any) -> list[Any]:
    data, indices, segments = operation.inputs[:3]
    order = tf.argsort(indices)  # of equal ones, the first comes first
    given = {
        "data": _weighed(operation.type, tf.convert_to_tensor(gradient), segments),
        "indices": tf.gather(segments, order),
    }
    sorted_rows = tf.gather(indices, order)
    summed: Any
    if _is_sparse(operation):
        rows, numbers = tf.unique(sorted_rows)
        values = tf.raw_ops.SparseSegmentSum(segment_ids=numbers, **given)
        summed = tf.IndexedSlices(values, rows, tf.shape(data))
    else:
        summed = tf.raw_ops.SparseSegmentSumWithNumSegments(
            segment_ids=sorted_rows, num_segments=tf.shape(data)[0], **given
        )
    return [summed, *[None] * (len(operation.inputs) - 1)]


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
    with tf.Graph().as_default() as graph, tf.device("/cpu:0"):
        gradient = tf.zeros([_SEGMENTS, _WIDTH])
        looked_up = tf.raw_ops.SparseSegmentSqrtN(
            data=tf.zeros([_ROWS, _WIDTH]),
            indices=tf.compat.v1.placeholder_with_default(ids, [None]),
            segment_ids=tf.compat.v1.placeholder_with_default(segments, [None]),
        )
        own = tf.gradients(looked_up, looked_up.op.inputs[0], gradient)[0].op
        ours = _gradient(looked_up.op, gradient)[0].op
    with tf.compat.v1.Session(graph=graph, config=_plain()) as session:
        return _CLEARLY * _seconds(session, ours) < _seconds(session, own)


def _plain() -> tf.compat.v1.ConfigProto:
    """One thread, and a graph that runs as it is: nothing is computed before it is timed."""
    config = tf.compat.v1.ConfigProto(
        intra_op_parallelism_threads=1, inter_op_parallelism_threads=1
    )
    config.graph_options.rewrite_options.disable_meta_optimizer = True
    return config


def _seconds(session: tf.compat.v1.Session, operation: tf.Operation) -> float:
    times = []
    for _ in range(_TURNS):
        start = time.perf_counter()
        session.run(operation)
        times.append(time.perf_counter() - start)
    return min(times)
