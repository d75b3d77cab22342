"""TFRecord files."""

from __future__ import annotations

import gzip
import json
import os
import pathlib
import struct

import numpy as np
import pytest
import tensorflow as tf

from hub_estimator import errors
from hub_estimator.training import kept
from hub_estimator.training.example_spec import ExampleSpec
from hub_estimator.training.inputs.failures import clear_errors
from hub_estimator.training.inputs.records import Records
from hub_estimator.training.labels.any_classes import AnyClasses
from hub_estimator.training.labels.numbers import Numbers
from hub_estimator.training.labels.one_class import OneClass
from hub_estimator.training.labels.unknown import AnyLabels
from tests.training import image_files, runs
from tests.training.inputs.input_contract import NUMBER, InputContract, batches
from tests.training.record_data import example
from tests.training.training_data import TEXT, TWO_CLASSES


def write(path, *examples, options=None) -> str:
    with tf.io.TFRecordWriter(str(path), options) as writer:
        for each in examples:
            writer.write(each)
    return str(path)


def text_example(number):
    return example(text=[b"x%d" % number], label=[number % 3])


class TestRecords(InputContract):
    counted = False
    epochs_are_whole = False

    @pytest.fixture
    def source(self, tmp_path):
        write(tmp_path / "a-0", *map(text_example, range(4)), options="GZIP")
        write(tmp_path / "a-1", *map(text_example, range(4, 5)))
        write(tmp_path / "a-2", *map(text_example, range(5, NUMBER)))
        return Records(tmp_path / "a-*", batch_size=4)


class TestOneFile(InputContract):
    """Fewer files than workers, and a buffer that is smaller than the data."""

    counted = False
    epochs_are_whole = False

    @pytest.fixture
    def source(self, tmp_path):
        path = write(tmp_path / "a", *map(text_example, range(NUMBER)))
        return Records([path], batch_size=4, shuffle_buffer=5)


def read(source, spec):
    source.check(spec)
    ((features, labels),) = batches(source.evaluation_fn(spec)())
    return {name: each.tolist() for name, each in features.items()}, labels


def test_features(tmp_path):
    image = image_files.bmp(np.full([4, 5, 1], 51, np.uint8))
    path = write(
        tmp_path / "a",
        example(image=[image], ids=[1, 2, 3], w=[0.5], pair=[0.5, 1.5], label=[b"b"]),
        example(image=[image], ids=[], w=[2.0], pair=[2.5, 3.5], label=[b"a"]),
    )
    features = {
        "image": tf.TensorSpec([None, 2, 2, 1], tf.float32),
        "ids": tf.TensorSpec([None, None], tf.int32),
        "w": tf.TensorSpec([None], tf.float32),
        "pair": tf.TensorSpec([None, 2], tf.float32),
    }
    source = Records(path, class_names=["a", "b"])
    assert source.feature_names == ["ids", "image", "pair", "w"]
    assert source.class_names == ("a", "b")
    spec = ExampleSpec(features, OneClass(2, source.class_names), weights=("w",))
    values, labels = read(source, spec)
    assert np.array(values.pop("image")) == pytest.approx(0.2) and labels.tolist() == [1, 0]
    assert values == {
        "ids": [[1, 2, 3], [0, 0, 0]],
        "w": [0.5, 2],
        "pair": [[0.5, 1.5], [2.5, 3.5]],
    }


@pytest.mark.parametrize(
    ("labels", "stored", "expected"),
    [
        (OneClass(2), [[1], [0]], [1, 0]),
        (OneClass(2, ("a", "b"), by_name=True), [[b"b"], [b"a"]], [b"b", b"a"]),
        (OneClass(2, ("a", "b"), by_name=True), [[1], [0]], [b"b", b"a"]),
        (AnyClasses(3), [[0, 2, 2], []], [[1, 0, 1], [0, 0, 0]]),
        (AnyClasses(2, ("a", "b")), [[b"b"], [b"a", b"b"]], [[0, 1], [1, 1]]),
        (Numbers(), [[0.5], [1.5]], [0.5, 1.5]),
        (Numbers(), [[2], [3]], [2, 3]),
        (Numbers(2), [[0.5, 1.0], [1.5, 2.0]], [[0.5, 1], [1.5, 2]]),
        (AnyLabels(), [[2], [3]], [2, 3]),
    ],
)
def test_labels(tmp_path, labels, stored, expected):
    path = write(tmp_path / "a", *(example(text=[b"x"], label=each) for each in stored))
    _, values = read(Records(path), ExampleSpec(TEXT, labels))
    assert values.tolist() == expected
    if labels.is_known:
        assert values.dtype == labels.dtype.as_numpy_dtype


