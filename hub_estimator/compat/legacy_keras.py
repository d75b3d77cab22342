"""Legacy Keras (Keras 2), which `tf.compat.v1.layers`, the heads and the canned Estimators need."""

from __future__ import annotations

import importlib
import os
from types import ModuleType
from typing import Any, NoReturn

import tensorflow as tf

from hub_estimator import errors
from hub_estimator.compat.noise import silence_deprecations
from hub_estimator.compat.releases import ships_estimator, tf_version

KERAS_3_IN_USE = (
    "%s needs legacy Keras (Keras 2, the package tf-keras), but this process uses Keras 3: "
    "TF_USE_LEGACY_KERAS is %s. Set the environment variable TF_USE_LEGACY_KERAS=1 before the "
    "program starts, or import hub_estimator before anything uses Keras."
)
NOT_INSTALLED = (
    "%s needs legacy Keras, the package tf-keras, and importing it failed: %s. Install the release "
    "that belongs to this TensorFlow: pip install 'tf-keras==%d.%d.*'."
)


def legacy_layers() -> Any:
    """Returns `tf.compat.v1.layers`, checked to work.

    Raises:
      errors.LegacyKerasError: this process uses Keras 3, or tf-keras is not installed.
    """
    require_legacy_keras("tf.compat.v1.layers")
    return tf.compat.v1.layers


def require_legacy_keras(what: str) -> None:
    """Checks that TensorFlow uses legacy Keras.

    Args:
      what: what needs it, for the message.

    Raises:
      errors.LegacyKerasError: this process uses Keras 3, or tf-keras is not installed.
    """
    silence_deprecations()
    if not (ships_estimator() or is_legacy_keras_in_use()):
        _explain(what)


def _explain(what: str) -> NoReturn:
    choice = os.environ.get("TF_USE_LEGACY_KERAS")
    if choice in ("1", "true", "True"):  # the values that TensorFlow takes for a yes
        try:
            importlib.import_module("tf_keras")
        except ImportError as error:
            release = tf_version()
            raise errors.LegacyKerasError(NOT_INSTALLED % (what, error, *release[:2])) from error
    raise errors.LegacyKerasError(
        KERAS_3_IN_USE % (what, "not set" if choice is None else repr(choice))
    )


def is_legacy_keras_in_use() -> bool:
    """Whether both `tf.keras` and `tf.compat.v1.layers` are those of Keras 2."""
    try:
        return hasattr(tf.compat.v1.layers, "dense") and hasattr(tf.keras.layers, "DenseFeatures")
    except ImportError:  # no Keras, or the stand-in below
        return False


class MissingLayers(ModuleType):
    """Takes the place of `tf.compat.v1.layers` where Keras 3 is in use; each use says so."""

    def __init__(self) -> None:
        super().__init__("tensorflow.compat.v1.layers")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        _explain(f"tf.compat.v1.layers.{name}")
