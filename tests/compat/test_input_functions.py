"""`pandas_input_fn` and `numpy_input_fn` with the columns of today's pandas and NumPy."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from hub_estimator import errors, estimator
from hub_estimator.compat import input_functions

tf1 = tf.compat.v1

# What a column is, and what TensorFlow gets of it.
COLUMNS = {
    "text": (pd.Series(["a", "b", "ä"]), [b"a", b"b", "ä".encode()]),
    "object": (pd.Series(["x", b"y", "z"], dtype=object), [b"x", b"y", b"z"]),
    "python": (pd.Series(["p", "q", "r"], dtype=pd.StringDtype("python")), [b"p", b"q", b"r"]),
    "category": (pd.Series(["u", "v", "u"], dtype="category"), [b"u", b"v", b"u"]),
    "ranks": (pd.Series([3, 1, 3], dtype="category"), [3, 1, 3]),
    "whole": (pd.Series([1, 2, 3], dtype="Int32"), np.int32([1, 2, 3])),
    "flag": (pd.Series([True, False, True], dtype="boolean"), [True, False, True]),
    "real": (pd.Series([1.5, None, 3.5], dtype="Float32"), np.float32([1.5, np.nan, 3.5])),
    "plain": (pd.Series([0.5, 1.5, 2.5]), [0.5, 1.5, 2.5]),
    "sparse": (pd.Series([0, 5, 0], dtype=pd.SparseDtype("int64", 0)), [0, 5, 0]),
    "sparse_real": (pd.Series([0, 5.5, 0], dtype=pd.SparseDtype("float64", 0)), [0, 5.5, 0]),
}
try:
    import pyarrow  # noqa: F401 - an extra of pandas, whose own types of columns it makes

    COLUMNS["arrow_text"] = (
        pd.Series(["k", "l", "m"], dtype="string[pyarrow]"),
        [b"k", b"l", b"m"],
    )
    COLUMNS["arrow_whole"] = (pd.Series([7, 8, 9], dtype="int32[pyarrow]"), np.int32([7, 8, 9]))
    COLUMNS["arrow_real"] = (pd.Series([7, None, 9], dtype="double[pyarrow]"), [7, np.nan, 9])
except ImportError:  # or one that does not suit this NumPy
    pass
FRAME = pd.DataFrame({name: column for name, (column, _) in COLUMNS.items()})
FRAME.index = pd.Index(["first", "second", "third"])
LABELS = pd.Series(["no", "yes", "no"], index=FRAME.index, name="label")


def read(input_fn):
    """What the first batch has."""
    with tf.Graph().as_default():
        batch = input_fn()
        with tf1.train.MonitoredSession() as session:
            return session.run(batch)


def assert_expected(features):
    assert features.keys() == COLUMNS.keys()
    for name, (_, values) in COLUMNS.items():
        expected = np.array(values)
        if expected.dtype.kind == "S":
            expected = expected.astype(object)
        assert features[name].dtype == expected.dtype, name
        np.testing.assert_array_equal(features[name], expected)


def test_columns_of_pandas():
    make = estimator.inputs.pandas_input_fn
    features, labels = read(make(FRAME, LABELS, batch_size=3, shuffle=False))
    assert_expected(features)
    assert labels.tolist() == [b"no", b"yes", b"no"]
    assert_expected(read(make(x=FRAME, batch_size=3, shuffle=False)))


def test_labels_that_are_a_frame():
    labels = LABELS.to_frame().assign(other=[1, 2, 3])
    make = estimator.inputs.pandas_input_fn
    _, found = read(make(FRAME[["plain"]], labels, batch_size=3, shuffle=False))
    assert {name: values.tolist() for name, values in found.items()} == {
        "label": [b"no", b"yes", b"no"], "other": [1, 2, 3],
    }  # fmt: skip


def test_the_frame_that_was_given_stays_as_it_is():
    before = FRAME.copy()
    estimator.inputs.pandas_input_fn(FRAME, LABELS, shuffle=False)
    pd.testing.assert_frame_equal(FRAME, before)


def test_arrays_of_pandas_as_programs_take_them_from_frames():
    arrays = {name: FRAME[name].values for name in FRAME}
    make = estimator.inputs.numpy_input_fn
    features, labels = read(make(arrays, LABELS.values, batch_size=3, shuffle=False))
    assert_expected(features)
    assert labels.tolist() == [b"no", b"yes", b"no"]
    series = {name: FRAME[name] for name in FRAME}
    assert_expected(read(make(series, batch_size=3, num_epochs=1, shuffle=False)))


NUMPY_TEXTS = [
    np.array([["a", "b"], ["c", "d"]]),
    np.array([["a", "b"], ["c", "d"]], object),
    np.array([[b"a", b"b"], [b"c", b"d"]]),
]
if hasattr(np.dtypes, "StringDType"):  # new in NumPy 2
    NUMPY_TEXTS.append(np.array([["a", "b"], ["c", "d"]], np.dtypes.StringDType()))


@pytest.mark.parametrize("texts", NUMPY_TEXTS, ids=lambda texts: texts.dtype.kind)
def test_texts_of_numpy(texts):
    make = estimator.inputs.numpy_input_fn
    assert read(make(texts, batch_size=2, shuffle=False)).tolist() == [[b"a", b"b"], [b"c", b"d"]]


def test_what_could_be_taken_before_is_handed_on_as_it_is():
    numbers = np.arange(3)
    assert input_functions._arrays(numbers, None) == (numbers, None)
    assert input_functions._arrays({"a": numbers}, [1])[0]["a"] is numbers
    assert input_functions._frames("no frame", LABELS) == ("no frame", LABELS)


def test_every_spelling_is_the_same():
    from tensorflow_estimator.python.estimator.inputs import inputs, numpy_io, pandas_io

    assert estimator.inputs.pandas_input_fn is pandas_io.pandas_input_fn is inputs.pandas_input_fn
    assert estimator.inputs.numpy_input_fn is numpy_io.numpy_input_fn is inputs.numpy_input_fn


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (FRAME, LABELS.reset_index(drop=True), "Index for x and y are mismatched."),
        (FRAME.assign(target=1), LABELS, "Cannot use name target for target column"),
    ],
)
def test_what_upstream_refuses_it_still_does(x, y, message):
    with pytest.raises(ValueError, match=message):
        estimator.inputs.pandas_input_fn(x, y, shuffle=False)


WRONG = {
    "missing text": (
        pd.Series(["a", None, "c"]),
        input_functions.MISSING % ("pandas_input_fn", "x['c']", 1, LABELS.dtype),
    ),
    "missing object": (
        pd.Series(["a", "b", float("nan")], dtype=object),
        input_functions.MISSING % ("pandas_input_fn", "x['c']", 2, "object"),
    ),
    "missing number": (
        pd.Series([None, 1, 2], dtype="Int64"),
        input_functions.MISSING % ("pandas_input_fn", "x['c']", 0, "Int64"),
    ),
    "missing class": (
        pd.Series([1, None, 2], dtype="category"),
        input_functions.MISSING % ("pandas_input_fn", "x['c']", 1, "category"),
    ),
    "numbers as objects": (
        pd.Series(["a", 5, "c"], dtype=object),
        input_functions.NOT_TEXT % ("pandas_input_fn", "x['c']", "5", 1),
    ),
    "dates": (
        pd.Series(pd.to_datetime(["2018-01-01"] * 3)).astype("datetime64[ns]"),
        input_functions.OTHER_TYPE % ("pandas_input_fn", "x['c']", "datetime64[ns]"),
    ),
    "dates with a zone": (
        pd.Series(pd.to_datetime(["2018-01-01"] * 3, utc=True)).astype("datetime64[ns, UTC]"),
        input_functions.OTHER_TYPE % ("pandas_input_fn", "x['c']", "datetime64[ns, UTC]"),
    ),
    "periods": (
        pd.Series(pd.period_range("2018", periods=3, freq="D")),
        input_functions.OTHER_TYPE % ("pandas_input_fn", "x['c']", "period[D]"),
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_columns_that_cannot_be_fed(case):
    column, message = WRONG[case]
    with pytest.raises(errors.ColumnTypeError) as caught:
        estimator.inputs.pandas_input_fn(pd.DataFrame({"c": column}), shuffle=False)
    assert str(caught.value) == message
    assert isinstance(caught.value, TypeError)


def test_arrays_that_cannot_be_fed():
    make = estimator.inputs.numpy_input_fn
    with pytest.raises(errors.ColumnTypeError) as caught:
        make(
            {"x": np.arange(2.0)}, {"y": np.array([["a", "b"], ["c", None]], object)}, shuffle=False
        )
    assert str(caught.value) == input_functions.MISSING % (
        "numpy_input_fn", "y['y']", 1, "object",
    )  # fmt: skip
    with pytest.raises(errors.ColumnTypeError) as caught:
        make(np.array(["2018-01-01"], "datetime64[D]"), shuffle=False)
    assert str(caught.value) == input_functions.OTHER_TYPE % (
        "numpy_input_fn", "x", "datetime64[D]",
    )  # fmt: skip