def test_labels_of_a_multi_head(tmp_path):
    path = write(tmp_path / "a", example(text=[b"x"], kind=[1], size=[0.5]))
    source = Records(path, label={"a": "kind", "b": "size"})
    heads = {"a": OneClass(2), "b": Numbers()}
    assert source.feature_names == ["text"]
    _, values = read(source, ExampleSpec(TEXT, heads))
    assert {name: each.tolist() for name, each in values.items()} == {"a": [1], "b": [0.5]}


@pytest.mark.parametrize(
    ("labels", "stored", "message"),
    [
        (
            OneClass(2),
            [2],
            (
                "The label 2 in a record of {path} is not a class of the model's head, which takes 0 to "
                "1."
            ),
        ),
        (
            AnyClasses(2, ("a", "b")),
            [b"b", b"z"],
            "The label 'z' in a record of {path} is not a class of the model's head. It has: a, b.",
        ),
        (
            OneClass(2),
            [b"b"],
            (
                "The label 'b' in a record of {path} is not a class of the model's head, whose classes "
                "have no names. List them in the input's class_names or in the head's label_vocabulary."
            ),
        ),
    ],
)
def test_labels_that_are_no_classes(tmp_path, labels, stored, message):
    good = [b"a"] if labels.class_names else [0]
    if labels.class_names is None and isinstance(stored[0], bytes):
        good = stored
    path = write(
        tmp_path / "a", example(text=[b"x"], label=good), example(text=[b""], label=stored)
    )
    with pytest.raises(errors.LabelError) as caught, clear_errors():
        batches(Records(path).evaluation_fn(ExampleSpec(TEXT, labels))())
    assert str(caught.value) == message.format(path=repr(path))


def test_without_determinism_each_start_has_an_order_of_its_own(tmp_path):
    path = write(tmp_path / "a", *map(text_example, range(NUMBER)))
    source = Records(path, batch_size=NUMBER, deterministic=False)
    spec = ExampleSpec(TEXT, OneClass(3))
    first, later = (
        batches(source.training_fn(spec, 1, lambda step=step: step)(), 1)[0][0]["text"].tolist()
        for step in (0, 1)
    )
    assert first != later and sorted(first) == sorted(later)


def test_prediction_reads_other_files_without_labels(tmp_path):
    source = Records(write(tmp_path / "a", text_example(0)))
    for number in range(2):
        write(tmp_path / f"b-{number}", example(text=[b"y%d" % number]))
    read = batches(source.prediction_fn(TWO_CLASSES, tmp_path / "b-*")())
    assert [each["text"].tolist() for each in read] == [[b"y0", b"y1"]]


def check_error(error_type, path, spec=TWO_CLASSES, **settings):
    with pytest.raises(error_type) as caught:
        Records(path, **settings).check(spec)
    return str(caught.value)


def test_no_file(tmp_path):
    path = str(tmp_path / "no-*")
    assert check_error(errors.DataFileNotFoundError, path) == f"There is no data file {path!r}."


def test_no_records(tmp_path):
    path = write(tmp_path / "a")
    assert check_error(errors.DataFileError, path) == f"The data file {path!r} has no records."


def test_other_files(tmp_path):
    path = str(tmp_path / "a")
    for content in (b"no records at all" * 9, gzip.compress(b"no records at all" * 9)):
        pathlib.Path(path).write_bytes(content)
        message = check_error(errors.DataFileError, path)
        assert message == (
            f"The data file {path!r} is no TFRecord file, or damaged: corrupted record at 0 (Is "
            "this even a TFRecord file?)."
        )


