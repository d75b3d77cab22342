"""What `RunConfig` says of a cluster when it has a distribution strategy."""

from __future__ import annotations

import json

import pytest
import tensorflow as tf

from hub_estimator import compat, errors, estimator

pytestmark = pytest.mark.skipif(
    compat.ships_estimator(), reason="TensorFlow 2.15 has this itself; ours is not used there"
)
CLUSTER = {"chief": ["a:1"], "worker": ["b:1", "c:1"], "ps": ["d:1"]}


@pytest.fixture
def make_config(monkeypatch):
    """Makes a RunConfig in a process that is this task of this cluster."""

    def make(cluster=None, task=None, **settings):
        tf_config = {"cluster": cluster, "task": task} if cluster else {}
        monkeypatch.setenv("TF_CONFIG", json.dumps(tf_config))
        settings = settings or {"train_distribute": tf.distribute.OneDeviceStrategy("/cpu:0")}
        return estimator.RunConfig("unused", **settings)

    return make


def _view(config):
    return (config.is_chief, config.global_id_in_cluster, config.num_worker_replicas,
            config.num_ps_replicas)  # fmt: skip


@pytest.mark.parametrize(
    "task_type, index, view",
    [
        ("chief", 0, (True, 0, 3, 1)),
        ("worker", 0, (False, 1, 3, 1)),
        ("worker", 1, (False, 2, 3, 1)),
        ("ps", 0, (False, 3, 3, 1)),
        ("evaluator", 0, (False, None, 0, 0)),
    ],
)
def test_each_task_knows_its_place(make_config, task_type, index, view):
    config = make_config(CLUSTER, {"type": task_type, "index": index})
    assert (config.task_type, config.task_id) == (task_type, index)
    assert _view(config) == view
    assert bool(config.cluster_spec) == (task_type != "evaluator")
    assert (config.train_distribute is None) == (task_type == "evaluator")
    assert (config.master, config.evaluation_master, config.service) == ("", "", None)


def test_the_first_worker_is_chief_where_there_is_none(make_config):
    cluster = {"worker": ["b:1", "c:1"]}
    assert _view(make_config(cluster, {"type": "worker", "index": 0})) == (True, 0, 2, 0)
    assert _view(make_config(cluster, {"type": "worker", "index": 1})) == (False, 1, 2, 0)


def test_without_a_cluster_it_is_one_worker(make_config):
    config = make_config()
    assert _view(config) == (True, 0, 1, 0)
    assert (config.task_type, config.task_id) == ("worker", 0)


def test_strategies_may_be_given_in_one_value(make_config):
    train, evaluate = (tf.distribute.OneDeviceStrategy("/cpu:0") for _ in range(2))
    config = make_config(experimental_distribute=_distribute_config(train, evaluate))
    assert config.train_distribute is train
    assert config.eval_distribute is evaluate


def _distribute_config(train=None, evaluate=None, remote=None):
    from tensorflow.python.distribute.distribute_config import DistributeConfig

    return DistributeConfig(train, evaluate, remote)


def test_a_strategy_given_twice_is_an_error(make_config):
    one = tf.distribute.OneDeviceStrategy("/cpu:0")
    with pytest.raises(errors.ClusterConfigError) as caught:
        make_config(train_distribute=one, experimental_distribute=_distribute_config(one))
    assert str(caught.value) == (
        "RunConfig got train_distribute both as an argument and in experimental_distribute. "
        "Give it in one place."
    )
    assert isinstance(caught.value, ValueError)


def test_a_standalone_client_is_an_error(make_config):
    one = tf.distribute.OneDeviceStrategy("/cpu:0")
    with pytest.raises(errors.StandaloneClientError) as caught:
        make_config(experimental_distribute=_distribute_config(one, None, {"worker": ["a:1"]}))
    assert str(caught.value) == (
        "RunConfig got DistributeConfig(remote_cluster={'worker': ['a:1']}): a client that drives "
        "a cluster from outside is not supported. Start the same program once per task of the "
        "cluster, each with its own TF_CONFIG, and leave remote_cluster out."
    )
    assert isinstance(caught.value, NotImplementedError)


@pytest.mark.parametrize(
    "task, shown",
    [
        ({"type": "worker", "index": 2}, "'worker', index 2"),
        ({"type": "boss", "index": 0}, "'boss', index 0"),
        ({"type": "worker"}, "'worker', index None"),
        ({"type": "evaluator", "index": 1}, "'evaluator', index 1"),
        (None, "None, index None"),
    ],
)
def test_a_task_that_is_not_in_the_cluster_is_an_error(make_config, task, shown):
    with pytest.raises(errors.ClusterConfigError) as caught:
        make_config(CLUSTER, task)
    assert str(caught.value) == (
        "TF_CONFIG has a cluster with the tasks chief (1), ps (1), worker (2), and says that this "
        f"process is task {shown}. Set 'task' to {{'type': <one of ['chief', 'worker', 'ps', "
        "'evaluator']>, 'index': <its place in the cluster's list>}."
    )


def test_a_cluster_without_workers_is_an_error(make_config):
    with pytest.raises(errors.ClusterConfigError) as caught:
        make_config({"ps": ["a:1"]}, {"type": "ps", "index": 0})
    assert str(caught.value) == (
        "TF_CONFIG has a cluster with the tasks ps (1): nobody would train. It needs one 'chief' "
        "or at least one 'worker'."
    )


def test_a_cluster_needs_a_strategy_for_training(make_config):
    one = tf.distribute.OneDeviceStrategy("/cpu:0")
    with pytest.raises(errors.ClusterConfigError) as caught:
        make_config(CLUSTER, {"type": "chief", "index": 0}, eval_distribute=one)
    assert str(caught.value) == (
        "This process is task 'chief' of the cluster in TF_CONFIG, and RunConfig has only a "
        "strategy for evaluation. Give RunConfig a train_distribute too."
    )
