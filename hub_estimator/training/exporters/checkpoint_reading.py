"""Reading what the records of an export say of its checkpoint."""

from __future__ import annotations

import contextlib

import tensorflow as tf

from hub_estimator import digests, errors, files
from hub_estimator.format.checkpoint import open_checkpoint
from hub_estimator.format.checkpoint_damage import naming_damage
from hub_estimator.format.checkpoint_paths import as_prefix, what_is_there
from hub_estimator.training.exporters.export_records import GLOBAL_STEP, CheckpointRecord


def read_checkpoint(path: str) -> CheckpointRecord:
    """Reads what there is to know of a checkpoint.

    Args:
      path: names the checkpoint; see `as_prefix`.

    Raises:
      errors.ExportError: there is none, or not of an Estimator.
      errors.DamagedCheckpointError: one of its files is damaged.
    """
    prefix = as_prefix(path)
    is_there = files.exists(f"{prefix}.index")
    try:
        with naming_damage(path) if is_there else contextlib.nullcontext():
            step = int(open_checkpoint(prefix).get_tensor(GLOBAL_STEP))
    except errors.DamagedCheckpointError:
        raise
    except (ValueError, tf.errors.OpError) as error:
        raise errors.ExportError(
            f"There is no checkpoint of an Estimator at {path!r}. Give its prefix, for example "
            f"what estimator.latest_checkpoint() returns.{what_is_there(path)}"
        ) from error
    if not is_there:  # TensorFlow's first format has no index
        return CheckpointRecord(path, step, None)
    return CheckpointRecord(prefix, step, digests.of_checkpoint(prefix))
