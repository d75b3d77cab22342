"""Columns to features: each type, each shape, and what is wrong with a value."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from hub_estimator import errors
from hub_estimator.training.inputs import columns
from hub_estimator.training.inputs.columns import Table


def feature(values, dtype, shape=(None,), **table):
    spec = tf.TensorSpec(shape, dtype)
    return columns.feature(Table("'a.csv'", {"c": values}, **table), "f", "c", spec)


@pytest.mark.parametrize(
    ("values", "dtype", "expected"),
    [
        (["a", ""], tf.string, [b"a", b""]),
        ([b"\xff", "ä"], tf.string, [b"\xff", "ä".encode()]),
        (np.array(["a", "bc"]), tf.string, [b"a", b"bc"]),
        (["1", " 2.5 "], tf.float32, [1, 2.5]),
        (["1.0", "-2"], tf.int32, [1, -2]),
        ([True, 0], tf.bool, [True, False]),
        (["9007199254740993"], tf.int64, [2**53 + 1]),
        (np.array([2**53 + 1]), tf.int64, [2**53 + 1]),
        (["1e16", "9007199254740993"], tf.int64, [10**16, 2**53 + 1]),
        ([b" 1e16", 1e16], tf.int64, [10**16, 10**16]),
        (np.array(["1.0e16"]), tf.int64, [10**16]),
        (np.array([-(2.0**63)]), tf.int64, [-(2**63)]),
        (["\xa01 ", "\uff12"], tf.float32, [1, 2]),
        (np.array([0.5], np.float16), tf.float64, [0.5]),
    ],
)
def test_values(values, dtype, expected):
    converted = feature(values, dtype)
    assert converted.tolist() == expected
    assert converted.dtype == (object if dtype == tf.string else dtype.as_numpy_dtype)


@pytest.mark.parametrize(
    ("values", "dtype", "message"),
    [
        (["1", ""], tf.float32, "The value of 'c' in row 3 of 'a.csv' is missing."),
        (["1", None], tf.int64, "The value of 'c' in row 3 of 'a.csv' is missing."),
        ([0.5, float("nan")], tf.float32, "The value of 'c' in row 3 of 'a.csv' is missing."),
        (np.array([1, np.nan]), tf.float32, "The value of 'c' in row 3 of 'a.csv' is missing."),
        (["a", None], tf.string, "The value of 'c' in row 3 of 'a.csv' is missing."),
        (["1", "x"], tf.float32, "The value 'x' of 'c' in row 3 of 'a.csv' is not a number."),
        (["1", "1_0"], tf.float32, "The value '1_0' of 'c' in row 3 of 'a.csv' is not a number."),
        ([1, "1_0"], tf.int64, "The value '1_0' of 'c' in row 3 of 'a.csv' is not a number."),
        (["1", b"1_0"], tf.int64, "The value b'1_0' of 'c' in row 3 of 'a.csv' is not a number."),
        (["1", "1 000"], tf.float32, "The value '1 000' of 'c' in row 3 of 'a.csv' is not a number."),
        (["1", "#N/A"], tf.float32, "The value '#N/A' of 'c' in row 3 of 'a.csv' is not a number."),
        (["1", "x" * 10**6], tf.float32, f"The value '{'x' * 120}'... (1,000,000 characters) of 'c' in row 3 of 'a.csv' is not a number."),
        (["1", "\x1b[2J"], tf.float32, "The value '\\x1b[2J' of 'c' in row 3 of 'a.csv' is not a number."),
        *(
            (["1", number], tf.float32, f"The value {number!r} of 'c' in row 3 of 'a.csv' is not a number; in numbers a point is before the fraction, and no comma anywhere.")
            for number in ("0,5", "1,234.5", "-1,000")
        ),
        ([1.0, 2.0**63], tf.int64, f"The value {2.0**63} of 'c' in row 3 of 'a.csv' does not fit int64."),
        (np.array([1.0, 2.0**63]), tf.int64, f"The value {2.0**63} of 'c' in row 3 of 'a.csv' does not fit int64."),
        (["1", "inf"], tf.float32, "The value 'inf' of 'c' in row 3 of 'a.csv' is not a number."),
        (["1", "nan"], tf.float32, "The value 'nan' of 'c' in row 3 of 'a.csv' is not a number."),
        ([1, 10**400], tf.float32, f"The value {str(10**400)[:120]}... of 'c' in row 3 of 'a.csv' is not a number."),
        ([1, [2]], tf.float32, "The value [2] of 'c' in row 3 of 'a.csv' is not a number."),
        (["1", "2.5"], tf.int64, "The value '2.5' of 'c' in row 3 of 'a.csv' is not a whole number."),
        (
            [1, 2**31],
            tf.int32,
            "The value 2147483648 of 'c' in row 3 of 'a.csv' does not fit int32.",
        ),
        ([1, 2**64], tf.int64, f"The value {2**64} of 'c' in row 3 of 'a.csv' does not fit int64."),
        ([1, -1], tf.uint8, "The value -1 of 'c' in row 3 of 'a.csv' does not fit uint8."),
        (["1", "1e300"], tf.float32, "The value '1e300' of 'c' in row 3 of 'a.csv' does not fit float32."),
        ([1, 2], tf.bool, "The value 2 of 'c' in row 3 of 'a.csv' does not fit bool."),
        (["a", 1], tf.string, "The value 1 of 'c' in row 3 of 'a.csv' is not a text."),
        (
            [[1], 2],
            tf.int64,
            "The value 2 of 'c' in row 3 of 'a.csv' is not a list, as that of the first row is.",
        ),
        ([[1], [2, "x"]], tf.int64, "The value 'x' of 'c' in row 3 of 'a.csv' is not a number."),
        (
            np.array([[1, 2], [3, 0.5]]),
            tf.int64,
            "The value 0.5 of 'c' in row 3 of 'a.csv' is not a whole number.",
        ),
    ],
)  # fmt: skip
def test_wrong_values(values, dtype, message):
    with pytest.raises(errors.DataFileError) as caught:
        feature(values, dtype, [None, None], first_row=2)
    assert str(caught.value) == message


def test_rows_of_any_length():
    ids = feature([[1, 2, 3], [], [4]], tf.int32, [None, None])
    assert ids.shape == (3, None) and ids.dtype == np.int32
    assert ids[np.array([0, 2])].tolist() == [[1, 2, 3], [4, 0, 0]]
    assert ids[np.array([2, 2])].tolist() == [[4], [4]]
    assert ids[np.array([1])].shape == (1, 0)
    words = feature([["a"], []], tf.string, [None, None])
    assert words[np.array([1, 0])].tolist() == [[b""], [b"a"]]


def test_rows_of_one_length():
    assert feature([[1, 2], [3, 4]], tf.float32, [None, 2]).tolist() == [[1, 2], [3, 4]]
    with pytest.raises(errors.DataFileError) as caught:
        feature([[1, 2], [3]], tf.float32, [None, 2])
    assert str(caught.value) == (
        "The feature 'f' has 1 values in row 2 of 'a.csv', the model takes 2."
    )


@pytest.mark.parametrize(
    ("values", "shape", "message"),
    [
        ([1], [None, 3], "has the shape [batch, 1], the model takes [batch, 3]."),
        ([[1]], [None], "has the shape [batch, any], the model takes [batch]."),
        (np.zeros([1, 2]), [None, 3], "has the shape [batch, 2], the model takes [batch, 3]."),
        (np.zeros([1, 2]), [None], "has the shape [batch, 2], the model takes [batch]."),
    ],
)
def test_other_shapes(values, shape, message):
    with pytest.raises(errors.ModelError) as caught:
        feature(values, tf.float32, shape)
    assert str(caught.value) == f"The feature 'f' of 'a.csv' {message}"


def test_images_of_8_bits():
    pixels = feature(np.full([2, 3, 3, 1], 51, np.uint8), tf.float32, [None, 3, 3, 1])
    images = pixels[np.array([1, 0])]
    assert pixels.shape == images.shape and pixels.dtype == images.dtype == np.float32
    assert images == pytest.approx(0.2)


def test_rows_have_the_numbers_that_they_have_in_the_file():
    table = Table("'a'", {"c": [1, 2]}, row_numbers=[4, 9])
    assert table.place(1) == "row 9 of 'a'" and len(table) == 2


def test_texts_where_the_model_takes_images():
    with pytest.raises(errors.PartsMismatchError) as caught:
        feature(["receipt of 3 May", ""], tf.float32, [None, 32, 24, 3])
    assert str(caught.value) == (
        "The model takes images as the feature 'f', real numbers [batch, 32, 24, 3], but the column "
        "'c' of 'a.csv' has texts, such as 'receipt of 3 May'. Images come from ImageFolder, with a "
        "folder of files for each class, from Records and TfdsInput, or as pixels from Arrays."
    )
