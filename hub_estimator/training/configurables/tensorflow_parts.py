"""The parts of TensorFlow that gin files can name."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from hub_estimator import compat
from hub_estimator.training.model import canned_model, heads
from hub_estimator.training.model.estimator_names import HEAD_NAMES


def find(module: str, name: str) -> Any:
    """Returns the function or class of a name.

    Args:
      module: see `table.Family`.
      name: one of its names.
    """
    if module == "tf.estimator":
        return heads.head_maker(name) if name in HEAD_NAMES else canned_model.estimator_class(name)
    places = {
        "hub_estimator": tf.feature_column,
        "tf.distribute": tf.distribute,
        "tf.keras": compat.legacy_keras().optimizers.legacy,
        "tf.metrics": tf.compat.v1.metrics,
        "tf.nn": tf.nn,
        "tf.train": tf.compat.v1.train,
    }
    return getattr(places[module], name)
