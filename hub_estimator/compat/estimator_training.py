"""Stands in for `tensorflow.python.distribute.estimator_training` on TensorFlow 2.16 and newer.

`tensorflow_estimator` calls five functions of that module when a `RunConfig` has a distribution
strategy: one turns `TF_CONFIG` and the strategies into the settings of the `RunConfig`, the others
run training and evaluation as one task of the cluster. Here each process of the cluster runs the
same program and is one task (an "independent worker"): `TF_CONFIG` says which. TensorFlow's
distribute coordinator, which all releases have, starts the task's server and configures the
strategy for it.

Tasks `chief` and `worker` train, `ps` serves variables, `evaluator` evaluates each checkpoint.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf
from tensorflow.python.distribute import distribute_coordinator as coordinator
from tensorflow.python.distribute import distribute_coordinator_context as coordinator_context

from hub_estimator import errors

_TASKS = ("chief", "worker", "ps", "evaluator")
_TRAINERS = ("chief", "worker")

NO_STANDALONE_CLIENT = (
    "RunConfig got DistributeConfig(remote_cluster=%r): a client that drives a cluster from outside"
    " is not supported. Start the same program once per task of the cluster, each with its own "
    "TF_CONFIG, and leave remote_cluster out."
)
GIVEN_TWICE = (
    "RunConfig got %s both as an argument and in experimental_distribute. Give it in one place."
)
NO_TASK = (
    "TF_CONFIG has a cluster with the tasks %s, and says that this process is task %r, index %r. "
    "Set 'task' to {'type': <one of %s>, 'index': <its place in the cluster's list>}."
)
NO_TRAINER = (
    "TF_CONFIG has a cluster with the tasks %s: nobody would train. It needs one 'chief' or at "
    "least one 'worker'."
)
NO_STRATEGY = (
    "This process is task %r of the cluster in TF_CONFIG, and RunConfig has only a strategy for "
    "evaluation. Give RunConfig a train_distribute too."
)


def init_run_config(config: Any, tf_config: dict[str, Any]) -> None:
    """Sets what a `RunConfig` with distribution strategies says of the cluster and its strategies.

    Args:
      config: the `RunConfig` under construction; changed in place.
      tf_config: the content of the environment variable `TF_CONFIG`, empty without a cluster.

    Raises:
      errors.StandaloneClientError: `experimental_distribute` names a remote cluster.
      errors.ClusterConfigError: `TF_CONFIG` is incomplete, or a strategy is given twice or missing.
    """
    _set_strategies(config)
    tasks = tf_config.get("cluster") or {}
    config._distribute_coordinator_mode = None
    if not tasks:  # then nothing differs from a RunConfig without strategies
        config._init_distributed_setting_from_environment_var(tf_config)
        return
    task_type, task_id = _this_task(tasks, tf_config.get("task") or {})
    if config.train_distribute is None and task_type != "evaluator":
        raise errors.ClusterConfigError(NO_STRATEGY % task_type)
    config._distribute_coordinator_mode = coordinator.CoordinatorMode.INDEPENDENT_WORKER
    config._service = tf_config.get("service")
    _set_task(config, tasks, task_type, task_id)


def should_run_distribute_coordinator(config: Any) -> bool:
    """Whether `tf.estimator.train_and_evaluate` is to call `train_and_evaluate` of this module.

    The evaluator is outside the training cluster: it evaluates as it does without strategies.
    """
    mode = getattr(config, "_distribute_coordinator_mode", None)
    return mode is not None and config.task_type != "evaluator"


def train_and_evaluate(
    estimator: Any, train_spec: Any, eval_spec: Any, executor_class: Callable[..., Any]
) -> None:
    """Runs this process's task of the cluster until training is over; a `ps` never returns.

    Evaluation is the work of the cluster's evaluator, a process of its own.

    Args:
      estimator: the `Estimator`.
      train_spec: the `TrainSpec`.
      eval_spec: the `EvalSpec`; the evaluator's, unused by the other tasks.
      executor_class: what runs training without strategies; unused.
    """
    del eval_spec, executor_class
    if estimator.config.task_type == "ps":  # which an Estimator refuses to train
        _run_task(lambda strategy: None, estimator.config.train_distribute, estimator.config)
        return
    estimator.train(
        input_fn=train_spec.input_fn,
        max_steps=train_spec.max_steps,
        hooks=list(train_spec.hooks),
        saving_listeners=train_spec.saving_listeners,
    )


def estimator_train(
    estimator: Any, train: Callable[[Any, Any, Sequence[Any]], Any], hooks: Sequence[Any]
) -> Any:
    """Trains as this process's task of the cluster.

    Args:
      estimator: the `Estimator`.
      train: `train(estimator, strategy, hooks)` trains under the configured strategy.
      hooks: session run hooks.

    Returns:
      What `train` returns.
    """

    def run(strategy: tf.distribute.Strategy) -> Any:
        return train(_with_strategies(estimator, train=strategy), strategy, list(hooks))

    return _run_task(run, estimator.config.train_distribute, estimator.config)


def estimator_evaluate(
    estimator: Any, evaluate: Callable[[Any, Any, Sequence[Any]], Any], hooks: Sequence[Any]
) -> Any:
    """Evaluates under `RunConfig.eval_distribute` as this process's task of the cluster.

    Args:
      estimator: the `Estimator`.
      evaluate: `evaluate(estimator, strategy, hooks)` evaluates under the configured strategy.
      hooks: session run hooks, or None.

    Returns:
      The metrics that `evaluate` returns.
    """

    def run(strategy: tf.distribute.Strategy) -> Any:
        return evaluate(_with_strategies(estimator, evaluate=strategy), strategy, list(hooks or ()))

    return _run_task(run, estimator.config.eval_distribute, estimator.config)


def _run_task(
    run: Callable[[tf.distribute.Strategy], Any], strategy: tf.distribute.Strategy, config: Any
) -> Any:
    context = coordinator_context.get_current_worker_context()
    if context is not None:  # for example a hook that evaluates while the task trains
        return run(strategy)
    is_alone = config.num_worker_replicas + config.num_ps_replicas == 1
    if is_alone and not strategy.extended.experimental_between_graph:
        # A strategy for the devices of one machine, like MirroredStrategy: there is no other one.
        strategy.configure(session_config=copy.deepcopy(config.session_config))
        return run(strategy)
    # The coordinator reads the cluster and the task from TF_CONFIG, as RunConfig did.
    return coordinator.run_distribute_coordinator(
        run,
        strategy,
        eval_fn=run,
        eval_strategy=strategy,
        mode=config._distribute_coordinator_mode,
        session_config=copy.deepcopy(config.session_config),
        rpc_layer=config.protocol or "grpc",
    )


def _with_strategies(estimator: Any, **strategies: Any) -> Any:
    """Returns a shallow copy of the estimator that uses these configured strategies."""
    result = copy.copy(estimator)
    result._config = copy.copy(estimator.config)
    for role, strategy in strategies.items():
        name = {"train": "train", "evaluate": "eval"}[role]
        setattr(result, f"_{name}_distribution", strategy)
        setattr(result._config, f"_{name}_distribute", strategy)
    return result


def _set_strategies(config: Any) -> None:
    """Moves the strategies of `experimental_distribute` to where they belong."""
    both = config._experimental_distribute
    if both is None:
        return
    if both.remote_cluster:
        raise errors.StandaloneClientError(NO_STANDALONE_CLIENT % (both.remote_cluster,))
    for name in ("train_distribute", "eval_distribute"):
        if getattr(both, name) is None:
            continue
        if getattr(config, name) is not None:
            raise errors.ClusterConfigError(GIVEN_TWICE % name)
        setattr(config, f"_{name}", getattr(both, name))


def _counts(tasks: dict[str, Sequence[str]]) -> str:
    return ", ".join(f"{name} ({len(addresses)})" for name, addresses in sorted(tasks.items()))


def _this_task(tasks: dict[str, Sequence[str]], task: dict[str, Any]) -> tuple[str, int]:
    """Returns the type and index of this process's task."""
    if not any(tasks.get(name) for name in _TRAINERS):
        raise errors.ClusterConfigError(NO_TRAINER % _counts(tasks))
    task_type, index = task.get("type"), task.get("index")
    known = [name for name in _TASKS if name in tasks or name == "evaluator"]
    # The evaluator need not be in the cluster: it talks to nobody.
    size = 1 if task_type == "evaluator" else len(tasks.get(str(task_type), ()))
    if task_type not in known or index is None or not 0 <= int(index) < size:
        raise errors.ClusterConfigError(NO_TASK % (_counts(tasks), task_type, index, known))
    return task_type, int(index)


def _set_task(config: Any, tasks: dict[str, Sequence[str]], task_type: str, task_id: int) -> None:
    """Sets the `RunConfig`'s view of the cluster from this task.

    The masters stay empty: during training the coordinator names the task's own server, and
    prediction, which uses no strategy, is local to the process.
    """
    evaluates = task_type == "evaluator"
    if evaluates:
        # It trains nothing, and the strategy, which is made for workers, cannot be copied there.
        config._train_distribute = None
    training = {} if evaluates else {k: v for k, v in tasks.items() if k != "evaluator"}
    chief = "chief" if training.get("chief") else "worker"
    config._cluster_spec = tf.train.ClusterSpec(training)
    config._task_type, config._task_id = task_type, task_id
    config._master = config._evaluation_master = ""
    config._is_chief = not evaluates and (task_type, task_id) == (chief, 0)
    config._num_ps_replicas = len(training.get("ps", ()))
    config._num_worker_replicas = sum(len(training.get(name, ())) for name in _TRAINERS)
    config._global_id_in_cluster = None
    if not evaluates:
        before = _TASKS[: _TASKS.index(task_type)]
        config._global_id_in_cluster = task_id + sum(len(training.get(n, ())) for n in before)
