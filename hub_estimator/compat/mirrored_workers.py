"""What trainings of Estimators lack whose workers, the tasks of a cluster, mirror the variables."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

_MIRRORED = (
    tf.distribute.MultiWorkerMirroredStrategy,
    tf.compat.v1.distribute.experimental.MultiWorkerMirroredStrategy,
)


def takes_saving_listeners(config: Any) -> bool:
    """Whether an Estimator of a `RunConfig` trains with saving listeners; with such workers it refuses."""
    return not (config.cluster_spec and isinstance(config.train_distribute, _MIRRORED))


def adds_up_rows(strategy: tf.distribute.Strategy) -> bool:
    """Whether gradients of some rows of a table can be added up under a strategy, in a session.

    What workers gather from one another is to be of the same size in each step: sessions keep the
    size of the first one.
    """
    return not isinstance(strategy, _MIRRORED) or strategy.num_replicas_in_sync == 1