def test_other_records(tmp_path):
    path = write(tmp_path / "a", b"no example")
    message = check_error(errors.DataFileError, path)
    assert message.startswith(f"The records of {path!r} are no tf.train.Examples: ")


FLOATS = ExampleSpec({"w": tf.TensorSpec([None, 2], tf.float32)}, AnyLabels())
IMAGES = ExampleSpec({"w": tf.TensorSpec([None, 2, 2, 1], tf.float32)}, AnyLabels())


@pytest.mark.parametrize(
    ("features", "spec", "message"),
    [
        ({"w": [1]}, FLOATS, "The feature 'w' of the records of {path} is a int64_list, but the model takes float32."),
        ({"w": [1.0]}, FLOATS, "The feature 'w' has 1 values in a record of {path}, the model takes 2."),
        ({"w": [1.0]}, IMAGES, "The feature 'w' of the records of {path} is a float_list, but the model takes images, the bytes of their files."),
        ({"w": [b"x"]}, IMAGES, "The feature 'w' of a record of {path} is no PNG, JPEG, BMP or GIF image, which the model takes."),
        ({"text": [b""], "label": [0.5]}, TWO_CLASSES, "The label 'label' of the records of {path} is a float_list, but the model takes classes: an int64_list of their numbers, or a bytes_list of their names."),
        ({"text": [b""], "label": [b"1"]}, ExampleSpec(TEXT, Numbers()), "The label 'label' of the records of {path} is a bytes_list, but the model takes numbers."),
    ],
)  # fmt: skip
def test_records_that_the_model_does_not_take(tmp_path, features, spec, message):
    path = write(tmp_path / "a", example(**{"label": [1], **features}))
    assert check_error(errors.DataFileError, path, spec) == message.format(path=repr(path))


def test_a_record_without_a_feature(tmp_path):
    path = write(tmp_path / "a", text_example(0), example(label=[1]))
    assert check_error(errors.DataFileError, path) == (
        f"A record of {path!r} has no feature 'text'. It has: label."
    )


def test_records_without_labels(tmp_path):
    path = write(tmp_path / "a", example(text=[b"x"], labels=[1]))
    assert check_error(errors.ColumnNotFoundError, path) == (
        f"The records of {path!r} have no label 'label'. They have: labels, text."
    )


def test_a_later_record_is_named_by_its_file(tmp_path):
    wrong = example(text=[b"a", b"b"], label=[1])
    path = write(tmp_path / "a", *map(text_example, [0, 1] * 10), wrong)
    source = Records(path, batch_size=4)
    spec = ExampleSpec(TEXT, OneClass(3))
    source.check(spec)
    with pytest.raises(errors.DataFileError) as caught, clear_errors():
        batches(source.evaluation_fn(spec)())
    assert str(caught.value) == (
        f"A record of '{path}' is not as the model takes it: a feature or a label is missing, of "
        "another type or length, or an image that cannot be decoded."
    )


def test_a_wrong_record_beside_one_with_an_empty_list(tmp_path):
    # TensorFlow ends the process where it takes such lists out of a batch.
    good = [example(ids=list(range(number)), label=[1]) for number in range(3)]
    path = write(tmp_path / "a", *good * 4, example(ids=[1.5], label=[1]))
    spec = ExampleSpec({"ids": tf.TensorSpec([None, None], tf.int64)}, OneClass(2))
    message = step_error(errors.DataFileError, Records(path).evaluation_fn(spec))
    assert message.startswith(f"A record of {path!r} is not as the model takes it: ")


def flip_a_bit(path) -> int:
    """Damages a file near its end; returns where."""
    content = bytearray(pathlib.Path(path).read_bytes())
    place = len(content) * 19 // 20
    content[place] ^= 255
    pathlib.Path(path).write_bytes(content)
    return place


@pytest.fixture
def three_files(tmp_path):
    """Files of twenty records each."""
    return [write(tmp_path / name, *map(text_example, [0, 1] * 10)) for name in "abc"]


