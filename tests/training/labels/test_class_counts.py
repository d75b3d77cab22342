"""Which classes labels tell, and how many examples each has."""

from __future__ import annotations

import numpy as np
import pytest

from hub_estimator import errors
from hub_estimator.training.cells import Cells
from hub_estimator.training.labels import class_counts
from hub_estimator.training.labels.any_classes import AnyClasses
from hub_estimator.training.labels.class_counts import UNKNOWN, Classes, classes_of
from hub_estimator.training.labels.one_class import OneClass


def cells(*values):
    values = values[0] if isinstance(values[0], np.ndarray) else list(values)
    return Cells(values, ("The label", ""), lambda row: f"row {row + 1} of x", errors.LabelError)


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (["b", "a", "b"], Classes(2, ("a", "b"), (1, 2))),
        (["0", "2", "1", "2"], Classes(3, None, (1, 1, 2))),
        (["1.0", "0", "1"], Classes(2, None, (1, 2))),
        # Not from 0 on: names, in the order of the numbers.
        (["10", "9", "10"], Classes(2, ("9", "10"), (1, 2))),
        (["-1", "1"], Classes(2, ("-1", "1"), (1, 1))),
        (["1", "two"], Classes(2, ("1", "two"), (1, 1))),
        (["nan", "inf"], Classes(2, ("inf", "nan"), (1, 1))),
    ],
)
def test_classes_that_only_the_labels_tell(labels, expected):
    assert classes_of(labels) == expected == classes_of(reversed(labels))


@pytest.mark.parametrize(
    ("labels", "known", "expected"),
    [
        (["b", "b"], {"names": ("b", "a")}, Classes(2, ("b", "a"), (2, 0))),
        (["1", "1", "0"], {"names": ("b", "a")}, Classes(2, ("b", "a"), (1, 2))),
        (["1", "1", "0"], {"names": ("1", "0")}, Classes(2, ("1", "0"), (2, 1))),
        (["1", "1.0", "2"], {"size": 3}, Classes(3, None, (0, 2, 1))),
    ],
)
def test_classes_that_are_known_are_counted(labels, known, expected):
    assert classes_of(labels, **known) == expected


@pytest.mark.parametrize(
    ("label", "known", "there"),
    [
        ("x", {"names": ("b", "a")}, "b, a"),
        ("3", {"size": 3}, "0, 1, 2"),
        ("0.5", {"size": 3}, "0, 1, 2"),
        ("-1", {"size": 3}, "0, 1, 2"),
        ("x", {"size": 2}, "0, 1"),
    ],
)
def test_a_label_of_none_of_the_known_classes(label, known, there):
    with pytest.raises(errors.LabelError) as caught:
        classes_of([label], **known)
    assert str(caught.value) == (
        f"The label '{label}' of the training data is not a class of the model's head. It has: "
        f"{there}."
    )


def test_a_column_of_other_labels_than_the_known_classes():
    column = cells("1", "x")
    with pytest.raises(errors.LabelError, match="^The label 'x' in row 2 of x is not a number"):
        OneClass(3).classes_in_columns([column], ["label"], "TextFile.label", "|")
    with pytest.raises(errors.LabelError, match="^The label 'x' in row 2 of x is not a class"):
        AnyClasses(2, ("1", "2")).classes_in_columns([column], ["label"], "TextFile.label", "|")


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([], "No example of the training data has a class."),
        (
            ["1", "0.5"],
            (
                "The labels of the training data are numbers, of which '0.5' is not whole: no classes. To "
                "predict numbers, take RegressionHead; to have classes all the same, list them in the "
                "head's label_vocabulary."
            ),
        ),
    ],
)
def test_labels_that_tell_no_classes(labels, message):
    with pytest.raises(errors.LabelError) as caught:
        classes_of(labels)
    assert str(caught.value) == message


def test_balanced_weights_make_classes_weigh_alike():
    classes = Classes(3, None, (1, 2, 3))
    weights = classes.balanced_weights()
    assert weights == pytest.approx([2, 1, 2 / 3])
    assert np.dot(weights, classes.counts) == pytest.approx(6)


def test_a_class_without_examples_has_no_balanced_weight():
    with pytest.raises(errors.LabelError) as caught:
        Classes(2, ("a", "b"), (1, 0)).balanced_weights()
    assert str(caught.value) == (
        "The class 'b' has no example in the training data, so there is no balanced weight for it. "
        "Give class_weights as numbers, or leave the class out."
    )


@pytest.mark.parametrize(
    ("label", "text"),
    [(b"\xc3\xa9", "é"), (True, "1"), (np.bool_(False), "0"), (2.0, "2"), (2.5, "2.5"), (3, "3")],
)
def test_the_text_of_a_label(label, text):
    assert class_counts.text_of(label) == text


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (cells("a", ""), "The label in row 2 of x is missing."),
        (cells("a", None), "The label in row 2 of x is missing."),
        (
            cells(["a"], "b"),
            "The label ['a'] in row 1 of x is no single class, as the model's head takes.",
        ),
    ],
)
def test_a_column_of_what_is_no_class(column, message):
    with pytest.raises(errors.LabelError) as caught:
        OneClass(UNKNOWN).classes_in_columns([column], ["label"], "TextFile.label", "|")
    assert str(caught.value) == message


def test_several_columns_for_one_class():
    with pytest.raises(errors.PartsMismatchError) as caught:
        OneClass(UNKNOWN).classes_in_columns([cells("a"), cells("b")], ["x", "y"], "A.label", "|")
    assert str(caught.value) == "A.label gives 2 columns of classes, the model's head takes 1."


@pytest.mark.parametrize(
    ("columns", "names", "expected"),
    [
        ([cells("b|a", "", "a| b |a")], ["x"], Classes(2, ("a", "b"), (2, 2))),
        ([cells([0, 1], [1])], ["x"], Classes(2, None, (1, 2))),
        ([cells("1", "0"), cells("1", "1")], ["z", "y"], Classes(2, ("z", "y"), (1, 2))),
        ([cells("1", "0"), cells("1", "1")], [3, 4], Classes(2, None, (1, 2))),
        ([cells(np.array([[1, 0, 0], [1, 0, 1]]))], ["x"], Classes(3, None, (2, 0, 1))),
    ],
)
def test_any_classes(columns, names, expected):
    labels = AnyClasses(UNKNOWN)
    assert labels.classes_in_columns(columns, names, "TextFile.label", "|") == expected


def test_any_classes_that_are_known():
    labels = AnyClasses(3, ("c", "b", "a"))
    assert labels.classes_in_columns([cells("a|c", "a")], ["x"], "T.label", "|").counts == (1, 0, 2)
    flags = [cells("1"), cells("0"), cells("1")]
    found = labels.classes_in_columns(flags, ["x", "y", "z"], "T.label", "|")
    assert found == Classes(3, ("c", "b", "a"), (1, 0, 1))
    with pytest.raises(errors.PartsMismatchError, match="2 columns of classes, the model's head"):
        labels.classes_in_columns(flags[:2], ["x", "y"], "T.label", "|")
