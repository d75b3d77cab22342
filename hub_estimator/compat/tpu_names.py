"""Stands in for three modules of `tensorflow.python.tpu` on TensorFlow 2.16 and newer.

`TPUEstimator`, and programs that it is for, import names from `session_support`, `tpu_embedding` and
`tpu_embedding_gradient`, and use them on a TPU only. Here they can be imported, and tested with
`isinstance`; using one raises an error.
"""

from __future__ import annotations

from typing import Any

from hub_estimator import errors

NO_TPU = (
    "%s needs a TPU, and TensorFlow's support for Estimators on TPUs ended with release 2.15. "
    "Use TPUEstimator(use_tpu=False), which runs on CPU and GPU, or TensorFlow 2.15."
)

_SESSION_SUPPORT = (
    *("CoordinatorResetError", "GracefulShutdownHook", "ResetComputation", "ShutdownAllWorkers"),
    *("ShutdownLameWorkers", "WatchdogManager", "WorkerHeartbeatManager", "all_worker_devices"),
    *("start_worker_watchdog", "stop_worker_watchdog"),
)
_EMBEDDING_GRADIENT = (
    *("create_dummy_table_variables", "get_gradients_through_compute_gradients"),
    *("get_gradients_through_dummy_table_variables", "hook_dummy_table_variables_to_activations"),
)
_OPTIMIZERS = (
    *("Adagrad", "AdagradMomentum", "Adam", "FrequencyEstimator", "Ftrl", "Momentum"),
    *("ProximalAdagrad", "ProximalYogi", "RMSProp"),
)
_EMBEDDING = (
    *(f"{name}Parameters" for name in (*_OPTIMIZERS, "StochasticGradientDescent")),
    *(f"{name}SlotVariableNames" for name in _OPTIMIZERS),
    # As it is spelt.
    *(f"{name}SlotVariable{'s' * (name != 'Ftrl')}" for name in _OPTIMIZERS),
    *("DeviceConfig", "EnqueueData", "FeatureConfig", "RaggedEnqueueData", "TPUEmbedding"),
    *("TableConfig", "VariablesAndOps", "get_enqueue_datas_list_from_ragged_tensors_list"),
    "get_enqueue_datas_list_from_sparse_tensors_list",
)
TRAINING = "training"
INFERENCE = "inference"


def _unavailable(name: str) -> type:
    """Returns a class that cannot be instantiated; it serves for a function as well."""

    def refuse(cls: type, *args: Any, **kwargs: Any) -> Any:
        raise errors.TPUUnsupportedError(NO_TPU % cls.__name__)

    return type(name, (), {"__new__": refuse, "__module__": __name__})


globals().update(
    (name, _unavailable(name)) for name in (*_SESSION_SUPPORT, *_EMBEDDING, *_EMBEDDING_GRADIENT)
)
