"""How long operations take here: which of two ways is the faster one is not for versions to say."""

from __future__ import annotations

import time
from collections.abc import Sequence

import tensorflow as tf

_TURNS = 5


def seconds(operations: Sequence[tf.Operation]) -> list[float]:
    """Runs operations in turn, by one thread; returns the least processor time that each took.

    What else the machine does changes that less than the time on a clock.

    Args:
      operations: operations of one graph, whose variables are initialized first.
    """
    graph = operations[0].graph
    with graph.as_default():
        initialize = tf.compat.v1.global_variables_initializer()
    times: list[list[float]] = [[] for _ in operations]
    with tf.compat.v1.Session(graph=graph, config=_plain()) as session:
        session.run(initialize)
        for _ in range(_TURNS):
            for operation, taken in zip(operations, times, strict=True):
                start = time.process_time()
                session.run(operation)
                taken.append(time.process_time() - start)
    return [min(taken) for taken in times]


def _plain() -> tf.compat.v1.ConfigProto:
    """One thread, and a graph that runs as it is: nothing is computed before it is timed."""
    config = tf.compat.v1.ConfigProto(
        intra_op_parallelism_threads=1, inter_op_parallelism_threads=1
    )
    config.graph_options.rewrite_options.disable_meta_optimizer = True
    return config