def test_a_file_that_is_damaged_further_on(three_files, tmp_path):
    place = flip_a_bit(three_files[1])
    expected = (
        f"The file of records {three_files[1]!r} is damaged or cut short: corrupted record at "
        f"{place}."
    )
    source = Records(tmp_path / "*")
    for input_fn in (
        source.evaluation_fn(TWO_CLASSES),
        source.training_fn(TWO_CLASSES, 1, lambda: 0),
        source.prediction_fn(TWO_CLASSES, three_files[1]),
    ):
        with tf.Graph().as_default():
            with pytest.raises(errors.DataFileError) as caught, clear_errors():
                batches(input_fn())
            assert str(caught.value) == expected
            # Nothing of it in checkpoints, which write down the collections that have names.
            written = tf.compat.v1.train.export_meta_graph().collection_def
            assert three_files[1] not in str(written)


def test_a_file_that_is_damaged_in_a_run(three_files, tmp_path, make_model):
    flip_a_bit(three_files[2])
    source = Records(tmp_path / "*", batch_size=8)
    with pytest.raises(errors.DataFileError) as caught:
        runs.train(tmp_path / "model", make_model(), source, source, 9, 9, feature_cache=False)
    assert str(caught.value).startswith(f"The file of records {three_files[2]!r} is damaged ")


def test_a_file_that_was_damaged_only_for_a_time(three_files, tmp_path):
    content = pathlib.Path(three_files[0]).read_bytes()
    place = flip_a_bit(three_files[0])
    with pytest.raises(errors.DataFileError) as caught, clear_errors():
        try:
            batches(Records(tmp_path / "*").evaluation_fn(TWO_CLASSES)())
        finally:
            pathlib.Path(three_files[0]).write_bytes(content)
            os.remove(three_files[1])
    assert str(caught.value) == (
        f"A file of records is damaged or cut short: corrupted record at {place}."
    )


def step_error(error_type, input_fn):
    """The error of the step that reads what is wrong."""
    with tf.Graph().as_default(), pytest.raises(error_type) as caught, clear_errors():
        batches(input_fn())
    return str(caught.value)


# A length of 2**40 with the checksum that belongs to it, and four bytes: it ends TensorFlow.
TOO_LONG = bytes.fromhex("0000000000010000 aa3d6be4") + b"abcd"


def test_a_length_that_cannot_be_true(three_files, tmp_path):
    size = os.path.getsize(three_files[1])
    with open(three_files[1], "ab") as file:
        file.write(TOO_LONG)
    expected = (
        f"The file of records {three_files[1]!r} is damaged or cut short: the record at byte {size} is "
        f"said to have {2**40:,} bytes, but only 0 follow."
    )
    source = Records(tmp_path / "*")
    source.check(TWO_CLASSES)  # which reads the first records
    for input_fn in (
        source.evaluation_fn(TWO_CLASSES),
        source.training_fn(TWO_CLASSES, 1, lambda: 0),
        source.prediction_fn(TWO_CLASSES, three_files[1]),
    ):
        assert step_error(errors.DataFileError, input_fn) == expected
    pathlib.Path(three_files[1]).write_bytes(TOO_LONG)
    assert check_error(errors.DataFileError, tmp_path / "*") == (
        f"The file of records {three_files[1]!r} is damaged or cut short: the record at byte 0 is said "
        f"to have {2**40:,} bytes, but only 0 follow."
    )


@pytest.mark.parametrize("option", ["GZIP", "ZLIB"])
def test_files_that_are_compressed(tmp_path, option):
    path = write(tmp_path / "a", *map(text_example, range(3)), options=option)
    features, labels = read(Records(path), ExampleSpec(TEXT, OneClass(3)))
    assert features["text"] == [b"x0", b"x1", b"x2"] and labels.tolist() == [0, 1, 2]


def test_names_with_letters_of_patterns(tmp_path):
    path = write(tmp_path / "a[1]*", text_example(0))
    write(tmp_path / "a1", text_example(1))
    assert read(Records(path), TWO_CLASSES)[0]["text"] == [b"x0"]


def test_a_name_that_is_not_utf_8(tmp_path):
    path = write(os.fsencode(tmp_path / "a").decode(), text_example(0))
    odd = os.fsdecode(os.fsencode(path) + b"\xff\x1b")
    os.rename(path, odd)
    source = Records(odd)
    assert read(source, TWO_CLASSES)[0]["text"] == [b"x0"]
    with open(odd, "ab") as file:
        file.write(TOO_LONG)
    message = step_error(errors.DataFileError, source.evaluation_fn(TWO_CLASSES))
    assert message.startswith(f"The file of records '{path}\\udcff\\x1b' is damaged")


