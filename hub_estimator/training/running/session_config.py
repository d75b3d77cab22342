"""How TensorFlow is to optimize the graph that training runs."""

from __future__ import annotations

from typing import Any

import tensorflow as tf
from tensorflow.core.protobuf import rewriter_config_pb2

from hub_estimator import compat

_READS = frozenset({"Gather", "GatherV2", "Identity", "ReadVariableOp", "ResourceGather"})


def session_config(graph: tf.Graph) -> Any:
    """Returns the `ConfigProto` for training a graph; None is TensorFlow's own choice.

    Where the rows of a table are looked up, summed for each example and trained, TensorFlow's
    arithmetic optimizer lets the sum read the table itself, and each step copies all of it: training
    changes it in place, so that a read must. For a table of 33 MB a step took a fifth longer.
    """
    if not _trains_sums_of_rows(graph):
        return None
    config = tf.compat.v1.ConfigProto(allow_soft_placement=True)  # as Estimators do by themselves
    options = config.graph_options.rewrite_options
    options.meta_optimizer_iterations = rewriter_config_pb2.RewriterConfig.ONE
    options.arithmetic_optimization = rewriter_config_pb2.RewriterConfig.OFF
    return config


def _trains_sums_of_rows(graph: tf.Graph) -> bool:
    trained = {
        variable.op for variable in graph.get_collection(tf.compat.v1.GraphKeys.TRAINABLE_VARIABLES)
    }
    return any(
        _read_from(operation.inputs[0].op) in trained
        for operation in graph.get_operations()
        if compat.is_row_sum(operation.type)
    )


def _read_from(operation: tf.Operation) -> tf.Operation:
    """Follows what reads, and picks rows, back to the variable that is read."""
    while operation.type in _READS:
        operation = operation.inputs[0].op
    return operation
