"""Which trainings of Estimators take saving listeners."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

_WITHOUT = (
    tf.distribute.MultiWorkerMirroredStrategy,
    tf.compat.v1.distribute.experimental.MultiWorkerMirroredStrategy,
)


def takes_saving_listeners(config: Any) -> bool:
    """Whether an Estimator of a `RunConfig` trains with saving listeners.

    In a cluster whose workers mirror the variables it refuses them.
    """
    return not (config.cluster_spec and isinstance(config.train_distribute, _WITHOUT))
