"""How TensorFlow is to optimize the graph that training runs."""

from __future__ import annotations

from typing import Any

import tensorflow as tf
from tensorflow.core.protobuf import rewriter_config_pb2


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
    kinds = {operation.type for operation in graph.get_operations()}
    return any(kind.startswith("SparseSegment") and "Grad" in kind for kind in kinds)
