"""Examples from the catalogue of `tensorflow_datasets`, an optional extra."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NoReturn

import numpy as np
import tensorflow as tf

from hub_estimator import errors, files, texts
from hub_estimator.training import checks, images, kept, parsing
from hub_estimator.training.example_spec import ExampleSpec, Labels
from hub_estimator.training.inputs import encoded_images, tfds_files, tfds_trust
from hub_estimator.training.inputs.base import Share, check_spec
from hub_estimator.training.inputs.failures import plain
from hub_estimator.training.inputs.streams import Batch, LabelKeys, Streamed
from hub_estimator.training.labels.label_spec import LabelSpec


class TfdsInput(Streamed):
    """A split of a dataset of `tensorflow_datasets`; needs the extra `tfds`.

    Args:
      name: the dataset, such as `imdb_reviews` or `imdb_reviews/plain_text:1.0.0`, or the folder of
        one that was prepared.
      split: the examples of it, such as `train` or `train[:80%]`.
      features: the dataset's feature of each feature by its name; None is the one of the same name.
      label: the dataset's feature with the labels; of several heads, a dict by their names.
      data_dir: the folder of prepared datasets; None is that of `tensorflow_datasets`.
      download: whether to download and prepare a dataset that is not there.
      batch_size: `B`, the number of examples in a step.
      shuffle_buffer: how many examples training holds to choose the next one from; the files come in
        another order in each epoch too.
      deterministic: whether the batch of a step depends on the seed and the step alone. Training
        that goes on then reads again what it has seen. If not, training that goes on begins a new
        epoch.
      class_names: the names of the classes in the order of their numbers; None is those of the
        dataset.

    Raises:
      errors.InvalidSettingError: a setting is of another type or size.
    """

    def __init__(
        self,
        name: str,
        split: str = "train",
        features: Mapping[str, str] | None = None,
        label: LabelKeys = "label",
        data_dir: files.PathLike | None = None,
        download: bool = False,
        batch_size: int = 128,
        shuffle_buffer: int = 10_000,
        deterministic: bool = True,
        class_names: Sequence[str] | None = None,
    ) -> None:
        super().__init__(label, batch_size, shuffle_buffer, deterministic, class_names)
        checks.text("TfdsInput.name", name)
        checks.text("TfdsInput.split", split)
        if features is not None and not isinstance(features, Mapping):
            raise errors.InvalidSettingError(
                f"TfdsInput.features is {features!r}; give it a dict, as in {{'text': 'review'}}."
            )
        self._name = name
        self._split = split
        self._features = None if features is None else dict(features)
        self._data_dir = None if data_dir is None else files.as_path(data_dir)
        self._download = download

    @property
    def feature_names(self) -> list[str]:
        """The names of the features; opens the dataset."""
        if self._features is not None:
            return sorted(self._features)
        labels = [self._label] if isinstance(self._label, str) else self._label.values()
        return sorted(set(self._builder.info.features) - set(labels))

    @property
    def paths(self) -> Sequence[str]:
        """The folder of the dataset; opens it."""
        return (str(self._builder.data_dir),)

    @property
    def num_examples(self) -> int:
        """The number of examples of the split; opens the dataset."""
        return int(self._builder.info.splits[self._split].num_examples)

    @property
    def class_names(self) -> tuple[str, ...] | None:
        """The names of the classes, given or of the dataset; opens the dataset."""
        if self._class_names is not None or not isinstance(self._label, str):
            return self._class_names
        feature = dict(self._builder.info.features).get(self._label)
        feature = getattr(feature, "feature", feature)  # the elements of a sequence
        names = getattr(feature, "names", None)
        return None if names is None else tuple(names)

    @functools.cached_property
    def _builder(self) -> Any:
        return _open(self._name, self._split, self._data_dir, self._download)

    def divided(self, fraction: float, batch_size: int | None = None) -> NoReturn:
        """Refuses to hold a fraction out: `split` says it better.

        Raises:
          errors.PartsMismatchError: always.
        """
        del batch_size
        rest = f"{100 * (1 - fraction):g}%"
        raise errors.PartsMismatchError(
            f"Experiment.eval_input is the fraction {fraction:g} of the dataset {self._name!r}. Give it "
            f"a TfdsInput of its own: TfdsInput.split = '{self._split}[:{rest}]' to train on, and "
            f"'{self._split}[{rest}:]' to evaluate on."
        )

    def check(self, spec: ExampleSpec) -> None:
        """Opens the dataset and compares its features with what the model takes.

        Args:
          spec: what the model takes.

        Raises:
          errors.MissingExtraError: `tensorflow_datasets` is not installed.
          errors.DataFileNotFoundError: there is no such dataset, or it was not prepared.
          errors.DataFileError: it has no such split, or features of another type.
          errors.ColumnNotFoundError: it has no such feature.
        """
        check_spec(self, spec)
        keys = [*map(self._key, spec.features), *self._keys(spec.labels)]
        _check_keys(self._name, self._builder, keys)
        with tf.Graph().as_default():
            (features, labels), _ = self._one_epoch(
                spec, spec.labels, Share(), None, None
            ).element_spec
        for name, feature in spec.features.items():
            _check_feature(self._name, self._key(name), features[name], feature)
        for key, wanted in self._keys(spec.labels).items():
            stored, *_ = tf.nest.flatten(labels[key])  # of any length, also which of them are there
            _check_label(self._name, key, stored.dtype, wanted)

    def _key(self, feature: str) -> str:
        return feature if self._features is None else self._features[feature]

    def _one_epoch(
        self,
        spec: ExampleSpec,
        labels: Labels | None,
        share: Share,
        seed: int | None,
        path: files.PathLike | None,
        keep: Sequence[str] = (),
    ) -> tf.data.Dataset:
        tfds = _library()
        builder = self._builder
        if path is not None:
            name = files.as_path(path)
            builder = _open(name, self._split, None, False)
            _check_keys(name, builder, map(self._key, spec.features))
        _check_kept(self._name if path is None else files.as_path(path), builder, keep)
        undecoded = {
            self._key(name): tfds.decode.SkipDecoding()
            for name in spec.features
            if isinstance(builder.info.features[self._key(name)], tfds.features.Image)
        }
        config = tfds.ReadConfig(
            shuffle_seed=seed,
            shuffle_reshuffle_each_iteration=True,
            try_autocache=False,
            enable_ordering_guard=False,  # training shuffles ordered datasets too
        )
        examples = builder.as_dataset(
            split=self._split,
            shuffle_files=seed is not None,
            decoders=undecoded,
            read_config=config,
        )
        keys = {} if labels is None else self._keys(labels)

        def choose(example: Mapping[str, tf.Tensor]) -> Any:
            stored = {
                key: _with_mask(example[key]) if wanted.stored_shape is None else example[key]
                for key, wanted in keys.items()
            }
            of_model = {name: example[self._key(name)] for name in spec.features}
            to_keep = {kept.feature(name): example[name] for name in keep}
            return ({**of_model, **to_keep}, stored), ""

        return examples.shard(share.count, share.index).map(plain(choose))

    def _batched(self, examples: tf.data.Dataset) -> tf.data.Dataset:
        return examples.padded_batch(self._batch_size)

    def _convert(
        self, spec: ExampleSpec, labels: Labels | None, keep: Sequence[str], *batch: Any
    ) -> Batch:
        (stored, stored_labels), empty = batch
        where = tf.strings.join([f"the dataset {self._name!r}", empty])
        encoded = {
            name: stored[name]
            for name, feature in spec.features.items()
            if parsing.is_image(feature) and stored[name].dtype == tf.string
        }
        decodable, refused = encoded_images.checked(encoded, where)
        features = {
            name: _converted(decodable.get(name, stored[name]), feature)
            for name, feature in spec.features.items()
        }
        to_keep = {name: stored[kept.feature(name)] for name in keep}
        return Batch(features, stored_labels, where, refused, _kept(to_keep))

    def _message(self, *example: Any) -> tf.Tensor:
        del example
        return tf.constant(
            f"An example of the dataset {self._name!r} is not as the model takes it: a feature has "
            "another length, or is an image that cannot be decoded."
        )


def _library() -> Any:
    try:
        import tensorflow_datasets
    except ImportError as error:
        raise errors.MissingExtraError(
            "TfdsInput needs tensorflow-datasets: pip install 'hub_estimator[tfds]'."
        ) from error
    return tensorflow_datasets


def _open(name: str, split: str, data_dir: str | None, download: bool) -> Any:
    """Returns the builder of a dataset that is prepared and has the split."""
    tfds = _library()
    if files.is_folder(name):
        tfds_trust.check_folder(name)
        builder = _from_folder(tfds, name)
    else:
        tfds_trust.check_name(name)
        if data_dir is not None:
            tfds_trust.check_prepared(data_dir, name)
        try:
            builder = tfds.builder(name, data_dir=data_dir)
        except tfds.core.DatasetNotFoundError as error:
            raise errors.DataFileNotFoundError(
                f"There is no dataset {name!r}, neither in the catalogue of tensorflow_datasets nor "
                f"prepared in {data_dir or 'its folder'!r}."
            ) from error
        if download:
            builder.download_and_prepare()
    if not builder.info.splits:
        raise errors.DataFileNotFoundError(
            f"The dataset {name!r} is not prepared in {builder.data_dir!r}. Set TfdsInput.download "
            "= True, or TfdsInput.data_dir to where it is."
        )
    try:
        shards = builder.info.splits[split].file_instructions
    except (KeyError, ValueError) as error:
        raise errors.DataFileError(
            f"The dataset {name!r} has no split {split!r}. It has: "
            f"{texts.shown_names(list(builder.info.splits))}."
        ) from error
    if builder.info.file_format == tfds.core.FileFormat.TFRECORD:
        tfds_files.check_shards([shard.filename for shard in shards])
    return builder


def _from_folder(tfds: Any, folder: str) -> Any:
    try:
        return tfds.builder_from_directory(folder)
    except Exception as error:  # whatever its reading of a damaged folder raises
        raise errors.DataFileError(
            f"The folder {folder!r} is no dataset that tensorflow_datasets can open: {error}."
        ) from error


def _check_keys(dataset: str, builder: Any, keys: Iterable[str]) -> None:
    there = builder.info.features
    for key in keys:
        if key not in there:
            raise errors.ColumnNotFoundError(
                f"The dataset {dataset!r} has no feature {key!r}. It has: "
                f"{texts.shown_names(sorted(there))}."
            )


def _check_kept(dataset: str, builder: Any, keep: Sequence[str]) -> None:
    """Checks that what is to be kept is one value of each example."""
    there = builder.info.features
    single = [name for name in sorted(there) if getattr(there[name], "shape", None) == ()]
    for name in keep:
        if name not in single:
            raise errors.ColumnNotFoundError(
                f"The dataset {dataset!r} has no feature {name!r} of one value to keep. It has: "
                f"{texts.shown_names(single)}."
            )


def _kept(values: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    """Returns what is kept of a batch, of its values `[B]`."""
    encoded = {}
    for name, tensor in values.items():

        def encode(column: np.ndarray, name: str = name) -> np.ndarray:
            return kept.column(name, list(column))

        encoded[kept.feature(name)] = tf.numpy_function(encode, [tensor], tf.string)
        encoded[kept.feature(name)].set_shape([None])
    return encoded


def _check_feature(dataset: str, key: str, stored: Any, spec: tf.TensorSpec) -> None:
    taken_as_text = spec.dtype == tf.string or (parsing.is_image(spec) and stored.shape.rank == 0)
    if (stored.dtype == tf.string) != taken_as_text:
        raise errors.DataFileError(
            f"The feature {key!r} of the dataset {dataset!r} is {stored.dtype.name} of shape "
            f"{stored.shape}, but the model takes {spec.dtype.name} of shape {spec.shape}."
        )
    if parsing.is_image(spec):
        parsing.image_size(key, spec)


def _check_label(dataset: str, key: str, stored: tf.DType, spec: LabelSpec) -> None:
    wanted = spec.wanted_instead(stored)
    if wanted:
        raise errors.DataFileError(
            f"The label {key!r} of the dataset {dataset!r} is {stored.name}, but the model takes "
            f"{wanted}."
        )


def _with_mask(values: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns a row of any length, and what will tell it from what it is filled up with."""
    return values, tf.ones_like(values, tf.bool)


def _converted(stored: tf.Tensor, spec: tf.TensorSpec) -> tf.Tensor:
    sizes = spec.shape[1:].as_list()
    if parsing.is_image(spec):
        if stored.dtype == tf.string:
            stored = images.decode(stored, *sizes)
        elif stored.dtype == tf.uint8:
            stored = images.resize(stored, *sizes[:2])
    elif len(sizes) == 1 and stored.shape.rank == 1:
        stored = stored[:, tf.newaxis]
    return tf.ensure_shape(tf.cast(stored, spec.dtype), [None, *sizes])
