"""A problem whose gradients are known: `loss = sum(head ** 2) / 2 + sum(body ** 2) / 2`."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from hub_estimator.training.optimization.groups import VariableGroup

HEAD, BODY = np.float32([1, 2]), np.float32([3, 4])


def make_variables(resource: bool = True):
    """Makes the variables `head` and `body/weights`; each is its own gradient."""
    return [
        tf.compat.v1.get_variable(name, initializer=value, use_resource=resource)
        for name, value in (("head", HEAD), ("body/weights", BODY))
    ]


def trained(optimization, steps, body=None, resource=True):
    """Trains in the default graph; returns the values of all variables, at first and by step.

    Args:
      optimization: how.
      steps: the number of steps.
      body: the arguments of the group of `body/weights`; None is no group.
      resource: whether the variables are resources.
    """
    head, weights = make_variables(resource)
    groups = [] if body is None else [VariableGroup("body", [weights], **body)]
    train_op = optimization.train_op(tf.nn.l2_loss(head) + tf.nn.l2_loss(weights), groups)
    with tf.compat.v1.Session() as session:
        session.run(tf.compat.v1.global_variables_initializer())
        history = [values(session)]
        for _ in range(steps):
            session.run(train_op)
            history.append(values(session))
    return history


def values(session):
    return session.run({each.op.name: each for each in tf.compat.v1.global_variables()})
