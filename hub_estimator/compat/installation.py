"""Puts back what TensorFlow removed, under the names that existing programs import."""

from __future__ import annotations

import importlib
import operator
import re
import sys
from typing import Any, Literal

import tensorflow as tf

from hub_estimator import errors
from hub_estimator.compat import hub_name, tpu_names
from hub_estimator.compat.aliases import add_alias
from hub_estimator.compat.input_functions import accept_columns_of_today
from hub_estimator.compat.keras_2 import legacy_layers, legacy_rnn_cells
from hub_estimator.compat.log_records import show_records_once
from hub_estimator.compat.noise import silence_deprecations
from hub_estimator.compat.pipeline_checkpoints import CheckpointInputPipelineHook
from hub_estimator.compat.reductions import reduce_to_one_device_in_sessions
from hub_estimator.compat.releases import ships_estimator
from hub_estimator.compat.stand_ins import estimator_module
from hub_estimator.compat.tf1.program_imports import give_programs_tf1

TENSORFLOW_IN_USE = (
    "install(v1=True) comes too late: the program has imported TensorFlow already, as %s, with the "
    "names of TensorFlow 2. Call install before `import tensorflow`; in a notebook, restart it first."
)

tf1 = tf.compat.v1

_HERE = __name__.rpartition(".")[0]
# TensorFlow's API is there several times: as `tensorflow.compat.v1`, as the `compat.v1` inside
# that, and as the folders that these are made from. All are different modules.
_NAMESPACE = re.compile(r"tensorflow(\._api\.v2)?(\.compat\.v[12])*")
_NAMESPACES_TO_IMPORT = (
    *("tensorflow.compat.v1", "tensorflow.compat.v2"),
    *("tensorflow.compat.v1.compat.v1", "tensorflow.compat.v1.compat.v2"),
    *("tensorflow.compat.v2.compat.v1", "tensorflow.compat.v2.compat.v2"),
)
_API = "tensorflow_estimator.python.estimator.api._%s.estimator"
_ESTIMATOR = "tensorflow_estimator.python.estimator"
_TRAINING_OPS = "tensorflow.python.ops.gen_training_ops"
_TRACKABLE = "tensorflow.python.trackable"
# What programs import that no supported release has.
_EARLIER_MODULES = {
    # tf-keras looks for these in a place where it has never had them.
    "tf_keras.legacy_tf_layers": "tf_keras.src.legacy_tf_layers",
    # A spelling that public programs use and no release of tensorflow_estimator has.
    "tensorflow_estimator.compat": "tensorflow_estimator._api",
    # The name before TensorFlow 2.9, and those of the modules in it.
    "tensorflow.python.training.tracking": _TRACKABLE,
    f"{_TRACKABLE}.graph_view": "tensorflow.python.checkpoint.graph_view",
    f"{_TRACKABLE}.tracking": f"{_TRACKABLE}.autotrackable",
    f"{_TRACKABLE}.util": "tensorflow.python.checkpoint.checkpoint",
}
_EARLIER_NAMES = {
    "tensorflow.python.framework.ops": {
        "IndexedSlices": tf.IndexedSlices,
        "Tensor": tf.Tensor,
        "register_tensor_conversion_function": tf.register_tensor_conversion_function,
    },
    "tensorflow.python.ops.array_ops": {"stack": tf1.stack},
    "tensorflow.python.ops.control_flow_ops": {
        name: getattr(tf1, name) for name in ("Assert", "case", "cond", "while_loop")
    },
    "tensorflow.python.ops.variables": {"VariableV1": tf1.Variable},
}
# Modules of TensorFlow 2.15 that were names for others.
_MODULES = {
    "tensorflow.python.estimator": _ESTIMATOR,
    f"{_ESTIMATOR}.keras": f"{_ESTIMATOR}.keras_lib",  # as it was called in tensorflow.python
    "tensorflow.python.tpu.async_checkpoint": f"{_HERE}.async_checkpoint",
    "tensorflow.python.training.gen_training_ops": _TRAINING_OPS,
    "tensorflow.python.training.training_ops": _TRAINING_OPS,
    **{
        f"tensorflow.python.tpu.{name}": f"{_ESTIMATOR}.tpu.{name}"
        for name in ("error_handling", "tpu_config", "tpu_context", "tpu_estimator", "util")
    },
}
# What modules of the API that are still there have no more. Each of these is there twice: as an
# attribute of a namespace, and as a module to import.
_HOOK = {"CheckpointInputPipelineHook": CheckpointInputPipelineHook}
_TPU_PARAMETERS = {
    f"{name}Parameters": getattr(tpu_names, f"{name}Parameters")
    for name in ("Adagrad", "Adam", "Ftrl", "StochasticGradientDescent")
}
_API_NAMES: dict[str, dict[str, dict[str, Any]]] = {
    "v1": {"data.experimental": _HOOK, "tpu.experimental": _TPU_PARAMETERS},
    "v2": {"data.experimental": _HOOK},
}
_MODULE_NAMES = {
    "tensorflow.compat.v1.data.experimental": _HOOK,
    "tensorflow.compat.v1.tpu.experimental": _TPU_PARAMETERS,
    "tensorflow.data.experimental": _HOOK,
    "tensorflow.python.data.experimental": _HOOK,
    "tensorflow.python.data.experimental.ops.iterator_ops": _HOOK,
    "tensorflow.python.ops.variable_scope": {
        "disable_resource_variables": tf1.disable_resource_variables,
        "enable_resource_variables": tf1.enable_resource_variables,
        "resource_variables_enabled": tf1.resource_variables_enabled,
    },
}


