"""Folders of images."""

from __future__ import annotations

import inspect
import json
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from hub_estimator import errors
from hub_estimator.training import kept
from hub_estimator.training.example_spec import ExampleSpec
from hub_estimator.training.inputs.augmentation import Augmentation
from hub_estimator.training.inputs.failures import clear_errors
from hub_estimator.training.inputs.image_folder import ImageFolder
from hub_estimator.training.labels.numbers import Numbers
from hub_estimator.training.labels.one_class import OneClass
from hub_estimator.training.labels.unknown import AnyLabels
from tests.training import image_files
from tests.training.inputs.input_contract import NUMBER, InputContract, batches, same

IMAGE = {"image": tf.TensorSpec([None, 3, 2, 1], tf.float32)}


def gray(value, size=(3, 2)):
    return image_files.bmp(np.full([*size, 1], value, np.uint8))


def write(folder, **contents) -> str:
    """Writes files; `a__b` is the file `b.bmp` in the folder `a`."""
    for name, content in contents.items():
        path = pathlib.Path(folder, *name.split("__")).with_suffix(".bmp")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return str(folder)


class TestImageFolder(InputContract):
    order = (0, 3, 6, 9, 1, 4, 7, 2, 5, 8)
    fraction = 0.3
    kept = "path"

    def kept_value(self, number):
        return str(self.folder / "abc"[number % 3] / f"{number}.bmp")

    @pytest.fixture
    def source(self, tmp_path):
        self.folder = tmp_path / "ten"
        contents = {f"{'abc'[n % 3]}__{n}": gray(20 * n) for n in range(NUMBER)}
        return ImageFolder(write(tmp_path / "ten", **contents), batch_size=4)

    @pytest.fixture
    def spec(self):
        return ExampleSpec(IMAGE, OneClass(3))

    def numbers(self, features):
        return [round(float(each.mean()) * 255 / 20) for each in features["image"]]


def spec(size=2, names=None, by_name=False, **features):
    return ExampleSpec(features or IMAGE, OneClass(size, names, by_name))


def test_other_formats_and_sizes(tmp_path):
    image = np.full([8, 6, 3], 51, np.uint8)
    folder = pathlib.Path(write(tmp_path / "images", x__0=gray(51), y__0=gray(51, (1, 9))))
    (folder / "x" / "1.PNG").write_bytes(image_files.encoded("PNG", image))
    (folder / "x" / "2.jpeg").write_bytes(image_files.encoded("JPEG", image))
    (folder / "y" / "3.gif").write_bytes(image_files.GIF)
    features = {"image": tf.TensorSpec([None, 4, 5, 3], tf.float32)}
    ((read, labels),) = batches(ImageFolder(folder).evaluation_fn(spec(**features))())
    assert read["image"].shape == (5, 4, 5, 3) and labels.tolist() == [0, 0, 0, 1, 1]
    assert np.abs(read["image"][:4] - 0.2).max() < 0.02 and (read["image"][4] == 1).all()


def test_class_names(tmp_path):
    folder = write(tmp_path / "images", cat__0=gray(1), ant__0=gray(2))
    assert ImageFolder(folder).class_names == ("ant", "cat")
    source = ImageFolder(folder, classes=["cat", "ant"])
    assert source.class_names == ("cat", "ant")
    # Without features, nothing is decoded.
    for labels, expected in [
        (OneClass(2), [0, 1]),
        (OneClass(2, ("ant", "cat")), [1, 0]),
        (OneClass(2, ("ant", "cat"), by_name=True), [b"cat", b"ant"]),
        (AnyLabels(), [0, 1]),
    ]:
        ((_, read),) = batches(source.evaluation_fn(ExampleSpec({}, labels))())
        assert read.tolist() == expected


def test_prediction_of_any_folder_or_file(tmp_path):
    source = ImageFolder(write(tmp_path / "images", cat__0=gray(1), ant__0=gray(2)))
    other = write(tmp_path / "other", b=gray(100), a__c=gray(0), c=gray(200))
    for path, expected in [(other, [0, 100, 200]), (f"{other}/c.bmp", [200])]:
        (read,) = batches(source.prediction_fn(spec(), path)())
        assert [round(float(each.mean()) * 255) for each in read["image"]] == expected


