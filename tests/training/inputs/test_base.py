"""The order of examples, and the share of each worker."""

from __future__ import annotations

import types

import numpy as np
import pytest
import tensorflow as tf

from hub_estimator.training.inputs.base import Order, Share


def config(**settings):
    settings = {"num_worker_replicas": 3, "task_type": "worker", **settings}
    return types.SimpleNamespace(global_id_in_cluster=2, **settings)


@pytest.mark.parametrize(
    ("given", "share", "first"),
    [
        ((None,), Share(), 7),
        ((None, config(num_worker_replicas=1)), Share(), 7),
        ((None, config(num_worker_replicas=None)), Share(), 7),
        # Two replicas on one machine: a step takes a batch for each.
        ((tf.distribute.InputContext(1, 0, 2),), Share(0, 1, 2), 14),
        ((tf.distribute.InputContext(4, 3, 4),), Share(3, 4, 1), 7),
        ((tf.distribute.InputContext(2, 1, 4),), Share(1, 2, 2), 14),
        ((tf.distribute.InputContext(2, 1, 2), config()), Share(1, 2, 1), 7),
        # Workers without a strategy: each makes every third step.
        ((None, config()), Share(2, 3, 1 / 3), 2),
        ((None, config(task_type="chief")), Share(2, 3, 1 / 3), 2),
        ((None, config(task_type="evaluator")), Share(), 7),
    ],
)
def test_shares(given, share, first):
    assert Share.of(*given) == share
    assert share.first_batch(7) == first


def test_batches_go_on_into_the_next_epoch():
    order = Order(5, 3, seed=1)
    rows = np.concatenate([order.batch(step) for step in range(5)])
    epochs = rows.reshape(3, 5)
    assert all(sorted(epoch) == [0, 1, 2, 3, 4] for epoch in epochs.tolist())
    assert len({tuple(epoch) for epoch in epochs.tolist()}) > 1
    assert order.batch(3).tolist() == rows[9:12].tolist()


def test_a_batch_of_several_epochs():
    assert sorted(Order(2, 6, seed=1).batch(0)) == [0, 0, 0, 1, 1, 1]
