"""What TFRecord files hold, as far as their first records tell."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf

from hub_estimator import errors, files
from hub_estimator.training.inputs import data_files, formats, record_framing
from hub_estimator.training.inputs.failures import reason

_SAMPLES = 8
"""How many records of each file are looked at."""

# The member of a `tf.train.Feature` that is set, and the type of its values.
KINDS = {"bytes_list": tf.string, "int64_list": tf.int64, "float_list": tf.float32}


@dataclasses.dataclass(frozen=True)
class RecordFile:
    """One file.

    Attributes:
      path: where it is.
      compression: `"GZIP"`, `"ZLIB"`, or empty without.
      samples: its first records: of each, the feature by key.
    """

    path: str
    compression: str
    samples: Sequence[Mapping[str, Any]]

    def names(self) -> list[str]:
        """Returns the keys of its samples, sorted."""
        return sorted({key for sample in self.samples for key in sample})

    def stored_type(self, key: str) -> tf.DType | None:
        """Returns the type of the values under a key; None where there are none."""
        for sample in self.samples:
            kind = sample[key].WhichOneof("kind") if key in sample else None
            if kind is not None:
                return KINDS[kind]
        return None


def find(patterns: Sequence[str]) -> list[str]:
    """Returns the files that patterns such as `data/train-*.tfrecord` mean, sorted.

    Raises:
      errors.DataFileNotFoundError: a pattern means none.
      errors.DataFileError: a folder cannot be looked into.
    """
    found: set[str] = set()
    for pattern in patterns:
        with data_files.reading("data file", pattern):
            # The name of a file may be that of a pattern too.
            paths = [pattern] if files.exists(pattern) else files.gfile().glob(pattern)
        if not paths:
            raise errors.DataFileNotFoundError(f"There is no data file {pattern!r}.")
        found.update(paths)
    return sorted(found)


def look_into(paths: Sequence[str]) -> list[RecordFile]:
    """Reads the first records of each file.

    Raises:
      errors.LfsPointerError: one is a pointer of Git LFS.
      errors.DataFileError: one is no TFRecord file, is empty, or holds something else than
        `tf.train.Example`s.
    """
    return [
        RecordFile(path, compression, [_parse(path, record) for record in records])
        for path, compression, records in _first_records(paths)
    ]


def compression_of(path: str) -> str:
    """Returns how a file of records is compressed: what `tf.data.TFRecordDataset` calls it.

    Raises:
      errors.LfsPointerError: it is a pointer of Git LFS.
      errors.DataFileError: it cannot be read, or is of another format.
    """
    with data_files.reading("data file", path):
        compression, start = record_framing.opened(path)
        files.check_file(path)
    formats.refuse_other(path, start, formats.RECORDS)
    return compression


def _first_records(paths: Sequence[str]) -> list[tuple[str, str, list[bytes]]]:
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        path_tensor = tf.compat.v1.placeholder(tf.string, [])
        compression_tensor = tf.compat.v1.placeholder(tf.string, [])
        dataset = tf.data.TFRecordDataset(path_tensor, compression_tensor)
        iterator = tf.compat.v1.data.make_initializable_iterator(
            dataset.take(_SAMPLES).batch(_SAMPLES)
        )
        element = iterator.get_next()

        def read(path: str) -> tuple[str, str, list[bytes]]:
            compression = compression_of(path)
            with data_files.reading("data file", path):
                record_framing.check_first(path, _SAMPLES)
            values = {path_tensor: os.fsencode(path), compression_tensor: compression}
            session.run(iterator.initializer, values)
            try:
                return path, compression, session.run(element).tolist()
            except tf.errors.OutOfRangeError:
                raise errors.DataFileError(f"The data file {path!r} has no records.") from None
            except tf.errors.OpError as error:
                raise errors.DataFileError(
                    f"The data file {path!r} is no TFRecord file, or damaged: {reason(error)}."
                ) from error

        return [read(path) for path in paths]


def _parse(path: str, record: bytes) -> Mapping[str, Any]:
    example = tf.train.Example()
    try:
        example.ParseFromString(record)
    except Exception as error:  # that of the protobuf library, which is not imported here
        raise errors.DataFileError(
            f"The records of {path!r} are no tf.train.Examples: {error}."
        ) from error
    return dict(example.features.feature)