def test_what_is_no_file(tmp_path):
    os.mkfifo(tmp_path / "a-pipe")
    (tmp_path / "a-zero").symlink_to("/dev/zero")
    (tmp_path / "a-folder").mkdir()
    source = Records(write(tmp_path / "well", text_example(0)))
    for name, kind in [("pipe", "a named pipe"), ("zero", "a device"), ("folder", "a folder")]:
        path = str(tmp_path / f"a-{name}")
        expected = f"The data file {path!r} cannot be read: {path!r} is {kind}; a regular file is needed here."
        assert check_error(errors.DataFileError, path) == expected
        with pytest.raises(errors.DataFileError) as caught:
            source.prediction_fn(TWO_CLASSES, path)()
        assert str(caught.value) == expected


def test_a_pointer_of_git_lfs(three_files, tmp_path):
    pathlib.Path(three_files[2]).write_text("version https://git-lfs.github.com/spec/v1\noid x\n")
    assert check_error(errors.LfsPointerError, tmp_path / "*") == (
        f"{three_files[2]!r} is a pointer of Git LFS, not the file that it stands for. Fetch the file: "
        "`git lfs pull` in the repository that it is from."
    )


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_not_finite(tmp_path, number):
    good = [example(w=[0.5, 1.5], label=[0.5])] * 9
    path = write(tmp_path / "a", *good, example(w=[0.5, float(number)], label=[0.5]), *good)
    spec = ExampleSpec(FLOATS.features, Numbers())
    assert step_error(errors.DataFileError, Records(path).prediction_fn(spec)) == (
        f"The value {number} of 'w' in a record of {path!r} is not a finite number."
    )
    path = write(tmp_path / "a", *good, example(w=[0.5, 0.5], label=[float(number)]), *good)
    for labels in (Numbers(), AnyLabels()):
        source = Records(path, batch_size=4)
        assert step_error(
            errors.LabelError, source.evaluation_fn(ExampleSpec(FLOATS.features, labels))
        ) == (f"The label {number} in a record of {path!r} is not a finite number.")


def test_labels_are_shown_quoted_and_cut(tmp_path):
    label = b"\x1b[2J]\n\xff" + b"z" * 10**6
    path = write(tmp_path / "a", example(text=[b"x"], label=[label]))
    spec = ExampleSpec(TEXT, OneClass(2, ("a", "b")))
    assert step_error(errors.LabelError, Records(path).evaluation_fn(spec)) == (
        f"The label '\\x1b[2J]\\n\\udcff{'z' * 113}'... (1,000,007 characters) in a record of {path!r} is "
        "not a class of the model's head. It has: a, b."
    )


def test_names_of_features_are_shown_quoted_and_cut(tmp_path):
    path = write(tmp_path / "a", example(**{"\x1b[2J": [1], "y" * 10**6: [1], "label": [1]}))
    assert check_error(errors.FeatureNotFoundError, path) == (
        "The model takes the feature 'text', which Records does not give. It gives: '\\x1b[2J', "
        f"'{'y' * 120}'... (1,000,000 characters)."
    )


def large(width, height):
    """A file that says that it holds a large image, and holds none."""
    return b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", width, height) + bytes(20)


def test_images_that_are_too_large(tmp_path):
    image = image_files.bmp(np.full([4, 5, 1], 51, np.uint8))
    too_large = example(w=[large(20_000, 20_000)], label=[1])
    good = example(w=[image], label=[1])
    expected = (
        "The image 'w' in a record of {path!r} has 400,000,000 pixels, and at most 100,000,000 are "
        "decoded: if it is to be trusted, raise the limit by HUB_ESTIMATOR_MAX_IMAGE_PIXELS."
    )
    path = write(tmp_path / "a", too_large)
    assert check_error(errors.DataFileError, path, IMAGES) == expected.format(path=path)
    path = write(tmp_path / "a", *[good] * 10, too_large, *[good] * 5)
    source = Records(path, batch_size=8)
    source.check(IMAGES)
    for input_fn in (source.evaluation_fn(IMAGES), source.prediction_fn(IMAGES)):
        assert step_error(errors.DataFileError, input_fn) == expected.format(path=path)


