"""Puts under `tensorflow_estimator` what TensorFlow 2.16 and newer no longer have for it."""

from __future__ import annotations

import functools
import importlib
from types import ModuleType
from typing import Any, Literal

from tensorflow.python.util import tf_export

from hub_estimator import errors
from hub_estimator.compat.aliases import add_alias
from hub_estimator.compat.estimator_imports import import_with_legacy_keras
from hub_estimator.compat.input_functions import accept_columns_of_today
from hub_estimator.compat.keras_3 import refuse_keras_3
from hub_estimator.compat.noise import silence_deprecations
from hub_estimator.compat.reductions import reduce_to_one_device_in_sessions
from hub_estimator.compat.releases import ships_estimator

USE_TPU = (
    "TPUEstimator got use_tpu=True (its default), and TensorFlow's support for Estimators on TPUs "
    "ended with release 2.15. Give use_tpu=False, which runs on CPU and GPU, or use "
    "TensorFlow 2.15."
)

_HERE = __name__.rpartition(".")[0]
_STAND_INS = {
    "tensorflow.python.distribute.estimator_training": f"{_HERE}.estimator_training",
    "tensorflow.python.tpu.session_support": f"{_HERE}.tpu_names",
    "tensorflow.python.tpu.tpu_embedding": f"{_HERE}.tpu_names",
    "tensorflow.python.tpu.tpu_embedding_gradient": f"{_HERE}.tpu_names",
}
_API = "tensorflow_estimator.python.estimator.api._%s.estimator"


def estimator_module(api: Literal["v1", "v2"] = "v1") -> ModuleType:
    """Returns `tf.compat.v1.estimator` (`"v1"`) or `tf.estimator` (`"v2"`), on any TensorFlow.

    The first call imports it, after what it needs is in place. From then on, upstream's
    deprecation notices are silenced.
    """
    silence_deprecations()
    reduce_to_one_device_in_sessions()
    _prepare()
    accept_columns_of_today()
    return importlib.import_module(_API % api)


@functools.cache
def _prepare() -> None:
    """Makes `import tensorflow_estimator` possible, once per process."""
    if ships_estimator():
        return
    _name_the_estimator_api()
    for name, target in _STAND_INS.items():
        add_alias(name, target)
    import_with_legacy_keras()
    _refuse_tpus()
    refuse_keras_3()


def _name_the_estimator_api() -> None:
    """Gives the Estimator API, as other APIs have it, a name under which symbols are exported."""
    if hasattr(tf_export, "ESTIMATOR_API_NAME"):
        return
    tf_export.ESTIMATOR_API_NAME = "estimator"
    attributes = type(tf_export.API_ATTRS[tf_export.TENSORFLOW_API_NAME])
    for table, suffix in ((tf_export.API_ATTRS, ""), (tf_export.API_ATTRS_V1, "_v1")):
        table["estimator"] = attributes(
            names=f"_estimator_api_names{suffix}", constants=f"_estimator_api_constants{suffix}"
        )


def _refuse_tpus() -> None:
    tpu_context: Any = importlib.import_module(
        "tensorflow_estimator.python.estimator.tpu.tpu_context"
    )
    make_context = tpu_context._get_tpu_context

    @functools.wraps(make_context)
    def make_context_without_tpu(
        config: Any,
        train_batch_size: int | None,
        eval_batch_size: int | None,
        predict_batch_size: int | None,
        use_tpu: bool,
        *args: Any,
    ) -> Any:
        if use_tpu:
            raise errors.TPUUnsupportedError(USE_TPU)
        return make_context(
            config, train_batch_size, eval_batch_size, predict_batch_size, use_tpu, *args
        )

    tpu_context._get_tpu_context = make_context_without_tpu
