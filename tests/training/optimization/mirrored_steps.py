"""Trains three steps on two replicas, in several ways: prints the values after each as JSON.

The gradients of `head` and of `body[1]` are 1 on one replica and 3 on the other.
"""

from __future__ import annotations

import functools
import json

from hub_estimator.training.optimization.groups import VariableGroup
from hub_estimator.training.optimization.optimization import Optimization
from hub_estimator.training.optimization.weight_decay import AdamWOptimizer

import tensorflow as tf  # isort: skip  after hub_estimator, which chooses legacy Keras

tf1 = tf.compat.v1
DESCENT = tf1.train.GradientDescentOptimizer
CASES = {
    "multiplier": (Optimization(DESCENT, 0.1), {"multiplier": 0.5}),
    "adam": (Optimization(tf1.train.AdamOptimizer, 0.1), {"multiplier": 0.5}),
    "late": (Optimization(tf1.train.AdamOptimizer, 0.1), {"start_step": 2}),
    "clipped": (Optimization(DESCENT, 0.1, clip_norm=1.0), {}),
    "decaying": (
        Optimization(functools.partial(AdamWOptimizer, weight_decay=0.5, exclude=["^head$"]), 0.1),
        {"multiplier": 0.5},
    ),
    "averaged": (Optimization(DESCENT, 0.1, average_decay=0.2), {}),
    "sparse": (Optimization(DESCENT, 0.1, clip_norm=1.0), {"start_step": 1}),
}


def replica_step(optimization: Optimization, group: dict, sparse: bool) -> tf.Operation:
    """Adds a step as a `model_fn` would, on each replica."""
    head = tf1.get_variable("head", initializer=1.0)
    body = tf1.get_variable("body", initializer=[1.0, 1.0])
    replica = tf.distribute.get_replica_context().replica_id_in_sync_group
    gradient = tf.cast(1 + 2 * replica, tf.float32)
    row = tf.nn.embedding_lookup(body, [1])[0] if sparse else body[1]
    return optimization.train_op(gradient * (head + row), [VariableGroup("body", [body], **group)])


def steps(optimization: Optimization, group: dict, sparse: bool) -> list[dict]:
    strategy = tf.distribute.MirroredStrategy(
        ["/cpu:0", "/cpu:1"], cross_device_ops=tf.distribute.ReductionToOneDevice()
    )
    with tf.Graph().as_default(), strategy.scope():
        tf1.train.create_global_step()
        train_op = strategy.extended.call_for_each_replica(
            replica_step, args=(optimization, group, sparse)
        )
        train_op = tf.group(*strategy.experimental_local_results(train_op))
        replicas = {each.op.name: each for each in tf1.global_variables()}
        with tf1.Session() as session:
            session.run(tf1.global_variables_initializer())
            history = [values(session, strategy, replicas)]
            for _ in range(3):
                session.run(train_op)
                history.append(values(session, strategy, replicas))
    return history


def values(session, strategy, variables) -> dict:
    """Returns the values by name; both replicas must have the same."""
    local = {name: strategy.experimental_local_results(each) for name, each in variables.items()}
    result = {}
    for name, copies in session.run(local).items():
        assert all((each == copies[0]).all() for each in copies), name
        result[name] = copies[0].tolist()
    return result


if __name__ == "__main__":
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    print(json.dumps({name: steps(*case, name == "sparse") for name, case in CASES.items()}))
