"""Arrays and frames."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from hub_estimator import errors
from hub_estimator.training import kept
from hub_estimator.training.example_spec import ExampleSpec
from hub_estimator.training.inputs.arrays import Arrays, Frame
from hub_estimator.training.labels.any_classes import AnyClasses
from hub_estimator.training.labels.numbers import Numbers
from hub_estimator.training.labels.one_class import OneClass
from tests.training.inputs.input_contract import NUMBER, InputContract, batches
from tests.training.training_data import TEXT, TWO_CLASSES

TEXTS = [f"x{number}" for number in range(NUMBER)]
LABELS = [number % 3 for number in range(NUMBER)]


class TestArrays(InputContract):
    @pytest.fixture
    def source(self):
        return Arrays({"text": np.array(TEXTS)}, np.array(LABELS), batch_size=4)


class TestFrame(InputContract):
    @pytest.fixture
    def source(self):
        pandas = pytest.importorskip("pandas")
        frame = pandas.DataFrame({"text": TEXTS, "label": LABELS})
        return Frame(frame, batch_size=4)


def read(source, spec):
    ((features, labels),) = batches(source.evaluation_fn(spec)())
    return {name: each.tolist() for name, each in features.items()}, labels


def test_arrays_of_every_kind():
    source = Arrays(
        {
            "image": np.full([2, 2, 2, 1], 51, np.uint8),
            "ids": [[1, 2], [3]],
            "pair": np.array([[0.5, 1], [2, 3]]),
        },
        {"image": np.array([1.5, 2]), "sets": [["a"], ["a", "b"]]},
    )
    features = {
        "image": tf.TensorSpec([None, 2, 2, 1], tf.float32),
        "ids": tf.TensorSpec([None, None], tf.int64),
        "pair": tf.TensorSpec([None, 2], tf.float32),
    }
    heads = {"image": Numbers(), "sets": AnyClasses(2, ("a", "b"))}
    values, labels = read(source, ExampleSpec(features, heads))
    assert np.array(values.pop("image")) == pytest.approx(0.2)
    assert values == {"ids": [[1, 2], [3, 0]], "pair": [[0.5, 1], [2, 3]]}
    assert labels["image"].tolist() == [1.5, 2] and labels["sets"].tolist() == [[1, 0], [1, 1]]


def test_prediction_needs_no_labels():
    source = Arrays({"text": ["a", "b"]})
    ((read),) = batches(source.prediction_fn(TWO_CLASSES)())
    assert read["text"].tolist() == [b"a", b"b"]
    with pytest.raises(errors.ModelError) as caught:
        source.check(TWO_CLASSES)
    assert str(caught.value) == (
        "Arrays.labels is not given; without labels, arrays are good for prediction only."
    )


def test_a_wrong_value_is_named():
    with pytest.raises(errors.LabelError) as caught:
        Arrays({"text": ["a", "b"]}, [0, 7]).check(TWO_CLASSES)
    assert str(caught.value) == (
        "The label 7 in row 1 of the arrays is not a class of the model's head, which takes 0 to 1."
    )
    with pytest.raises(errors.DataFileError) as caught:
        Arrays({"text": ["a", None]}, [0, 1]).check(TWO_CLASSES)
    assert str(caught.value) == (
        """The value of "features['text']" in row 1 of the arrays is missing."""
    )


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"features": {}}, "Arrays.features is {}; give it a dict, as in {'text': texts}."),
        ({"features": [1]}, "Arrays.features is [1]; give it a dict, as in {'text': texts}."),
        (
            {"features": {"a": 1}},
            "Arrays.features['a'] is 1; give it an array, or a list.",
        ),
        (
            {"features": {"a": [1, 2]}, "labels": [1]},
            (
                "Arrays need equally many examples, at least one, but features['a'] has 2, labels has "
                "1."
            ),
        ),
        (
            {"features": {"a": []}},
            "Arrays need equally many examples, at least one, but features['a'] has 0.",
        ),
        (
            {"features": {"a": [1]}, "batch_size": 0},
            "Arrays.batch_size is 0; it must be at least 1.",
        ),
    ],
)
def test_wrong_arrays(settings, message):
    with pytest.raises(errors.ModelError) as caught:
        Arrays(**settings)
    assert str(caught.value) == message


@pytest.mark.parametrize("kind", ["Arrays", "Frame"])
def test_there_are_no_files_to_predict_for(kind):
    if kind == "Frame":
        pandas = pytest.importorskip("pandas")
        source = Frame(pandas.DataFrame({"text": ["a"]}))
    else:
        source = Arrays({"text": ["a"]})
    with pytest.raises(errors.ModelError) as caught:
        source.prediction_fn(TWO_CLASSES, "b.csv")()
    assert str(caught.value) == (
        f"{kind} reads no files, but is to predict for 'b.csv'. Use an input that reads such files, "
        "as TextFile does."
    )


def test_a_frame_of_pandas_own_types():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(
        {
            "text": pandas.Series(["a", "b"], dtype="string"),
            "n": pandas.Series([1, 2], dtype="Int64"),
            "u": [0.5, 1.5],
            "kind": pandas.Categorical(["x", "y"]),
        }
    )
    source = Frame(frame, {"text": "text", "pair": ["n", "u"]}, "kind", class_names=["x", "y"])
    spec = ExampleSpec(
        {**TEXT, "pair": tf.TensorSpec([None, 2], tf.float32)},
        OneClass(2, source.class_names),
    )
    values, labels = read(source, spec)
    assert values == {"text": [b"a", b"b"], "pair": [[1, 0.5], [2, 1.5]]}
    assert labels.tolist() == [0, 1]


@pytest.mark.parametrize("dtype", ["string", "object", "Int64", "float"])
def test_a_missing_value_in_a_frame(dtype):
    pandas = pytest.importorskip("pandas")
    first = 1 if dtype in ("Int64", "float") else "a"
    frame = pandas.DataFrame({"c": pandas.Series([first, None], dtype=dtype), "label": [0, 1]})
    spec = tf.TensorSpec([None], tf.float32 if first == 1 else tf.string)
    with pytest.raises(errors.DataFileError) as caught:
        Frame(frame, {"c": "c"}).check(ExampleSpec({"c": spec}, OneClass(2)))
    assert str(caught.value) == "The value of 'c' in row 1 of the frame is missing."


def test_frames_that_cannot_be_used():
    pandas = pytest.importorskip("pandas")
    with pytest.raises(errors.ColumnNotFoundError) as caught:
        Frame(pandas.DataFrame({"text": ["a"], 3: [1]})).check(TWO_CLASSES)
    assert str(caught.value) == "The frame has no column 'label'. It has: text, 3."
    with pytest.raises(errors.DataFileError) as caught:
        Frame(pandas.DataFrame([["a", 1, 0]], columns=["text", "label", "label"])).check(
            TWO_CLASSES
        )
    assert str(caught.value) == (
        "The frame has the column 'label' 2 times: rename or remove all but one."
    )
    with pytest.raises(errors.DataFileError) as caught:
        Frame(pandas.DataFrame({"text": [], "label": []})).check(TWO_CLASSES)
    assert str(caught.value) == "The frame has no rows."
    with pytest.raises(errors.ModelError) as caught:
        Frame("a.csv")
    assert str(caught.value) == "Frame.frame is 'a.csv'; give it a part like pandas.DataFrame."


@pytest.mark.filterwarnings("ignore:To make it possible to preserve tf.data options")
def test_nothing_is_tuned():
    source = Arrays({"text": np.array(TEXTS)}, np.array(LABELS) % 2, batch_size=4)
    for input_fn in (
        source.training_fn(TWO_CLASSES, 1, lambda: 0),
        source.evaluation_fn(TWO_CLASSES),
    ):
        assert input_fn().options().autotune.enabled is False


def test_what_is_kept_of_arrays():
    source = Arrays({"text": ["a", "b"], "pair": np.array([[1, 2], [3, 4]])})
    (features,) = batches(source.prediction_fn(TWO_CLASSES, keep=["pair"])())
    assert features[kept.feature("pair")].tolist() == [b"[1, 2]", b"[3, 4]"]
    with pytest.raises(errors.ColumnNotFoundError) as caught:
        source.prediction_fn(TWO_CLASSES, keep=["id"])()
    assert str(caught.value) == "The arrays have no feature 'id' to keep. They have: pair, text."


def test_what_is_kept_of_a_frame():
    pandas = pytest.importorskip("pandas")
    times = pandas.to_datetime(["2020-01-02", None])
    frame = pandas.DataFrame({"text": ["a", "b"], "n": [1, 2], "x": [0.5, None], "time": times})
    names = ["n", "x", "time"]
    (features,) = batches(Frame(frame).prediction_fn(TWO_CLASSES, keep=names)())
    assert [features[kept.feature(name)].tolist() for name in names] == [
        [b"1", b"2"],
        [b"0.5", b"null"],
        [b'"2020-01-02 00:00:00"', b"null"],
    ]