def test_augmentation_when_training_only(tmp_path):
    image = np.arange(48, dtype=np.uint8).reshape(4, 4, 3) * 5
    folder = write(tmp_path / "images", a__0=image_files.bmp(image), b__0=image_files.bmp(image))
    features = {"image": tf.TensorSpec([None, 4, 4, 3], tf.float32)}
    plain = ImageFolder(folder, batch_size=2)
    source = ImageFolder(folder, batch_size=2, augment=Augmentation())
    whole = spec(**features)

    def train(source, step, seed=1):
        return batches(source.training_fn(whole, seed, lambda: step)(), 4)

    first = train(source, 0)
    images = np.concatenate([read["image"] for read, _ in first])
    assert len(np.unique(images, axis=0)) == 8
    assert same(train(source, 2)[:2], first[2:])
    assert not same(train(source, 0, seed=2), first)
    assert same(batches(source.evaluation_fn(whole)()), batches(plain.evaluation_fn(whole)()))


@pytest.fixture
def folder(tmp_path):
    return pathlib.Path(write(tmp_path / "images", a__0=gray(1), b__0=gray(2)))


def check_error(error_type, folder, source_spec=None, **settings):
    with pytest.raises(error_type) as caught:
        ImageFolder(folder, **settings).check(source_spec or spec())
    return str(caught.value)


def test_a_damaged_image_is_named_when_it_is_decoded(folder):
    path = folder / "b" / "1.png"
    path.write_bytes(image_files.encoded("PNG", np.zeros([9, 9, 3]))[:-20])
    source = ImageFolder(folder)
    source.check(spec())
    with pytest.raises(errors.DataFileError) as caught, clear_errors():
        batches(source.training_fn(spec(), 1, lambda: 0)(), 1)
    assert str(caught.value) == (
        f"The image file '{path}' cannot be read: it is damaged or cut short, or of a variant that "
        "TensorFlow does not decode."
    )


def test_a_file_that_is_no_image(folder):
    path = folder / "b" / "1.png"
    path.write_bytes(b"<html>")
    assert check_error(errors.DataFileError, folder) == (
        f"The file {str(path)!r} is no PNG, JPEG, BMP or GIF image, whatever its name says."
    )


def test_an_empty_file(folder):
    path = folder / "b" / "1.png"
    path.write_bytes(b"")
    assert check_error(errors.DataFileError, folder) == f"The image file {str(path)!r} is empty."


def test_a_file_that_cannot_be_read(folder):
    path = folder / "b" / "1.png"
    path.mkdir()
    message = check_error(errors.DataFileError, folder)
    assert message.startswith(f"The image file {str(path)!r} cannot be read: ")


def test_what_is_no_file_in_place_of_an_image(folder):
    os.mkfifo(folder / "b" / "1.png")
    (folder / "b" / "2.png").symlink_to("/dev/zero")
    for name, kind in [("1.png", "a named pipe"), ("2.png", "a device")]:
        path = str(folder / "b" / name)
        assert check_error(errors.DataFileError, folder) == (
            f"The image file {path!r} cannot be read: {path!r} is {kind}; a regular file is needed "
            "here."
        )
        os.remove(path)


def test_a_pointer_of_git_lfs_in_place_of_an_image(folder):
    path = folder / "b" / "1.png"
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 1234\n")
    assert check_error(errors.LfsPointerError, folder) == (
        f"{str(path)!r} is a pointer of Git LFS, not the file that it stands for. Fetch the file: "
        "`git lfs pull` in the repository that it is from."
    )


def test_an_image_that_is_too_large(folder, monkeypatch):
    path = folder / "b" / "1.png"
    path.write_bytes(image_files.encoded("PNG", np.zeros([50, 41, 1])))
    monkeypatch.setenv("HUB_ESTIMATOR_MAX_IMAGE_PIXELS", "2000")
    assert check_error(errors.DataFileError, folder) == (
        f"The image file {str(path)!r} has 2,050 pixels, and at most 2,000 are decoded: if it is to be "
        "trusted, raise the limit by HUB_ESTIMATOR_MAX_IMAGE_PIXELS."
    )
    monkeypatch.setenv("HUB_ESTIMATOR_MAX_IMAGE_PIXELS", "2050")
    ImageFolder(folder).check(spec())


