"""Which file of records is the damaged one: TensorFlow's error of the step does not say it.

Inputs note in the graph which files it reads; after an error those are read again to find out.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

_logger = logging.getLogger("hub_estimator")

# No text: collections with such a name are written into checkpoints.
_FILES = ("hub_estimator", "files of records")


def note_files(paths: Sequence[str], compressions: Sequence[str]) -> None:
    """Notes the files that the default graph reads records from.

    Args:
      paths: the files.
      compressions: of each what `tf.data.TFRecordDataset` calls its compression.
    """
    for file in zip(paths, compressions, strict=True):
        tf.compat.v1.add_to_collection(_FILES, file)


def damaged_file(error: tf.errors.OpError) -> tuple[str, tf.errors.OpError] | None:
    """Reads the files again that a graph reads records from, until one is damaged.

    Args:
      error: of a step of that graph.

    Returns:
      The path of the first damaged one and its error; None where it cannot be known.
    """
    if error.op is None:
        return None
    files = dict.fromkeys(error.op.graph.get_collection(_FILES))
    if files:
        _logger.info("Looking for the damaged file of records among %d.", len(files))
    for path, compression in files:
        found = _error_of(path, compression)
        if found is not None:
            return path, found
    return None


def _error_of(path: str, compression: str) -> tf.errors.OpError | None:
    """Reads a file to its end; returns the error of one that is damaged."""
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        records = tf.data.TFRecordDataset(os.fsencode(path), compression)
        count: Any = records.reduce(np.int64(0), lambda number, _: number + 1)
        try:
            session.run(count)
        except tf.errors.DataLossError as error:
            return error
        except tf.errors.OpError:
            return None  # it is gone, for example: not what the step met
    return None
