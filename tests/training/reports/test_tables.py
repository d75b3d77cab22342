"""The tables of a report."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from hub_estimator.training.example_spec import LabelSpec
from hub_estimator.training.reports import tables
from hub_estimator.training.reports.outcomes import Outcomes
from hub_estimator.training.reports.tables import Table


def outcomes(labels, truth, predicted, **texts):
    texts = {name: np.array(values, object) for name, values in texts.items()}
    return Outcomes(labels, np.array(truth), np.array(predicted, np.float32), texts)


PETS = outcomes(
    LabelSpec("class", 3, ("cat", "dog", "eel")),
    [0, 0, 1, 1],
    [[0.5, 0.25, 0.25], [0.25, 0.75, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]],
    text=[b"one", b"two", "dré".encode(), b"four"],
)


def test_classes():
    table = tables.classes(PETS)
    assert table.header == (
        *("class", "examples", "predicted", "precision", "recall", "f1"),
        *("roc_auc", "average_precision"),
    )
    assert table.rows[0] == ("cat", 2, 2, 0.5, 0.5, 0.5, 0.5, pytest.approx(7 / 12))
    assert table.rows[2][:3] == ("eel", 0, 0) and np.isnan(table.rows[2][3:]).all()


def test_confusion():
    found = dataclasses.replace(PETS, labels=LabelSpec("class", 3, tuple("cde")))
    table = tables.confusion(found)
    assert table.header == ("true \\ predicted", "c", "d", "e")
    assert table.rows == [("c", 1, 1, 0), ("d", 1, 1, 0), ("e", 0, 0, 0)]


def test_confusion_of_many_classes(monkeypatch):
    monkeypatch.setattr(tables, "_MOST_COLUMNS", 2)
    table = tables.confusion(PETS)
    assert table.header == ("true", "predicted", "examples")
    assert table.rows == [
        ("cat", "cat", 1),
        ("cat", "dog", 1),
        ("dog", "cat", 1),
        ("dog", "dog", 1),
    ]


def test_a_feature_named_like_a_column():
    found = outcomes(LabelSpec("number"), [[0.0]], [[1.0]], true=[b"a"], b=[b"c"])
    assert tables.worst_mistakes(found, 1).header == (
        *("row", "true", "predicted", "error"),
        *("b", "true (feature)"),
    )


def test_the_worst_of_one_class():
    table = tables.worst_mistakes(PETS, 10)
    assert table.header == (
        *("row", "true", "predicted", "probability_of_true", "probability_of_predicted"),
        "text",
    )
    assert table.rows == [(3, "dog", "cat", 0.0, 1.0, "dré"), (2, "cat", "dog", 0.25, 0.75, "two")]
    assert tables.worst_mistakes(PETS, 1).rows == table.rows[:1]


TOPICS = outcomes(
    LabelSpec("classes", 2, ("art", "law")),
    [[1, 0], [1, 1], [0, 0]],
    [[0.75, 0.25], [0.25, 1.0], [0.0, 1.0]],
)


def test_several_classes():
    assert [row[:3] for row in tables.classes(TOPICS).rows] == [("art", 2, 1), ("law", 1, 2)]
    table = tables.worst_mistakes(TOPICS, 10)
    assert table.header == ("row", "true", "predicted", "most_wrong_about", "probability")
    assert table.rows == [(3, "", "law", "law", 1.0), (2, "art|law", "law", "art", 0.25)]


def test_numbers():
    numbers = outcomes(LabelSpec("number", 2), [[0.0, 1.0], [2.0, 3.0]], [[0.5, 1.0], [2.0, 1.0]])
    table = tables.worst_mistakes(numbers, 10)
    assert table.header == ("row", "true", "predicted", "error")
    assert table.rows == [(2, 3.0, 1.0, -2.0), (1, 0.0, 0.5, 0.5)]


def test_csv():
    table = Table(("a", "b,c"), [('x "y"', np.float32(0.1)), (3, float("nan"))])
    assert table.csv() == b'a,"b,c"\n"x ""y""",0.1\n3,\n'


def test_names_from_outside():
    name = "a\x1b[2J\u202e\r\n$|\udcff" + 200 * "b"
    table = Table(("class",), [(name,)])
    assert table.csv() == (b'class\n"a\x1b[2J\xe2\x80\xae\r\n$|\\udcff' + 200 * b"b" + b'"\n')
    shown = table.markdown().splitlines()[-1]
    assert shown.startswith(r"| a\\x1b\[2J\\u202e $\|\\udcffbb") and shown.endswith("b... |")
    assert shown.isprintable()


def test_markdown():
    table = Table(("a_b", "c"), [("x|y\n<b> z", 1 / 3), ("w" * 200, float("nan")), ("z", 4)])
    assert table.markdown(2) == (
        "| a\\_b | c |\n| --- | --- |\n| x\\|y \\<b> z | 0.3333 |\n"
        f"| {'w' * 120}... | - |\n\n1 more rows are in the CSV file.\n"
    )
    assert table.markdown().endswith("| z | 4 |\n")
