"""Datasets of the real `tensorflow_datasets`, made here: nothing is downloaded."""

from __future__ import annotations

import json
import os
import shutil
import sys

import numpy as np
import pytest
import tensorflow as tf

from hub_estimator import errors
from hub_estimator.training import kept
from hub_estimator.training.example_spec import ExampleSpec
from hub_estimator.training.inputs.tfds_input import TfdsInput
from hub_estimator.training.labels.any_classes import AnyClasses
from hub_estimator.training.labels.numbers import Numbers
from hub_estimator.training.labels.one_class import OneClass
from hub_estimator.training.labels.unknown import AnyLabels
from tests.training.inputs.input_contract import NUMBER, InputContract, batches
from tests.training.training_data import TEXT, TWO_CLASSES

tfds = pytest.importorskip("tensorflow_datasets")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A prepared dataset of ten examples, and two more to test on."""

    class TinyTexts(tfds.core.GeneratorBasedBuilder):
        VERSION = tfds.core.Version("1.0.0")

        def _info(self):
            features = {
                "text": tfds.features.Text(),
                "label": tfds.features.ClassLabel(names=["a", "b", "c"]),
                "image": tfds.features.Image(shape=(4, 5, 1)),
                "pixels": tfds.features.Tensor(shape=(2, 2, 1), dtype=np.uint8),
                "ids": tfds.features.Sequence(np.int64),
                "tags": tfds.features.Sequence(tfds.features.ClassLabel(names=["x", "y"])),
                "size": np.float32,
            }
            return tfds.core.DatasetInfo(
                builder=self,
                features=tfds.features.FeaturesDict(features),
                disable_shuffling=True,
            )

        def _split_generators(self, dl_manager):
            return {"train": self._generate_examples(NUMBER), "test": self._generate_examples(2)}

        def _generate_examples(self, number):
            for each in range(number):
                yield (
                    each,
                    {
                        "text": f"x{each}",
                        "label": each % 3,
                        "image": np.full([4, 5, 1], 51, np.uint8),
                        "pixels": np.full([2, 2, 1], 51, np.uint8),
                        "ids": list(range(1, each + 1)),
                        "tags": ["x"] * (each % 2),
                        "size": each / 2,
                    },
                )

    data_dir = tmp_path_factory.mktemp("tfds")
    builder = TinyTexts(data_dir=str(data_dir))
    builder.download_and_prepare()
    return str(builder.data_dir)


class TestTfdsInput(InputContract):
    epochs_are_whole = False
    can_be_divided = False

    @pytest.fixture
    def source(self, folder):
        return TfdsInput(folder, batch_size=4)


def test_features_of_every_kind(folder):
    source = TfdsInput(
        folder,
        split="test",
        features={"a": "image", "b": "pixels", "ids": "ids", "size": "size"},
        label="tags",
    )
    features = {
        "a": tf.TensorSpec([None, 2, 2, 3], tf.float32),
        "b": tf.TensorSpec([None, 2, 2, 1], tf.float32),
        "ids": tf.TensorSpec([None, None], tf.int32),
        "size": tf.TensorSpec([None, 1], tf.float64),
    }
    assert source.num_examples == 2 and source.class_names == ("x", "y")
    spec = ExampleSpec(features, AnyClasses(2, source.class_names))
    source.check(spec)
    ((values, labels),) = batches(source.evaluation_fn(spec)())
    assert values["a"] == pytest.approx(0.2) and values["b"] == pytest.approx(0.2)
    assert values["ids"].tolist() == [[0], [1]] and values["size"].tolist() == [[0], [0.5]]
    assert labels.tolist() == [[0, 0], [1, 0]]


def test_prediction_of_another_prepared_dataset(folder):
    source = TfdsInput(folder, split="test")
    (read,) = batches(source.prediction_fn(TWO_CLASSES, folder)())
    assert read["text"].tolist() == [b"x0", b"x1"]


def test_prediction_of_a_dataset_without_a_feature(folder, tmp_path):
    class Other(tfds.core.GeneratorBasedBuilder):
        VERSION = tfds.core.Version("1.0.0")

        def _info(self):
            features = tfds.features.FeaturesDict({"review": tfds.features.Text()})
            return tfds.core.DatasetInfo(builder=self, features=features)

        def _split_generators(self, dl_manager):
            return {"test": [(0, {"review": "a"})]}

        def _generate_examples(self):
            raise NotImplementedError

    builder = Other(data_dir=str(tmp_path))
    builder.download_and_prepare()
    path = str(builder.data_dir)
    with pytest.raises(errors.ColumnNotFoundError) as caught:
        TfdsInput(folder, split="test").prediction_fn(TWO_CLASSES, path)()
    assert str(caught.value) == f"The dataset {path!r} has no feature 'text'. It has: review."


def test_class_names_of_the_dataset(folder):
    assert TfdsInput(folder).class_names == ("a", "b", "c")
    assert TfdsInput(folder, label="size").class_names is None
    assert TfdsInput(folder, class_names=["p", "q", "r"]).class_names == ("p", "q", "r")


def check_error(error_type, name, spec=TWO_CLASSES, **settings):
    with pytest.raises(error_type) as caught:
        TfdsInput(name, **settings).check(spec)
    return str(caught.value)


def test_no_dataset(tmp_path):
    assert check_error(errors.DataFileNotFoundError, "no_such_set", data_dir=tmp_path) == (
        "There is no dataset 'no_such_set', neither in the catalogue of tensorflow_datasets nor "
        f"prepared in {str(tmp_path)!r}."
    )


def test_a_dataset_is_prepared_when_asked_to(folder, tmp_path):
    del folder  # the class of the dataset is known by now
    assert check_error(errors.DataFileNotFoundError, "tiny_texts", data_dir=tmp_path) == (
        f"The dataset 'tiny_texts' is not prepared in '{tmp_path}/tiny_texts/1.0.0'. Set "
        "TfdsInput.download = True, or TfdsInput.data_dir to where it is."
    )
    assert list(tmp_path.iterdir()) == []
    source = TfdsInput("tiny_texts", "train[:3]", data_dir=tmp_path, download=True)
    assert source.num_examples == 3
    again = TfdsInput("tiny_texts:1.0.0", data_dir=str(tmp_path))
    assert again.num_examples == NUMBER


def test_no_split(folder):
    assert check_error(errors.DataFileError, folder, split="valid") == (
        f"The dataset {folder!r} has no split 'valid'. It has: train, test."
    )


def test_no_feature(folder):
    assert check_error(errors.ColumnNotFoundError, folder, features={"text": "review"}) == (
        f"The dataset {folder!r} has no feature 'review'. It has: ids, image, label, pixels, size, "
        "tags, text."
    )
    assert check_error(errors.ColumnNotFoundError, folder, label="kind").startswith(
        f"The dataset {folder!r} has no feature 'kind'. It has: "
    )


def test_features_of_another_type(folder):
    assert check_error(errors.DataFileError, folder, features={"text": "size"}) == (
        f"The feature 'size' of the dataset {folder!r} is float32 of shape (), but the model takes "
        "string of shape (None,)."
    )


def test_labels_that_are_no_classes(folder):
    from hub_estimator.training.inputs.failures import clear_errors

    source = TfdsInput(folder)
    with pytest.raises(errors.LabelError) as caught, clear_errors():
        batches(source.evaluation_fn(ExampleSpec(TEXT, OneClass(2)))())
    assert str(caught.value) == (
        f"The label 2 in the dataset '{folder}' is not a class of the model's head, which takes 0 "
        "to 1."
    )


def test_features_of_another_length_are_said(folder):
    from hub_estimator.training.inputs.failures import clear_errors

    features = {"ids": tf.TensorSpec([None, 3], tf.int64)}
    with pytest.raises(errors.DataFileError) as caught, clear_errors():
        batches(TfdsInput(folder).evaluation_fn(ExampleSpec(features, AnyLabels()))())
    assert str(caught.value) == (
        f"An example of the dataset '{folder}' is not as the model takes it: a feature has another "
        "length, or is an image that cannot be decoded."
    )


@pytest.fixture
def copied(folder, tmp_path):
    """A copy of the dataset to damage."""
    return shutil.copytree(folder, tmp_path / "tiny_texts" / "1.0.0")


SHARD = "tiny_texts-train.tfrecord-00000-of-00001"


@pytest.mark.parametrize("name", ["dataset_info.json", "features.json", SHARD])
def test_a_pointer_of_git_lfs(copied, name):
    (copied / name).write_text("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\n")
    assert check_error(errors.LfsPointerError, str(copied)) == (
        f"{str(copied / name)!r} is a pointer of Git LFS, not the file that it stands for. Fetch the "
        "file: `git lfs pull` in the repository that it is from."
    )


def test_files_of_a_dataset_that_are_damaged(copied):
    content = (copied / "features.json").read_text()
    (copied / "features.json").write_text(content[:-1])
    assert check_error(errors.DataFileError, str(copied)).startswith(
        f"The data file {str(copied / 'features.json')!r} is not JSON: "
    )
    (copied / "features.json").write_text(content.replace('"featuresDict"', '"x"'))
    assert check_error(errors.DataFileError, str(copied)).startswith(
        f"The folder {str(copied)!r} is no dataset that tensorflow_datasets can open: "
    )
    (copied / "features.json").write_text(content)
    os.remove(copied / SHARD)
    os.mkfifo(copied / SHARD)
    path = str(copied / SHARD)
    assert check_error(errors.DataFileError, str(copied)) == (
        f"The file of records {path!r} cannot be read: {path!r} is a named pipe; a regular file is "
        "needed here."
    )


def test_numbers_of_classes_that_are_not_whole(folder):
    from hub_estimator.training.inputs.failures import clear_errors

    spec = ExampleSpec(TEXT, OneClass(9))
    with pytest.raises(errors.LabelError) as caught, clear_errors():
        batches(TfdsInput(folder, label="size").evaluation_fn(spec)())
    assert str(caught.value) == (
        f"The label 0.500000 in the dataset '{folder}' is not a class of the model's head, which takes "
        "0 to 8."
    )


def test_labels_of_another_type(folder):
    message = check_error(errors.DataFileError, folder, ExampleSpec({}, Numbers()), label="text")
    assert message == (
        f"The label 'text' of the dataset {folder!r} is string, but the model takes numbers."
    )


def test_images_that_are_too_large(folder, monkeypatch):
    from hub_estimator.training.inputs.failures import clear_errors

    monkeypatch.setenv("HUB_ESTIMATOR_MAX_IMAGE_PIXELS", "19")
    features = {"image": tf.TensorSpec([None, 2, 2, 3], tf.float32)}
    with pytest.raises(errors.DataFileError) as caught, clear_errors():
        batches(TfdsInput(folder).prediction_fn(ExampleSpec(features, AnyLabels()))())
    assert str(caught.value) == (
        f"The image 'image' in the dataset '{folder}' has 20 pixels, and at most 19 are decoded: if it "
        "is to be trusted, raise the limit by HUB_ESTIMATOR_MAX_IMAGE_PIXELS."
    )


def test_without_the_library(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", None)
    assert check_error(errors.MissingExtraError, "mnist") == (
        "TfdsInput needs tensorflow-datasets: pip install 'hub_estimator[tfds]'."
    )


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"name": ""}, "TfdsInput.name is ''; it must be a text in quotes."),
        ({"split": None}, "TfdsInput.split is None; it must be a text in quotes."),
        ({"features": "a"}, "TfdsInput.features is 'a'; give it a dict, as in {'text': 'review'}."),
    ],
)
def test_wrong_settings(setting, message):
    with pytest.raises(errors.ModelError) as caught:
        TfdsInput(**{"name": "a", **setting})
    assert str(caught.value) == message


def test_what_is_kept_of_a_dataset(folder):
    source = TfdsInput(folder, "test", batch_size=4)
    names = ["size", "label"]
    (features,) = batches(source.prediction_fn(TWO_CLASSES, keep=names)())
    found = [list(map(json.loads, features[kept.feature(name)])) for name in names]
    assert found == [[0.0, 0.5], [0, 1]]
    with pytest.raises(errors.ColumnNotFoundError) as caught:
        source.prediction_fn(TWO_CLASSES, keep=["ids"])()
    assert str(caught.value) == (
        f"The dataset {folder!r} has no feature 'ids' of one value to keep. It has: label, size, text."
    )