def test_names_that_are_not_utf_8(folder, tmp_path):
    odd = os.fsdecode(b"\xff\x1b[2J.png")
    path = f"{folder}/b/{odd}"
    pathlib.Path(path).write_bytes(image_files.encoded("PNG", np.zeros([9, 9, 3])))
    source = ImageFolder(folder)
    ((read, _),) = batches(source.evaluation_fn(spec())())
    assert len(read["image"]) == 3 and source.digest(spec(), ["image"])
    os.truncate(path, 60)
    with pytest.raises(errors.DataFileError) as caught, clear_errors():
        batches(source.evaluation_fn(spec())())
    assert str(caught.value) == (
        f"The image file '{folder}/b/\\udcff\\x1b[2J.png' cannot be read: it is damaged or cut short, "
        "or of a variant that TensorFlow does not decode."
    )
    os.rename(folder / "b", f"{folder}/{odd}")
    assert check_error(errors.DataFileError, folder) == (
        f"The name of the folder '\\udcff\\x1b[2J.png' in {str(folder)!r} is not UTF-8, as that of a "
        "class must be. Rename it."
    )


def test_names_of_classes_are_shown_quoted_and_few(folder):
    for number in range(20):
        (folder / f"\x1b[{number}m").mkdir()
    shown = ", ".join(f"'\\x1b[{number}m'" for number in (0, 10, 11, 12, 13, 14, 15, 16, 17, 18))
    assert check_error(errors.LabelError, folder, classes=["a"]) == (
        f"The folder {str(folder)!r} has folders for {shown} and 12 more, but the classes are a. There "
        "must be one for each."
    )


def predicted(path):
    """Which images a prediction sees, by their gray values."""
    (read,) = batches(ImageFolder("none").prediction_fn(spec(), path)())
    return [round(float(each.mean()) * 255) for each in read["image"]]


def test_links_that_lead_back(tmp_path, caplog):
    other = pathlib.Path(write(tmp_path / "other", a__1=gray(10), a__b__2=gray(20), c=gray(30)))
    (other / "a" / "b" / "back").symlink_to(other)
    (other / "a" / "again").symlink_to(other / "a" / "b")
    assert predicted(other) == [10, 20, 30]
    assert caplog.messages == [
        f"Left out {str(path)!r}: it was listed already, under another name."
        for path in (other / "a" / "again" / "back", other / "a" / "b")
    ]


def test_links_to_links(tmp_path):
    # Twice as many in each step, if each were listed under every name.
    (tmp_path / "0").mkdir()
    (tmp_path / "0" / "x.bmp").write_bytes(gray(50))
    for number in range(1, 30):
        (tmp_path / str(number)).mkdir()
        for name in "ab":
            (tmp_path / str(number) / name).symlink_to(tmp_path / str(number - 1))
    assert predicted(tmp_path / "29") == [50]


def test_more_folders_in_one_another_than_calls(tmp_path):
    deep = pathlib.Path(write(tmp_path / "deep", x=gray(60)))
    subprocess.run(["mkdir", "-p", os.path.join(deep, *"f" * 400)], check=True)
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack(0)) + 300)  # a thousand folders would take seconds
    try:
        assert predicted(deep) == [60]
    finally:
        sys.setrecursionlimit(before)
    subprocess.run(["rm", "-r", str(deep)], check=True)  # which Python cannot


def test_a_folder_that_cannot_be_listed(tmp_path, monkeypatch):
    (tmp_path / "a").mkdir()

    def listing(path):
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr("hub_estimator.files.listing", listing)
    assert check_error(errors.DataFileError, tmp_path) == (
        f"The folder {str(tmp_path)!r} cannot be read: [Errno 13] Permission denied: {str(tmp_path)!r}."
    )


def test_a_folder_on_an_unknown_filesystem():
    message = check_error(errors.DataFileError, "zzz://images")
    assert message.startswith("The folder 'zzz://images' cannot be read: File system scheme 'zzz' ")


def test_an_empty_class(folder):
    (folder / "c").mkdir()
    (folder / "c" / "readme.txt").write_text("none")
    assert check_error(errors.DataFileError, folder) == (
        f"The folder {str(folder / 'c')!r} of a class has no images (.png, .jpg, .jpeg, .bmp, .gif)."
        " Add some, or remove the folder."
    )


def test_other_files_are_left_out_and_said(folder, caplog):
    (folder / "notes.txt").write_text("x")
    (folder / "a" / "b.tif").write_text("x")
    (folder / "a" / ".DS_Store").write_text("x")
    assert ImageFolder(folder).num_examples == 2
    assert caplog.messages == [
        f"Left out of {folder}, as their names are not of images: notes.txt.",
        f"Left out of {folder}/a, as their names are not of images: b.tif.",
    ]


def test_no_folder(tmp_path):
    path = tmp_path / "no"
    assert check_error(errors.DataFileNotFoundError, path) == f"There is no folder {str(path)!r}."
    path.write_text("x")
    assert check_error(errors.DataFileError, path) == (
        f"{str(path)!r} is a file; a folder of images is needed."
    )


