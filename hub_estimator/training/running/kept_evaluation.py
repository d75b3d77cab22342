"""Evaluations of one model that share a graph: to build it takes longer than to run it, in small models.

Each has a session of its own, so nothing of one gets into the next: neither counts of metrics, nor
tables, nor how far random numbers are.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from hub_estimator.training.inputs import batches
from hub_estimator.training.inputs.base import InputFn

_STEP = tf.compat.v1.GraphKeys.GLOBAL_STEP


@contextlib.contextmanager
def keeping_evaluation(estimator: Any, input_fn: InputFn) -> Iterator[None]:
    """Has an Estimator build its evaluation once for the time of a `with` block.

    A model with evaluation hooks, a `local_init_op` of its own, or metrics that are no numbers is
    evaluated as ever; so is what a cluster or a strategy trains.

    Args:
      estimator: the Estimator.
      input_fn: gives the examples; evaluations on others are as ever.
    """
    if estimator.config.cluster_spec or estimator.config.train_distribute:
        yield
        return
    as_ever = estimator.evaluate
    kept_fn = input_fn
    kept = functools.cache(lambda: _built(estimator, kept_fn))

    def evaluate(
        input_fn: InputFn,
        steps: int | None = None,
        hooks: Sequence[Any] | None = None,
        checkpoint_path: str | None = None,
        name: str | None = None,
    ) -> Mapping[str, Any]:
        checkpoint = checkpoint_path or estimator.latest_checkpoint()
        if input_fn is kept_fn and steps is None and checkpoint:
            evaluation = kept()
            if evaluation is not None:
                try:
                    return evaluation(checkpoint, hooks or (), estimator.eval_dir(name))
                except BaseException:
                    kept.cache_clear()  # a session that could not be made leaves the graph finalized
                    raise
        return as_ever(input_fn, steps, hooks, checkpoint_path, name)

    estimator.evaluate = evaluate
    try:
        yield
    finally:
        estimator.evaluate = as_ever


@dataclasses.dataclass(frozen=True)
class _Kept:
    """A graph that evaluates.

    Attributes:
      graph: the graph.
      scaffold: restores a checkpoint and initializes the rest, but for the examples.
      examples: the examples.
      config: of sessions.
      update: takes in a batch.
      values: the metrics, by name.
    """

    graph: tf.Graph
    scaffold: tf.compat.v1.train.Scaffold
    examples: batches.Batches
    config: Any
    update: tf.Operation
    values: Mapping[str, tf.Tensor]

    def __call__(self, checkpoint: str, hooks: Sequence[Any], folder: str) -> Mapping[str, Any]:
        """Evaluates a checkpoint, and writes the metrics into a folder for TensorBoard."""
        final = tf.compat.v1.train.FinalOpsHook(self.values)
        creator = tf.compat.v1.train.ChiefSessionCreator(
            self.scaffold, config=self.config, checkpoint_filename_with_path=checkpoint
        )
        every = [self.examples.hook(), *hooks, final]
        with self.graph.as_default():
            with tf.compat.v1.train.MonitoredSession(creator, every) as session:
                while not session.should_stop():
                    session.run(self.update)
            found: Mapping[str, Any] = final.final_ops_values
            _write(folder, found, checkpoint)
        return found


def _built(estimator: Any, input_fn: InputFn) -> _Kept | None:
    """Builds an evaluation; returns None where it cannot be run again, or is no plain one."""
    config = estimator.config
    with tf.Graph().as_default() as graph:
        tf.compat.v1.set_random_seed(config.tf_random_seed)
        step = tf.compat.v1.train.create_global_step()
        examples = batches.of(input_fn)
        features, labels = examples.next
        spec = estimator.model_fn(features=features, labels=labels, mode="eval", config=config)
        scaffold = spec.scaffold or tf.compat.v1.train.Scaffold()
        metrics = dict(spec.eval_metric_ops or {})
        if (
            spec.evaluation_hooks
            or scaffold.local_init_op is not None
            or not {"loss", _STEP}.isdisjoint(metrics)  # which the Estimator refuses
            or not all(_is_number(value) for value, _ in metrics.values())
        ):
            return None
        metrics["loss"] = tf.compat.v1.metrics.mean(spec.loss)
        update = tf.group([update for _, update in metrics.values()])
        values = {name: value for name, (value, _) in sorted(metrics.items())}
        values[_STEP] = step
        return _Kept(graph, scaffold, examples, config.session_config, update, values)


def _is_number(value: Any) -> bool:
    is_scalar = isinstance(value, tf.Tensor) and value.shape.rank == 0
    return is_scalar and (value.dtype.is_floating or value.dtype.is_integer)


def _write(folder: str, metrics: Mapping[str, Any], checkpoint: str) -> None:
    """Writes what TensorBoard shows of an evaluation, and of which checkpoint it is."""
    values = [
        tf.compat.v1.Summary.Value(tag=name, simple_value=float(np.asarray(value)))
        for name, value in metrics.items()
        if name != _STEP
    ]
    path = tf.compat.v1.make_tensor_proto(checkpoint, dtype=tf.string)
    values.append(tf.compat.v1.Summary.Value(tag="checkpoint_path", tensor=path))
    writer = tf.compat.v1.summary.FileWriterCache.get(folder)
    writer.add_summary(tf.compat.v1.Summary(value=values), metrics[_STEP])
    writer.flush()
