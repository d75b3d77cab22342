"""Predictions as CSV and JSON lines, for each kind of head."""

from __future__ import annotations

import csv
import io
import json

import numpy as np
import pytest

from hub_estimator import errors
from hub_estimator.training.labels.any_classes import AnyClasses
from hub_estimator.training.labels.numbers import Numbers
from hub_estimator.training.labels.one_class import OneClass
from hub_estimator.training.labels.unknown import AnyLabels
from hub_estimator.training.running.prediction_formats import Writer

TWO = np.array([[0.9, 0.1], [0.25, 0.75], [0.5, 0.5]], np.float32)


def both(labels, predictions):
    """The text of both forms, in two batches, the CSV parsed too."""
    texts = []
    for form in ("csv", "jsonl"):
        writer = Writer(labels, form)
        batches = [
            {key: values[part] for key, values in predictions.items()}
            for part in (slice(0, 2), slice(2, None))
        ]
        lines = [writer.lines(batch) for batch in batches]
        texts.append((writer.header() + b"".join(lines)).decode())
    table = list(csv.reader(io.StringIO(texts[0])))
    return texts[0], table, [json.loads(line) for line in texts[1].splitlines()]


def test_one_class_without_names():
    text, _, rows = both(OneClass(2), {"probabilities": TWO})
    assert text.splitlines() == [
        "row,class,class_id,probability_0,probability_1",
        "1,0,0,0.9,0.1",
        "2,1,1,0.25,0.75",
        "3,0,0,0.5,0.5",
    ]
    assert rows[1] == {
        "row": 2, "class": "1", "class_id": 1, "probabilities": {"0": 0.25, "1": 0.75},
    }  # fmt: skip


@pytest.mark.parametrize("names", [('a "b", %s', "100%\nü"), ("%d", "")])
def test_names_that_need_care(names):
    _, table, rows = both(OneClass(2, names), {"probabilities": TWO})
    assert table[0] == ["row", "class", "class_id", *(f"probability_{name}" for name in names)]
    assert [row[1] for row in table[1:]] == [names[0], names[1], names[0]]
    assert [row["class"] for row in rows] == [names[0], names[1], names[0]]
    assert list(rows[0]["probabilities"]) == list(names)


def test_several_classes():
    _, table, rows = both(
        AnyClasses(2, ("a,b", "c")),
        {"probabilities": np.array([[0.9, 0.1], [0.7, 0.5], [0.2, 0.4]], np.float32)},
    )
    assert table == [
        ["row", "classes", "probability_a,b", "probability_c"],
        ["1", "a,b", "0.9", "0.1"],
        ["2", "a,b|c", "0.7", "0.5"],
        ["3", "", "0.2", "0.4"],
    ]
    assert [row["classes"] for row in rows] == [["a,b"], ["a,b", "c"], []]
    assert rows[2] == {"row": 3, "classes": [], "probabilities": {"a,b": 0.2, "c": 0.4}}


def test_one_number():
    values = np.array([[1.5], [-2e-30], [3e20]], np.float32)
    text, _, rows = both(Numbers(), {"predictions": values})
    assert text.splitlines() == ["row,prediction", "1,1.5", "2,-2e-30", "3,3e+20"]
    assert rows[2] == {"row": 3, "prediction": 3e20}


def test_several_numbers():
    values = np.arange(6, dtype=np.float32).reshape(3, 2)
    text, _, rows = both(Numbers(2), {"predictions": values})
    assert text.splitlines()[:2] == ["row,prediction_0,prediction_1", "1,0,1"]
    assert rows[0] == {"row": 1, "prediction": [0, 1]}


def test_several_heads():
    labels = {"to%ne": OneClass(2, ("bad", "good")), "stars": Numbers()}
    predictions = {
        ("to%ne", "probabilities"): TWO,
        ("stars", "predictions"): np.ones([3, 1], np.float32),
    }
    assert Writer(labels, "csv").keys == list(predictions)
    text, _, rows = both(labels, predictions)
    assert text.splitlines()[:2] == [
        (
            "row,to%ne.class,to%ne.class_id,to%ne.probability_bad,to%ne.probability_good,"
            "stars.prediction"
        ),
        "1,bad,0,0.9,0.1,1",
    ]
    assert rows[0] == {
        "row": 1,
        "to%ne": {"class": "bad", "class_id": 0, "probabilities": {"bad": 0.9, "good": 0.1}},
        "stars": {"prediction": 1},
    }


def test_a_head_of_somebody_else():
    with pytest.raises(errors.ModelError) as caught:
        Writer(AnyLabels(), "csv")
    assert str(caught.value) == (
        "Nothing is known of the predictions of the head, which is none of tf.estimator's. Use "
        "Estimator.predict from Python."
    )
    with pytest.raises(errors.ModelError, match="of the head 'x', which"):
        Writer({"x": AnyLabels()}, "csv")


def test_what_is_no_number():
    writer = Writer(Numbers(), "jsonl")
    writer.lines({"predictions": np.zeros([2, 1])})
    with pytest.raises(errors.ModelError) as caught:
        writer.lines({"predictions": np.array([[1.0], [np.nan]])})
    assert str(caught.value) == (
        "The model's prediction for row 4 is not a finite number. Look at the input there, or "
        "choose another checkpoint."
    )