def test_how_large_images_may_be_is_a_setting(tmp_path, monkeypatch):
    monkeypatch.setenv("HUB_ESTIMATOR_MAX_IMAGE_PIXELS", "19")
    image = image_files.bmp(np.full([4, 5, 1], 51, np.uint8))
    source = Records(write(tmp_path / "a", example(w=[image], label=[1])))
    assert "has 20 pixels, and at most 19 are decoded" in step_error(
        errors.DataFileError, source.evaluation_fn(IMAGES)
    )
    monkeypatch.setenv("HUB_ESTIMATOR_MAX_IMAGE_PIXELS", "20")
    assert len(batches(source.evaluation_fn(IMAGES)())) == 1


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"RIFF\x1a\0\0\0WEBPVP8L", "is no PNG, JPEG, BMP or GIF image"),
        (b"\xff\xd8\xff\xd9", "is damaged or cut short: it does not say how large it is"),
    ],
)
def test_images_further_on_that_are_none(tmp_path, content, why):
    image = image_files.bmp(np.full([4, 5, 1], 51, np.uint8))
    examples = [example(w=[each], label=[1]) for each in [image] * 9 + [content]]
    path = write(tmp_path / "a", *examples)
    assert step_error(errors.DataFileError, Records(path).evaluation_fn(IMAGES)) == (
        f"The image 'w' in a record of {path!r} {why}."
    )


@pytest.mark.parametrize(
    ("label", "labels", "message"),
    [
        (
            {"a": "label"},
            OneClass(2),
            "Records.label is {'a': 'label'}, but the model has one head: give it one key.",
        ),
        (
            "label",
            {"a": OneClass(2)},
            (
                "Records.label is 'label', but the model has the heads a: give it a dict with a key for "
                "each."
            ),
        ),
    ],
)
def test_labels_of_other_heads(tmp_path, label, labels, message):
    path = write(tmp_path / "a", text_example(0))
    spec = ExampleSpec(TEXT, labels)
    assert check_error(errors.ModelError, path, spec, label=label) == message


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"path": ["a", ""]}, "Records.path is ''; it must be a path in quotes."),
        ({"path": []}, "Records.path is []; it must be a path in quotes."),
        ({"label": 1}, "Records.label is 1; it must be a text in quotes."),
        ({"label": {"a": 1}}, "Records.label['a'] is 1; it must be a text in quotes."),
        ({"batch_size": 0}, "Records.batch_size is 0; it must be at least 1."),
        ({"shuffle_buffer": 0}, "Records.shuffle_buffer is 0; it must be at least 1."),
        ({"class_names": "ab"}, "Records.class_names is 'ab'; give it a list, as in ['bad', 'good']."),
    ],
)  # fmt: skip
def test_wrong_settings(setting, message):
    with pytest.raises(errors.ModelError) as caught:
        Records(**{"path": "a", **setting})
    assert str(caught.value) == message


def test_what_is_kept_of_records(tmp_path):
    write(
        tmp_path / "a",
        example(text=[b"x"], label=[0], id=[7], score=[0.1], tags=[b"a", b"b"]),
        example(text=[b"y"], label=[1], id=[8]),
    )
    source, names = Records(tmp_path / "a"), ["id", "score", "tags", "text"]
    (features,) = batches(source.prediction_fn(TWO_CLASSES, tmp_path / "a", names)())
    found = [list(map(json.loads, features[kept.feature(name)])) for name in names]
    assert found == [[7, 8], [0.1, None], [["a", "b"], None], ["x", "y"]]
    with pytest.raises(errors.ColumnNotFoundError) as caught:
        source.prediction_fn(TWO_CLASSES, keep=["name"])()
    path = str(tmp_path / "a")
    assert str(caught.value) == (
        f"The records of {path!r} have no 'name' to keep. They have: id, label, score, tags, text."
    )
