"""Keras 3: where something needs it, and where it is given to Estimators, built on legacy Keras."""

from __future__ import annotations

import functools
import importlib
import sys
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from hub_estimator import errors

GIVEN = (
    "An Estimator got %s, which is of Keras 3; Estimators are built on legacy Keras (Keras 2). Make it "
    "of the package tf_keras, or call hub_estimator.compat.install() before anything uses tf.keras, "
    "which is legacy Keras then."
)

NOT_FOUND = (
    "Keras 3, the package keras in a release from 3 on, is needed here, and %s. Install it beside "
    "TensorFlow 2.16 or newer: pip install 'keras>=3'. The layer of legacy Keras, which needs none of "
    "it, is hub.keras.legacy.KerasLayer."
)
OTHER_BACKEND = (
    "Keras runs on the backend %r in this process, and modules compute with TensorFlow: their operations "
    "are no part of what %s differentiates. Start the program with KERAS_BACKEND=tensorflow."
)

_ESTIMATOR = "tensorflow_estimator.python.estimator"


def refuse_keras_3() -> None:
    """Makes what takes objects of Keras in `tensorflow_estimator` refuse those of Keras 3.

    Without it they fail later, on whatever of legacy Keras they miss first.
    """
    for module, name in (
        (f"{_ESTIMATOR}.canned.optimizers", "get_optimizer_instance"),
        (f"{_ESTIMATOR}.canned.optimizers", "get_optimizer_instance_v2"),
        (f"{_ESTIMATOR}.head.base_head", "validate_v2_optimizer"),
        (f"{_ESTIMATOR}.keras_lib", "model_to_estimator"),
        (f"{_ESTIMATOR}.model_fn", "_validate_eval_metric_ops"),
    ):
        owner = importlib.import_module(module)
        setattr(owner, name, _guarded(getattr(owner, name)))


def _guarded(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        for value in (*args, *kwargs.values()):
            for inner in value.values() if isinstance(value, dict) else (value,):
                _check(inner)
        return function(*args, **kwargs)

    return guarded


def _check(value: Any) -> None:
    cls = value if isinstance(value, type) else type(value)
    if any(base.__module__.partition(".")[0] == "keras" for base in cls.__mro__):
        raise errors.LegacyKerasError(GIVEN % f"{cls.__module__}.{cls.__qualname__}")


def import_keras_3() -> Any:
    """Returns the package keras, which must be Keras 3.

    Raises:
      errors.KerasNotFoundError: it is not installed, or of another release.
    """
    try:
        keras = importlib.import_module("keras")
    except ImportError as error:
        raise errors.KerasNotFoundError(NOT_FOUND % f"importing it failed: {error}") from error
    if not is_release_3(keras):
        raise errors.KerasNotFoundError(NOT_FOUND % f"this one is keras {keras.__version__}")
    return keras


def keras_3_on_tensorflow() -> Any:
    """Returns Keras 3, which must compute with TensorFlow.

    Raises:
      errors.KerasNotFoundError: see `import_keras_3`.
      errors.KerasBackendError: it computes with another library.
    """
    keras = import_keras_3()
    backend = keras.config.backend()
    if backend != "tensorflow":
        raise errors.KerasBackendError(OTHER_BACKEND % (backend, backend))
    return keras


def is_release_3(keras: Any) -> bool:
    """Whether a module, the package keras or `tf.keras`, is Keras 3."""
    return hasattr(keras, "Operation")


def is_keras_3(value: Any) -> bool:
    """Whether something is a layer or a model of Keras 3; imports nothing."""
    keras = sys.modules.get("keras")
    return keras is not None and is_release_3(keras) and isinstance(value, keras.Layer)


def keras_3_inputs(model: Any) -> Any:
    """Returns the `tf.TypeSpec`s of what a layer of Keras 3 takes, in its structure; None if unknown."""
    keras = import_keras_3()
    taken = getattr(model, "input", None) if getattr(model, "inputs", None) else None
    if taken is not None:
        return tf.nest.map_structure(_named_spec, taken)
    built = model.get_build_config() or {}
    shapes = built.get("shapes_dict") or {"inputs": built.get("input_shape")}
    [shape, *others] = shapes.values()
    if shape is None or others:
        return None
    return keras.tree.map_shape_structure(
        lambda shape: tf.TensorSpec([None, *shape[1:]], model.input_dtype), shape
    )


def keras_tensor_spec(tensor: Any) -> tf.TypeSpec:
    """Returns what a `keras.KerasTensor` stands for."""
    if tensor.sparse:
        return tf.SparseTensorSpec(tensor.shape, tensor.dtype)
    if getattr(tensor, "ragged", False):  # which releases up to 3.8, at least, do not have
        rank, splits = tensor.ragged_rank, tensor.row_splits_dtype
        return tf.RaggedTensorSpec(
            tensor.shape, tensor.dtype, ragged_rank=rank, row_splits_dtype=splits or "int64"
        )
    return tf.TensorSpec(tensor.shape, tensor.dtype)


def _named_spec(tensor: Any) -> tf.TypeSpec:
    spec = keras_tensor_spec(tensor)
    if isinstance(spec, tf.TensorSpec):
        return tf.TensorSpec(spec.shape, spec.dtype, tensor.name.partition(":")[0])
    return spec
