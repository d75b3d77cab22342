"""Examples from TFRecord files of `tf.train.Example`s."""

from __future__ import annotations

import copy
import functools
import io
import os
from collections.abc import Collection, Sequence
from typing import Any, cast

import numpy as np
import tensorflow as tf
from google.protobuf.message import DecodeError

from hub_estimator import errors, files, texts
from hub_estimator.training import checks, images, kept, parsing, step_checks
from hub_estimator.training.example_spec import ExampleSpec, Labels
from hub_estimator.training.inputs import (
    damaged_records,
    encoded_images,
    image_headers,
    parts,
    record_files,
    record_framing,
)
from hub_estimator.training.inputs.base import Share, check_spec
from hub_estimator.training.inputs.batches import elements
from hub_estimator.training.inputs.failures import plain
from hub_estimator.training.inputs.parts import Part
from hub_estimator.training.inputs.record_files import RecordFile
from hub_estimator.training.inputs.streams import (
    Batch,
    LabelKeys,
    Streamed,
    label_parser,
)
from hub_estimator.training.labels.label_spec import LabelSpec

_READ_AT_ONCE = 8
"""Of how many files training mixes the records."""
_LOOKED_AT_ONCE = 64
"""How many records are told apart at once, where a fraction is held out."""


class Records(Streamed):
    """TFRecord files of `tf.train.Example`s, read in parallel.

    Each feature is under its own name, as `parsing.parsing_spec` says: texts as bytes, numbers as
    they are, images as the bytes of their files. Labels are numbers, or the names of classes; of a
    head that takes any of several classes, a list of them.

    Args:
      path: the files: a path, a pattern such as `train-*.tfrecord`, or a list of these. They may be
        compressed with gzip. Of an `Experiment.eval_input` also a fraction of the training data, such
        as 0.1.
      label: the key of the labels; of several heads, a dict by their names.
      batch_size: `B`, the number of examples in a step.
      shuffle_buffer: how many examples training holds to choose the next one from; the files come in
        another order in each epoch too.
      deterministic: whether the batch of a step depends on the seed and the step alone. Training
        that goes on then reads again what it has seen, without parsing it. If not, examples come in
        the order in which they are ready, and training that goes on begins a new epoch.
      class_names: the names of the classes in the order of their numbers, where labels are names and
        the head has no vocabulary.
      split_by: where a fraction of it is held out: the key, or the keys, by which examples stay
        together, such as their author; None is all keys but those of labels.

    Raises:
      errors.InvalidSettingError: a setting is of another type or size.
    """

    def __init__(
        self,
        path: files.PathLike | Sequence[files.PathLike] | float,
        label: LabelKeys = "label",
        batch_size: int = 128,
        shuffle_buffer: int = 10_000,
        deterministic: bool = True,
        class_names: Sequence[str] | None = None,
        split_by: str | Sequence[str] | None = None,
    ) -> None:
        super().__init__(label, batch_size, shuffle_buffer, deterministic, class_names)
        paths: Sequence[Any] = path if isinstance(path, (list, tuple)) and path else [path]
        if len(paths) > 1:
            for pattern in paths:
                checks.path("Records.path", pattern)
        found = [parts.path_or_fraction("Records.path", pattern) for pattern in paths]
        self._patterns = [pattern for pattern, _ in found]
        self.fraction = found[0][1]
        listed = [split_by] if isinstance(split_by, str) else split_by or ()
        for key in listed:
            checks.text("Records.split_by", key)
        self._split_by = tuple(listed)
        self._part: Part | None = None

    @property
    def feature_names(self) -> list[str]:
        """The keys in the first records of all files, but for those of labels."""
        labels = [self._label] if isinstance(self._label, str) else self._label.values()
        return sorted({key for file in self._files for key in file.names()} - set(labels))

    @property
    def paths(self) -> Sequence[str]:
        """The files."""
        return [file.path for file in self._files]

    @property
    def num_examples(self) -> None:
        """None: counting them means reading them all."""
        return None

    @functools.cached_property
    def _files(self) -> list[RecordFile]:
        return record_files.look_into(record_files.find(self._patterns))

    def divided(self, fraction: float, batch_size: int | None = None) -> tuple[Records, Records]:
        """Returns what is left to train on, and what is held out; see `InMemory.divided`."""
        train, held_out = copy.copy(self), copy.copy(self)
        for other, is_held_out in ((train, False), (held_out, True)):
            other._part = Part(fraction, is_held_out)
        other = held_out
        other._batch_size = batch_size or self._batch_size
        return train, held_out

    def check(self, spec: ExampleSpec) -> None:
        """Reads the first records of each file.

        Args:
          spec: what the model takes.

        Raises:
          errors.DataFileNotFoundError: there is no such file.
          errors.DataFileError: a file is damaged, or its records are not as the model takes them.
          errors.ColumnNotFoundError: the records have no labels.
        """
        check_spec(self, spec)
        parsers = parsing.parsing_spec(spec)
        keys = self._keys(spec.labels)
        for file in self._files:
            for name, parser in parsers.items():
                _check_feature(file, name, parser, parsing.is_image(spec.features[name]))
            for key, wanted in keys.items():
                _check_label(file, key, wanted)
        if self._part is not None:
            self._check_part(self._part, spec)

    def _check_part(self, part: Part, spec: ExampleSpec) -> None:
        """Checks that a part has examples; reads until there is one."""
        with tf.Graph().as_default():
            first = elements(self._one_epoch(spec, None, Share(), None, None).take(1))
            shown = texts.shown_names([file.path for file in self._files])
            part.check_not_empty(next(first, None) is not None, shown)

    def _one_epoch(
        self,
        spec: ExampleSpec,
        labels: Labels | None,
        share: Share,
        seed: int | None,
        path: files.PathLike | None,
        keep: Sequence[str] = (),
    ) -> tf.data.Dataset:
        paths = (
            [file.path for file in self._files]
            if path is None
            else record_files.find([files.as_path(path)])
        )
        _check_kept(
            self._files if path is None or not keep else record_files.look_into(paths), keep
        )
        compressions = [record_files.compression_of(file_path) for file_path in paths]
        damaged_records.note_files(paths, compressions)
        sources = tf.data.Dataset.from_tensor_slices((list(map(os.fsencode, paths)), compressions))
        by_file = len(paths) >= share.count
        if by_file:
            sources = sources.shard(share.count, share.index)
        if seed is None:
            examples = sources.flat_map(plain(_records))
        else:
            examples = sources.shuffle(len(paths), seed=seed).interleave(
                plain(_records),
                cycle_length=min(_READ_AT_ONCE, len(paths)),
                num_parallel_calls=tf.data.AUTOTUNE,
                deterministic=self._deterministic,
            )
        examples = examples if by_file else examples.shard(share.count, share.index)
        return examples if path is not None or self._part is None else self._of_part(examples)

    def _of_part(self, examples: tf.data.Dataset) -> tf.data.Dataset:
        """Returns the records of the part that this input is."""
        part = cast(Part, self._part)
        labels = [self._label] if isinstance(self._label, str) else self._label.values()

        def has(records: np.ndarray) -> np.ndarray:
            found = [_place(record, self._split_by, labels) for record in records]
            return part.has(np.array(found))

        def chosen(places: tf.Tensor, records: tf.Tensor) -> tf.data.Dataset:
            is_in = tf.numpy_function(has, [records], tf.bool)
            is_in.set_shape([None])
            of_part = tf.boolean_mask(places, is_in), tf.boolean_mask(records, is_in)
            return tf.data.Dataset.from_tensor_slices(of_part)

        return examples.batch(_LOOKED_AT_ONCE).flat_map(plain(chosen))

    def _convert(
        self, spec: ExampleSpec, labels: Labels | None, keep: Sequence[str], *batch: Any
    ) -> Batch:
        places, records = batch
        parsers = parsing.parsing_spec(spec)
        keys = {} if labels is None else self._keys(labels)
        for key, wanted in keys.items():
            stored = self._files[0].stored_type(key) or tf.int64
            parsers[key] = label_parser(wanted, stored)
        parsed = tf.io.parse_example(records, parsers)
        where = tf.strings.join(["a record of ", places])
        encoded = {
            name: parsed[name]
            for name, feature in spec.features.items()
            if parsing.is_image(feature)
        }
        decodable, refused = encoded_images.checked(encoded, where)
        return Batch(
            parsing.convert({**parsed, **decodable}, spec.features),
            {key: _dense(parsed[key]) for key in keys},
            where,
            refused,
            _kept(records, keep),
        )

    def _message(self, *example: Any) -> tf.Tensor:
        wrong = (
            " is not as the model takes it: a feature or a label is missing, of another type or "
            "length, or an image that cannot be decoded."
        )
        return tf.strings.join(["A record of ", example[0], wrong])


