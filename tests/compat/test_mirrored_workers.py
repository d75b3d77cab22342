"""What is known of strategies whose workers are the tasks of a cluster."""

from __future__ import annotations

import types

import tensorflow as tf

from hub_estimator import compat


def test_which_trainings_take_listeners():
    mirrored = tf.distribute.MirroredStrategy(["/cpu:0"])
    workers = tf.distribute.MultiWorkerMirroredStrategy()
    for strategy, cluster, takes in (
        (None, "a cluster", True),
        (mirrored, "a cluster", True),
        (workers, None, True),
        (workers, "a cluster", False),
    ):
        config = types.SimpleNamespace(cluster_spec=cluster, train_distribute=strategy)
        assert compat.takes_saving_listeners(config) == takes


def test_one_worker_adds_up_rows():
    assert compat.adds_up_rows(tf.distribute.get_strategy())
    assert compat.adds_up_rows(tf.distribute.MultiWorkerMirroredStrategy())