def test_no_folders_of_classes(tmp_path):
    assert check_error(errors.DataFileError, tmp_path) == (
        f"The folder {str(tmp_path)!r} has no folders. Put the images of each class into a folder "
        "of its own, named like the class."
    )


def test_no_images_to_predict(tmp_path, folder):
    with pytest.raises(errors.DataFileError) as caught:
        (tmp_path / "none").mkdir()
        ImageFolder(folder).prediction_fn(spec(), tmp_path / "none")()
    assert str(caught.value) == (
        f"The folder {str(tmp_path / 'none')!r} has no images (.png, .jpg, .jpeg, .bmp, .gif), nor "
        "have its folders."
    )


@pytest.mark.parametrize("classes", [["a"], ["a", "b", "c"], ["a", "x"]])
def test_folders_that_are_not_the_classes(folder, classes):
    assert check_error(errors.LabelError, folder, classes=classes) == (
        f"The folder {str(folder)!r} has folders for a, b, but the classes are "
        f"{', '.join(classes)}. There must be one for each."
    )


@pytest.mark.parametrize(
    ("source_spec", "wanted"),
    [
        (spec(names=("a", "x")), "2: a, x. They must be the same."),
        (spec(3, names=("a", "b", "c")), "3: a, b, c. They must be the same."),
        (
            spec(3),
            (
                "3. They must be the same: take BinaryClassHead, in gin files Model.head = "
                "@BinaryClassHead()."
            ),
        ),
    ],
)
def test_evaluation_on_other_classes(folder, source_spec, wanted):
    assert check_error(errors.LabelError, folder, source_spec) == (
        f"The folder {str(folder)!r} has 2 classes (a, b), the model has {wanted}"
    )


@pytest.mark.parametrize("labels", [Numbers(), {"a": OneClass(2)}])
def test_heads_of_another_kind(folder, labels):
    assert check_error(errors.ModelError, folder, ExampleSpec(IMAGE, labels)) == (
        "ImageFolder gives one class of each image, but the model's head takes other labels. Take a "
        "head for classes, such as MultiClassHead."
    )


def test_features_that_are_no_images(folder):
    text = tf.TensorSpec([None], tf.string)
    assert check_error(errors.ModelError, folder, spec(image=text)) == (
        "ImageFolder gives images as the feature 'image', but the model takes string of shape "
        "(None,)."
    )
    anything = tf.TensorSpec([None, None, None, 3], tf.float32)
    assert check_error(errors.ModelError, folder, spec(image=anything)) == (
        "The images of the feature 'image' have the shape [None, None, None, 3]; to decode files to "
        "them, height, width and channels must be known."
    )


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"path": ""}, "ImageFolder.path is ''; it must be a path in quotes."),
        ({"feature": 1}, "ImageFolder.feature is 1; it must be a text in quotes."),
        ({"classes": "ab"}, "ImageFolder.classes is 'ab'; give it a list, as in ['cat', 'dog']."),
        (
            {"augment": Augmentation},
            (
                "ImageFolder.augment is @Augmentation, which nothing has called: write "
                "@Augmentation(), with ()."
            ),
        ),
        ({"batch_size": 0}, "ImageFolder.batch_size is 0; it must be at least 1."),
    ],
)
def test_wrong_settings(setting, message):
    with pytest.raises(errors.ModelError) as caught:
        ImageFolder(**{"path": "a", **setting})
    assert str(caught.value) == message


def test_what_is_kept_of_a_folder(tmp_path):
    source = ImageFolder(write(tmp_path / "images", cat__0=gray(1), ant__0=gray(2)))
    assert source.always_kept == ("path",)
    with pytest.raises(errors.ColumnNotFoundError) as caught:
        source.prediction_fn(spec(), keep=["id"])()
    assert str(caught.value) == (
        "A folder of images has no column 'id' to keep, only 'path', the file of each image, which "
        "is always there."
    )


def test_the_path_of_an_image_whose_name_is_no_utf_8(tmp_path):
    folder = os.fsencode(write(tmp_path / "images", cat__0=gray(1), ant__0=gray(2)))
    os.rename(folder + b"/cat/0.bmp", folder + b"/cat/\xff.bmp")
    source = ImageFolder(os.fsdecode(folder))
    (features,) = batches(source.prediction_fn(spec(), keep=["path"])())
    found = [json.loads(path) for path in features[kept.feature("path")]]
    assert [os.fsencode(path) for path in found] == [
        folder + b"/ant/0.bmp",
        folder + b"/cat/\xff.bmp",
    ]