def _place(record: bytes, keys: Collection[str], labels: Collection[str]) -> float:
    """Returns where a record falls where a fraction is held out.

    Args:
      record: a serialized `tf.train.Example`; one that is none falls somewhere.
      keys: the keys to go by; none is all but those of labels.
      labels: the keys of labels.
    """
    example = tf.train.Example()
    try:
        example.ParseFromString(record)
    except DecodeError:  # reading the record says so, and where it is
        return parts.place(record)
    features = example.features.feature
    chosen = keys or [key for key in sorted(features) if key not in labels]
    return parts.place(*([key, _values(features[key])] for key in chosen))


def _values(feature: Any) -> list[Any]:
    kind = feature.WhichOneof("kind")
    return [] if kind is None else list(getattr(feature, kind).value)


def _dense(labels: Any) -> Any:
    """Returns rows of any length as `[B, T]`, and which of their places are filled."""
    if not isinstance(labels, tf.RaggedTensor):
        return labels
    return labels.to_tensor(), tf.sequence_mask(labels.row_lengths())


def _records(path: tf.Tensor, compression: tf.Tensor) -> tf.data.Dataset:
    """Returns what messages call a file, and each record of it; checks the lengths of these first."""
    place = step_checks.shown_path(path)
    problem = tf.numpy_function(_problem, [path], tf.string)
    is_right = step_checks.fail_unless(tf.equal(problem, ""), errors.DataFileError, lambda: problem)
    with tf.control_dependencies([is_right]):
        records = tf.data.TFRecordDataset(tf.identity(path), compression)
    return records.map(plain(lambda record: (place, record)))


