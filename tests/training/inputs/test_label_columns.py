"""Columns to labels, for each kind of head."""

from __future__ import annotations

import numpy as np
import pytest

from hub_estimator import errors
from hub_estimator.training.inputs.columns import Table
from hub_estimator.training.inputs.label_columns import LabelReader
from hub_estimator.training.labels.any_classes import AnyClasses
from hub_estimator.training.labels.numbers import Numbers
from hub_estimator.training.labels.one_class import OneClass
from hub_estimator.training.labels.unknown import AnyLabels

NAMES = ("a", "b", "c")
CLASS = OneClass(3)
NAMED = OneClass(3, NAMES)
BY_NAME = OneClass(3, NAMES, by_name=True)
SETS = AnyClasses(3)
NAMED_SETS = AnyClasses(3, NAMES)


def read(spec, *parts, names=None):
    columns = {str(number): values for number, values in enumerate(parts)}
    names = names or ("0" if len(parts) == 1 else list(columns))
    return LabelReader("TextFile.label", names).read(Table("'a.csv'", columns, first_row=2), spec)


@pytest.mark.parametrize(
    ("spec", "parts", "expected", "dtype"),
    [
        (CLASS, [["0", "2.0"]], [0, 2], np.int64),
        (CLASS, [np.array([1.0, 2])], [1, 2], np.int64),
        (CLASS, [np.array([[1], [2]])], [1, 2], np.int64),
        (NAMED, [["a", "c"]], [0, 2], np.int64),
        (NAMED, [["0", "2"]], [0, 2], np.int64),
        (NAMED, [np.array(["c", "b"])], [2, 1], np.int64),
        (NAMED, [np.array([2, 1])], [2, 1], np.int64),
        # Names that are numbers are names.
        (OneClass(2, ("1", "2")), [["1", "2"]], [0, 1], np.int64),
        (BY_NAME, [["a", "c"]], [b"a", b"c"], object),
        (OneClass(2, ("1", "2"), True), [[2, 1]], [b"2", b"1"], object),
        (SETS, [["0|2", ""]], [[1, 0, 1], [0, 0, 0]], np.int64),
        (SETS, [[[0, 2], []]], [[1, 0, 1], [0, 0, 0]], np.int64),
        (SETS, [[1, 2]], [[0, 1, 0], [0, 0, 1]], np.int64),
        (NAMED_SETS, [["a| c", "b|b"]], [[1, 0, 1], [0, 1, 0]], np.int64),
        (NAMED_SETS, [[["b"], ["a"]]], [[0, 1, 0], [1, 0, 0]], np.int64),
        (SETS, [["1", "0"], ["0", "0"], ["1", "1"]], [[1, 0, 1], [0, 0, 1]], np.int64),
        (SETS, [np.array([[True, False, True]])], [[1, 0, 1]], np.int64),
        (Numbers(), [["0.5", "2"]], [0.5, 2], np.float32),
        (Numbers(), [np.array([[1], [2]])], [1, 2], np.float32),
        (Numbers(2), [["1", "2"], ["3", "4"]], [[1, 3], [2, 4]], np.float32),
        (Numbers(2), [[[1, 2.5]]], [[1, 2.5]], np.float32),
        (AnyLabels(), [["0", "1.0"]], [0, 1], np.int64),
        (AnyLabels(), [["0.5", "-1"]], [0.5, -1], np.float32),
        (AnyLabels(), [["0", str(2**64)]], [0, 2**64], np.float32),
    ],
)
def test_labels(spec, parts, expected, dtype):
    labels = read(spec, *parts)
    assert labels.tolist() == expected and labels.dtype == dtype


NO_NAMES = (
    "is not a number. To have classes by name, list the names in the input's class_names or in the "
    "head's label_vocabulary."
)


