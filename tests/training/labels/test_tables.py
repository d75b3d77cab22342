"""The tables of a report, of each kind of labels."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from hub_estimator.training.labels import one_class
from hub_estimator.training.labels.any_classes import AnyClasses
from hub_estimator.training.labels.numbers import Numbers
from hub_estimator.training.labels.one_class import OneClass
from hub_estimator.training.labels.predicted_and_true import WORST, Outcomes


def outcomes(labels, truth, predicted, **texts):
    texts = {name: np.array(values, object) for name, values in texts.items()}
    return Outcomes(labels, np.array(truth), np.array(predicted, np.float32), texts)


def tables(found, max_worst=50):
    return found.labels.report(found, "step 1", max_classes=10, max_worst=max_worst).tables


PETS = outcomes(
    OneClass(3, ("cat", "dog", "eel")),
    [0, 0, 1, 1],
    [[0.5, 0.25, 0.25], [0.25, 0.75, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]],
    text=[b"one", b"two", "dré".encode(), b"four"],
)


def test_classes():
    table = tables(PETS)["classes"]
    assert table.header == (
        *("class", "examples", "predicted", "precision", "recall", "f1"),
        *("roc_auc", "average_precision"),
    )
    assert table.rows[0] == ("cat", 2, 2, 0.5, 0.5, 0.5, 0.5, pytest.approx(7 / 12))
    assert table.rows[2][:3] == ("eel", 0, 0) and np.isnan(table.rows[2][3:]).all()


def test_confusion():
    found = dataclasses.replace(PETS, labels=OneClass(3, tuple("cde")))
    table = tables(found)["confusion_matrix"]
    assert table.header == ("true \\ predicted", "c", "d", "e")
    assert table.rows == [("c", 1, 1, 0), ("d", 1, 1, 0), ("e", 0, 0, 0)]


def test_confusion_of_many_classes(monkeypatch):
    monkeypatch.setattr(one_class, "_MOST_COLUMNS", 2)
    table = tables(PETS)["confusion_matrix"]
    assert table.header == ("true", "predicted", "examples")
    assert table.rows == [
        ("cat", "cat", 1),
        ("cat", "dog", 1),
        ("dog", "cat", 1),
        ("dog", "dog", 1),
    ]


def test_a_feature_named_like_a_column():
    found = outcomes(Numbers(), [[0.0]], [[1.0]], true=[b"a"], b=[b"c"])
    assert tables(found, 1)[WORST].header == (
        *("row", "true", "predicted", "error"),
        *("b", "true (feature)"),
    )


def test_examples_have_their_number_in_the_data():
    found = dataclasses.replace(PETS, numbers=np.array([3, 5, 8, 9]))
    assert [row[0] for row in tables(found)["worst_mistakes"].rows] == [8, 5]
    assert [row[0] for row in tables(PETS)["worst_mistakes"].rows] == [3, 2]


def test_the_worst_of_one_class():
    table = tables(PETS, 10)[WORST]
    assert table.header == (
        *("row", "true", "predicted", "probability_of_true", "probability_of_predicted"),
        "text",
    )
    assert table.rows == [(3, "dog", "cat", 0.0, 1.0, "dré"), (2, "cat", "dog", 0.25, 0.75, "two")]
    assert tables(PETS, 1)[WORST].rows == table.rows[:1]


TOPICS = outcomes(
    AnyClasses(2, ("art", "law")),
    [[1, 0], [1, 1], [0, 0]],
    [[0.75, 0.25], [0.25, 1.0], [0.0, 1.0]],
)


def test_several_classes():
    assert [row[:3] for row in tables(TOPICS)["classes"].rows] == [("art", 2, 1), ("law", 1, 2)]
    table = tables(TOPICS, 10)[WORST]
    assert table.header == ("row", "true", "predicted", "most_wrong_about", "probability")
    assert table.rows == [(3, "", "law", "law", 1.0), (2, "art|law", "law", "art", 0.25)]


def test_numbers():
    numbers = outcomes(Numbers(2), [[0.0, 1.0], [2.0, 3.0]], [[0.5, 1.0], [2.0, 1.0]])
    table = tables(numbers, 10)[WORST]
    assert table.header == ("row", "true", "predicted", "error")
    assert table.rows == [(2, 3.0, 1.0, -2.0), (1, 0.0, 0.5, 0.5)]