def _problem(path: bytes) -> bytes:
    try:
        record_framing.check_all(os.fsdecode(path))
    except errors.Error as error:
        return str(error).encode("utf-8", "backslashreplace")
    except OSError:  # TensorFlow reads it next, and says so itself
        pass
    return b""


def _kept(records: tf.Tensor, keep: Sequence[str]) -> dict[str, tf.Tensor]:
    """Returns what is kept of records: one value, or a list; None of what a record lacks."""

    def columns(records: np.ndarray) -> list[np.ndarray]:
        features = [tf.train.Example.FromString(record).features.feature for record in records]
        return [kept.column(name, [_kept_value(each, name) for each in features]) for name in keep]

    tensors = tf.numpy_function(columns, [records], [tf.string] * len(keep)) if keep else []
    for tensor in tensors:
        tensor.set_shape([None])
    return {kept.feature(name): tensor for name, tensor in zip(keep, tensors, strict=True)}


def _kept_value(features: Any, name: str) -> Any:
    values = _values(features[name]) if name in features else []
    if values and features[name].WhichOneof("kind") == "float_list":
        values = [np.float32(value) for value in values]
    return values if len(values) > 1 else next(iter(values), None)


def _check_kept(files_of_records: Sequence[RecordFile], keep: Sequence[str]) -> None:
    for name in keep:
        for file in files_of_records:
            if name not in file.names():
                raise errors.ColumnNotFoundError(
                    f"The records of {file.path!r} have no {name!r} to keep. They have: "
                    f"{texts.shown_names(file.names())}."
                )


def _check_feature(file: RecordFile, name: str, parser: Any, is_image: bool) -> None:
    for sample in file.samples:
        fixed = isinstance(parser, tf.io.FixedLenFeature)
        kind = sample[name].WhichOneof("kind") if name in sample else None
        if kind is None:
            if not fixed:
                continue
            raise errors.DataFileError(
                f"A record of {file.path!r} has no feature {name!r}. It has: "
                f"{texts.shown_names(sorted(sample))}."
            )
        values = getattr(sample[name], kind).value
        if record_files.KINDS[kind] != parser.dtype:
            raise errors.DataFileError(
                f"The feature {name!r} of the records of {file.path!r} is a {kind}, but the model "
                f"takes {'images, the bytes of their files' if is_image else parser.dtype.name}."
            )
        size = tf.TensorShape(parser.shape).num_elements() if fixed else None
        if size is not None and len(values) != size:
            raise errors.DataFileError(
                f"The feature {name!r} has {len(values)} values in a record of {file.path!r}, the "
                f"model takes {size}."
            )
        if is_image and images.image_format(values[0]) is None:
            raise errors.DataFileError(
                f"The feature {name!r} of a record of {file.path!r} is no PNG, JPEG, BMP or GIF "
                "image, which the model takes."
            )
        problem = image_headers.problem(io.BytesIO(values[0])) if is_image else ""
        if problem:
            raise errors.DataFileError(
                f"The image {name!r} in a record of {file.path!r} {problem}."
            )


def _check_label(file: RecordFile, key: str, spec: LabelSpec) -> None:
    stored = file.stored_type(key)
    if stored is None:
        raise errors.ColumnNotFoundError(
            f"The records of {file.path!r} have no label {key!r}. They have: "
            f"{texts.shown_names(file.names())}."
        )
    wanted = spec.wanted_instead_in_records(stored)
    if wanted:
        [kind] = [kind for kind, dtype in record_files.KINDS.items() if dtype == stored]
        raise errors.DataFileError(
            f"The label {key!r} of the records of {file.path!r} is a {kind}, but the model takes "
            f"{wanted}."
        )
