"""Examples from a folder of images, in which each class has a folder."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from hub_estimator import errors, files
from hub_estimator.digests import Digest
from hub_estimator.training import checks, images, kept, parsing, step_checks
from hub_estimator.training.example_spec import ExampleSpec, Labels
from hub_estimator.training.inputs import image_listing, parts
from hub_estimator.training.inputs.failures import map_batches, plain
from hub_estimator.training.inputs.memory import Examples, InMemory
from hub_estimator.training.inputs.values import Column
from hub_estimator.training.labels.class_counts import UNKNOWN, Classes
from hub_estimator.training.labels.label_spec import LabelSpec
from hub_estimator.training.labels.one_class import OneClass

_PATH = "path"
"""What the file of each image is kept under."""


class ImageFolder(InMemory):
    """A folder of images by class: `<path>/<class>/<name>.png`, also JPEG, BMP and GIF.

    Images are decoded when they are needed, in parallel, and resized to what the model takes.

    Args:
      path: the folder; of an `Experiment.eval_input` also a fraction of the training data, such as
        0.1. Images are held out by their contents, so that equal ones are on one side.
      feature: the name of the feature.
      batch_size: `B`, the number of examples in a step.
      classes: the names of the classes in the order of their numbers; None is the names of the
        folders in alphabetic order.
      augment: how training changes each image by chance, for example `Augmentation()`: called with
        uint8 `[H, W, C]` and a seed `[2]`, it returns float32 `[H', W', C]` of 0 to 255.

    Raises:
      errors.InvalidSettingError: a setting is of another type or size.
    """

    _is_tuned = True

    def __init__(
        self,
        path: files.PathLike | float,
        feature: str = "image",
        batch_size: int = 32,
        classes: Sequence[str] | None = None,
        augment: Callable[[tf.Tensor, tf.Tensor], tf.Tensor] | None = None,
    ) -> None:
        super().__init__(batch_size)
        checks.text("ImageFolder.feature", feature)
        if classes is not None:
            checks.listed("ImageFolder.classes", classes, "['cat', 'dog']")
        if augment is not None:
            checks.part("ImageFolder.augment", augment, "@Augmentation()", "__call__")
        self.path, self.fraction = parts.path_or_fraction("ImageFolder.path", path)
        self._feature = feature
        self._classes = None if classes is None else tuple(map(str, classes))
        self._augment = augment

    @property
    def feature_names(self) -> list[str]:
        """The name of the one feature."""
        return [self._feature]

    @property
    def paths(self) -> Sequence[str]:
        """The folder."""
        return (self.path,)

    @property
    def is_augmented(self) -> bool:
        """Whether training changes the images by chance."""
        return self._augment is not None

    @property
    def always_kept(self) -> tuple[str, ...]:
        """The path of each image's file."""
        return (_PATH,)

    @property
    def num_examples(self) -> int:
        """The number of images; lists the folders."""
        return len(self._listed.paths)

    @property
    def class_names(self) -> tuple[str, ...]:
        """The names of the classes, in the order of their numbers; lists the folders."""
        return self._listed.classes

    def _count_classes(self, labels: Labels) -> dict[str, Classes]:
        if not isinstance(labels, OneClass):
            raise _no_classes()
        if labels.size != UNKNOWN:
            self._labels(labels)  # refuses other classes
        there = self.class_names
        counts = np.bincount(self._listed.labels, minlength=len(there)).tolist()
        by_name = dict(zip(there, counts, strict=True))
        names = labels.class_names or there
        return {"": Classes(len(names), names, tuple(by_name.get(name, 0) for name in names))}

    @property
    def _name(self) -> str:
        return repr(self.path)

    @property
    def _listed(self) -> image_listing.Listing:
        return self._whole_listing if self._part is None else self._listing_of_part

    @functools.cached_property
    def _whole_listing(self) -> image_listing.Listing:
        return image_listing.by_class(self.path, self._classes)

    @functools.cached_property
    def _listing_of_part(self) -> image_listing.Listing:
        other = self._whole
        assert isinstance(other, ImageFolder) and self._part is not None
        rows = np.flatnonzero(self._part.has(other._places))
        self._part.check_not_empty(rows.size > 0, self._name)
        return other._whole_listing.chosen(rows)

    @functools.cached_property
    def _places(self) -> np.ndarray:
        """Where each image falls, where a fraction is held out."""
        return np.array([parts.place_of_file(path) for path in self._whole_listing.paths])

    def _read(
        self,
        spec: ExampleSpec,
        labels: Labels | None,
        path: files.PathLike | None,
        keep: Sequence[str] = (),
    ) -> Examples:
        for name in keep:
            if name != _PATH:
                raise errors.ColumnNotFoundError(
                    f"A folder of images has no column {name!r} to keep, only {_PATH!r}, the file of "
                    "each image, which is always there."
                )
        for name, feature in spec.features.items():
            _check_image(name, feature)
        if labels is None and path is not None:
            paths = image_listing.all_images(files.as_path(path))
        else:
            paths = self._listed.paths
        image_listing.check_headers(paths)
        column = np.array([os.fsencode(image_path) for image_path in paths], object)
        return Examples(
            dict.fromkeys(spec.features, column),
            None if labels is None else self._labels(labels),
            len(paths),
            {kept.feature(name): kept.column(name, paths) for name in keep},
        )

    def _labels(self, spec: Labels) -> np.ndarray:
        labels = None
        if isinstance(spec, LabelSpec):
            numbers, what = self._listed.labels, f"The folder {self.path!r}"
            labels = spec.from_one_class(numbers, self.class_names, what)
        if labels is None:
            raise _no_classes()
        return labels

    def _add_column(self, digest: Digest, column: Column) -> None:
        for path in column[np.arange(self.num_examples)]:
            digest.add_file(os.fsdecode(path))

    def _finish(
        self, batches: tf.data.Dataset, spec: ExampleSpec, seed: int | None
    ) -> tf.data.Dataset:
        augment = self._augment if seed is not None else None
        has_labels = len(batches.element_spec) > 2

        def with_seeds(number: tf.Tensor, features: Any, *labels: Any) -> tuple[Any, ...]:
            size = tf.shape(features[self._feature], tf.int64)[0]
            places = number * self._batch_size + tf.range(size)
            return tf.stack([tf.fill([size], tf.constant(seed or 0, tf.int64)), places], 1), (
                features,
                *labels,
            )

        def convert(seeds: tf.Tensor, batch: tuple[Any, ...]) -> Any:
            features, *labels = batch
            loaded = {
                name: _load(paths, seeds, spec.features[name], augment)
                for name, paths in features.items()
            }
            return (loaded, *labels) if has_labels else loaded

        def message(seeds: tf.Tensor, example: tuple[Any, ...]) -> tf.Tensor:
            why = (
                " cannot be read: it is damaged or cut short, or of a variant that TensorFlow does not "
                "decode."
            )
            return tf.strings.join(
                ["The image file ", step_checks.shown_path(example[0][self._feature]), why]
            )

        if not spec.features:
            return super()._finish(batches, spec, seed)
        return map_batches(batches.map(plain(with_seeds)), convert, message)


def _no_classes() -> errors.PartsMismatchError:
    return errors.PartsMismatchError(
        "ImageFolder gives one class of each image, but the model's head takes other labels. Take a "
        "head for classes, such as MultiClassHead."
    )


def _check_image(name: str, spec: tf.TensorSpec) -> None:
    if not parsing.is_image(spec):
        raise errors.PartsMismatchError(
            f"ImageFolder gives images as the feature {name!r}, but the model takes "
            f"{spec.dtype.name} of shape {spec.shape}."
        )
    parsing.image_size(name, spec)


def _load(paths: tf.Tensor, seeds: tf.Tensor, spec: tf.TensorSpec, augment: Any) -> tf.Tensor:
    height, width, channels = spec.shape[1:].as_list()

    def one(path_and_seed: tuple[tf.Tensor, tf.Tensor]) -> tf.Tensor:
        path, seed = path_and_seed
        image = images.decode_one(tf.io.read_file(path), channels)
        if augment is not None:
            image = augment(image, seed)
        return images.resize(image, height, width)

    size = tf.TensorSpec([height, width, channels], tf.float32)
    loaded = tf.map_fn(plain(one), (paths, seeds), fn_output_signature=size)
    return tf.cast(loaded, spec.dtype)