def put_back(tensorflow_hub: bool, v1: bool) -> None:
    """Does what `hub_estimator.compat.install` says, in a process that has chosen its Keras.

    Args:
      tensorflow_hub: whether `import tensorflow_hub` is to give `hub_estimator`.
      v1: whether `import tensorflow` in the program is to give the names of TensorFlow 1.

    Raises:
      NameInUseError: another package is in use as `tensorflow_hub`; nothing is installed then.
      TensorFlowInUseError: `v1`, and the main module has imported TensorFlow 2 already; nothing is
        installed then.
    """
    if tensorflow_hub:
        hub_name.check()
    if v1:
        _check_v2_is_not_in_use()
    silence_deprecations()
    show_records_once()
    reduce_to_one_device_in_sessions()
    _add_aliases(_EARLIER_MODULES)
    _add_names(_EARLIER_NAMES)
    if not ships_estimator():
        _install_namespaces()
        _add_aliases(_MODULES)
        _add_names(_MODULE_NAMES)
    accept_columns_of_today()
    if tensorflow_hub:
        hub_name.install()
    if v1:
        tf1.disable_v2_behavior()
        give_programs_tf1(package=_main_package())


def _main_package() -> str:
    """Returns the package of a program that was started by `python -m`; empty where it has none."""
    return (getattr(sys.modules["__main__"], "__package__", None) or "").partition(".")[0]


def _check_v2_is_not_in_use() -> None:
    program = vars(sys.modules["__main__"])
    names = [name for name, value in program.items() if value is tf]
    if names:
        raise errors.TensorFlowInUseError(TENSORFLOW_IN_USE % names[0])


def _install_namespaces() -> None:
    for name in _NAMESPACES_TO_IMPORT:
        importlib.import_module(name)
    for name in [name for name in sys.modules if _NAMESPACE.fullmatch(name)]:
        namespace: Any = sys.modules[name]
        api: Literal["v1", "v2"] = "v1" if name.endswith("v1") else "v2"
        add_alias(f"{name}.estimator", _API % api)
        if not hasattr(namespace, "estimator"):
            namespace.estimator = estimator_module(api)
        for path, values in _API_NAMES[api].items():
            _complete(operator.attrgetter(path)(namespace), values)
        if api == "v1":
            namespace.layers = legacy_layers()
            namespace.nn.rnn_cell = legacy_rnn_cells()


def _add_aliases(targets: dict[str, str]) -> None:
    for name, target in targets.items():
        add_alias(name, target)


def _add_names(names: dict[str, dict[str, Any]]) -> None:
    for module, values in names.items():
        _complete(importlib.import_module(module), values)


def _complete(module: Any, values: dict[str, Any]) -> None:
    for name, value in values.items():
        if not hasattr(module, name):
            setattr(module, name, value)