@pytest.mark.parametrize(
    ("spec", "values", "message"),
    [
        (CLASS, ["1", "pos"], f"The label 'pos' in row 3 of 'a.csv' {NO_NAMES}"),
        (CLASS, ["1", ""], "The label in row 3 of 'a.csv' is missing."),
        (CLASS, [1, None], "The label in row 3 of 'a.csv' is missing."),
        (CLASS, ["1", "nan"], "The label 'nan' in row 3 of 'a.csv' is not a number."),
        *(
            (
                CLASS,
                ["1", wrong],
                (
                    f"The label {shown} in row 3 of 'a.csv' is not a class of the model's head, "
                    "which takes 0 to 2."
                ),
            )
            for wrong, shown in [("3", 3), (-1, -1), ("0.5", 0.5), (1234567, 1234567)]
        ),
        (
            NAMED,
            ["a", "z"],
            "The label 'z' in row 3 of 'a.csv' is not a class of the model's head. It has: a, b, c.",
        ),
        (
            NAMED,
            ["x", "z"],
            "The label 'x' in row 2 of 'a.csv' is not a class of the model's head. It has: a, b, c.",
        ),
        # One name among them: they are names.
        (
            NAMED,
            ["a", "1"],
            "The label '1' in row 3 of 'a.csv' is not a class of the model's head. It has: a, b, c.",
        ),
        (
            BY_NAME,
            ["a", 1],
            "The label '1' in row 3 of 'a.csv' is not a class of the model's head. It has: a, b, c.",
        ),
        (BY_NAME, ["a", ""], "The label in row 3 of 'a.csv' is missing."),
        (
            OneClass(12, tuple("abcdefghijkl"), True),
            ["z"],
            (
                "The label 'z' in row 2 of 'a.csv' is not a class of the model's head. It has: a, b, c, "
                "d, e, f, g, h, i, j and 2 more."
            ),
        ),
        (
            NAMED_SETS,
            ["a|b", "a|z"],
            "The label 'z' in row 3 of 'a.csv' is not a class of the model's head. It has: a, b, c.",
        ),
        (
            SETS,
            [[0], [1, 3]],
            "The label 3 in row 3 of 'a.csv' is not a class of the model's head, which takes 0 to 2.",
        ),
        (
            SETS,
            [[0, 1, 2], [0, 1, 1]],
            (
                "The label [0, 1, 1] in row 3 of 'a.csv' lists a class twice. Zeros and ones are given "
                "as a numpy array, or as one column for each class."
            ),
        ),
        *(
            (
                spec,
                [wrong[0], wrong],
                f"The label {wrong} in row 3 of 'a.csv' is no single class, as the model's head takes.",
            )
            for spec, wrong in [(CLASS, [0, 1]), (NAMED, ["a", "b"]), (BY_NAME, ["a"])]
        ),
        (SETS, ["0", None], "The label in row 3 of 'a.csv' is missing."),
        (CLASS, [1, 10**400], f"The label {'1' + '0' * 119}... in row 3 of 'a.csv' {NO_NAMES}"),
        (CLASS, ["1", "1_0"], f"The label '1_0' in row 3 of 'a.csv' {NO_NAMES}"),
        (
            NAMED,
            ["a", "\x1b[2J"],
            "The label '\\x1b[2J' in row 3 of 'a.csv' is not a class of the model's head. It has: a, b, c.",
        ),
        (SETS, ["0", "x|1"], f"The label 'x' in row 3 of 'a.csv' {NO_NAMES}"),
        (
            SETS,
            np.array([[0, 1, 0], [0, 2, 0]]),
            "The label 2 in row 3 of 'a.csv' is neither 0 nor 1.",
        ),
        (
            Numbers(),
            ["1", "x"],
            (
                "The label 'x' in row 3 of 'a.csv' is not a number, as the model's head takes. Where "
                "labels are names of classes, the head is BinaryClassHead for two and MultiClassHead "
                "for more, with the names in its label_vocabulary."
            ),
        ),
        (
            Numbers(2),
            [[1, 2], [3]],
            "The label [3] in row 3 of 'a.csv' is not a list of 2 numbers.",
        ),
        (AnyLabels(), ["1", "pos"], "The label 'pos' in row 3 of 'a.csv' is not a number."),
    ],
)
def test_wrong_labels(spec, values, message):
    with pytest.raises(errors.LabelError) as caught:
        read(spec, values)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("spec", "names", "message"),
    [
        (
            CLASS,
            ["0", "1"],
            "TextFile.label gives 2 columns of classes, the model's head takes 1.",
        ),
        (
            SETS,
            ["0", "1"],
            "TextFile.label gives 2 columns of classes, the model's head takes 3.",
        ),
        (
            Numbers(3),
            ["0", "1"],
            "TextFile.label gives 2 columns of numbers, the model's head takes 3.",
        ),
        (
            CLASS,
            {"x": "0"},
            (
                "TextFile.label is {'x': '0'}, but the model has one head: give it one column, or a "
                "list of columns."
            ),
        ),
        (
            {"x": CLASS, "y": CLASS},
            "0",
            (
                "TextFile.label is '0', but the model has the heads x, y: give it a dict with a column "
                "for each."
            ),
        ),
        (
            {"x": CLASS},
            {"z": "0"},
            (
                "TextFile.label is {'z': '0'}, but the model has the heads x: give it a dict with a "
                "column for each."
            ),
        ),
    ],
)
def test_other_columns_than_the_heads_need(spec, names, message):
    with pytest.raises(errors.ModelError) as caught:
        read(spec, ["1"], ["1"], names=names)
    assert str(caught.value) == message


def test_each_head_has_its_own():
    labels = read({"x": CLASS, "y": SETS}, ["1"], ["2"], names={"x": "0", "y": "1"})
    assert {name: each.tolist() for name, each in labels.items()} == {"x": [1], "y": [[0, 0, 1]]}
