"""Legacy Keras (Keras 2), which `tf.compat.v1.layers`, the heads and the canned Estimators are of.

On TensorFlow 2.16 and newer it is the package tf-keras, whichever Keras `tf.keras` is there.
"""

from __future__ import annotations

import functools
import importlib
import sys
from typing import Any

import tensorflow as tf

from hub_estimator import errors
from hub_estimator.compat.noise import silence_deprecations
from hub_estimator.compat.releases import ships_estimator, tf_version

NOT_INSTALLED = (
    "Estimators and tf.compat.v1.layers need legacy Keras, the package tf-keras, and importing it "
    "failed: %s. Install the release that belongs to this TensorFlow: pip install 'tf-keras==%d.%d.*'."
)

_V1, _V2 = "tf_keras.api._v1.keras", "tf_keras.api._v2.keras"


def legacy_keras() -> Any:
    """Returns legacy Keras, as `tf.keras` was until TensorFlow 2.15.

    Raises:
      errors.LegacyKerasError: tf-keras is not installed, or not for this TensorFlow.
    """
    return tf.keras if ships_estimator() else _module(_V2)


def is_legacy_keras(value: Any) -> bool:
    """Whether something is a layer or a model of legacy Keras; imports nothing."""
    is_loaded = ships_estimator() or "tf_keras" in sys.modules
    return is_loaded and isinstance(value, legacy_keras().layers.Layer)


def legacy_keras_v1() -> Any:
    """Returns legacy Keras as `tf.compat.v1.keras` was; see `legacy_keras`."""
    return tf.compat.v1.keras if ships_estimator() else _module(_V1)


def legacy_layers() -> Any:
    """Returns what `tf.compat.v1.layers` was until TensorFlow 2.15; see `legacy_keras`."""
    silence_deprecations()
    return (
        tf.compat.v1.layers if ships_estimator() else _module(f"{_V1}.__internal__.legacy.layers")
    )


def legacy_rnn_cells() -> Any:
    """Returns what `tf.compat.v1.nn.rnn_cell` was until TensorFlow 2.15; see `legacy_keras`."""
    if ships_estimator():
        return tf.compat.v1.nn.rnn_cell
    return _module(f"{_V1}.__internal__.legacy.rnn_cell")


@functools.cache
def _module(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        release = tf_version()
        raise errors.LegacyKerasError(NOT_INSTALLED % (error, *release[:2])) from error
