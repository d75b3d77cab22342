"""How training saves checkpoints."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from hub_estimator import compat


def saving_safely(model_fn: Callable[..., Any]) -> Callable[..., Any]:
    """Returns a `model_fn` whose checkpoints are on the disk before older ones are removed.

    A saver that the model itself gives is used as it is. The graph's collection `SAVERS` has the one
    that training uses.
    """

    def saving(
        features: Any, labels: Any, mode: str, params: Any = None, config: Any = None
    ) -> Any:
        spec = model_fn(features, labels, mode, params=params, config=config)
        if mode == "train":
            _add_saver(spec.scaffold, config)
        return spec

    return saving


def _add_saver(scaffold: Any, config: Any) -> None:
    savers = tf.compat.v1.get_collection_ref(tf.compat.v1.GraphKeys.SAVERS)
    if savers:  # each replica of a strategy builds the model
        return
    if scaffold is not None and scaffold.saver is not None:
        savers.append(scaffold.saver)
        return
    # As an Estimator makes its own where there is none.
    savers.append(
        compat.FlushedSaver(
            sharded=True,
            max_to_keep=config.keep_checkpoint_max,
            keep_checkpoint_every_n_hours=config.keep_checkpoint_every_n_hours,
            defer_build=True,
            save_relative_paths=True,
        )
    )
