"""An Estimator's model in a graph for prediction: what is exported, and what reports look at."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tensorflow as tf


def build_for_prediction(estimator: Any, features: Mapping[str, Any]) -> Any:
    """Builds the model of an Estimator for prediction in the default graph.

    Args:
      estimator: the Estimator.
      features: tensors by feature name, with `B` as their first dimension.

    Returns:
      The `tf.estimator.EstimatorSpec`.
    """
    tf.compat.v1.train.create_global_step()
    tf.compat.v1.set_random_seed(estimator.config.tf_random_seed)
    return estimator.model_fn(features=features, labels=None, mode="infer", config=estimator.config)
