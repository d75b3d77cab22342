"""One class of each example: by number, and by name."""

from __future__ import annotations

import numpy as np
import pytest

from hub_estimator import errors
from hub_estimator.training.labels.one_class import OneClass
from tests.training.labels.label_contract import Given, LabelContract

NAMES = ("cat", "dog")
NO_PET = "is not a class of the model's head. It has: cat, dog"


class TestOneClass(LabelContract):
    given = Given(
        OneClass(3),
        cells=["0", "2", "1"],
        stored=[[0], [2], [1]],
        taken=[0, 2, 1],
        wrong_cell=(
            "cat",
            "'cat'",
            (
                "is not a number. To have classes by name, list the names in the input's class_names "
                "or in the head's label_vocabulary"
            ),
        ),
        wrong_stored=([3], "3", "is not a class of the model's head, which takes 0 to 2"),
        predicted=[[0.75, 0.25, 0], [0, 0.25, 0.75], [0.5, 0.25, 0.25]],
        row={"class": "0", "class_id": 0, "probabilities": {"0": 0.75, "1": 0.25, "2": 0}},
    )


class TestOneClassByName(LabelContract):
    given = Given(
        OneClass(2, NAMES, by_name=True),
        cells=["dog", "cat", "cat"],
        stored=[[b"dog"], [b"cat"], [b"cat"]],
        taken=[b"dog", b"cat", b"cat"],
        wrong_cell=("eel", "'eel'", NO_PET),
        wrong_stored=([b"eel"], "'eel'", NO_PET),
        predicted=[[0.25, 0.75], [1, 0], [0, 1]],
        row={"class": "dog", "class_id": 1, "probabilities": {"cat": 0.25, "dog": 0.75}},
    )


def test_classes_of_the_data_in_another_order():
    numbers = np.array([0, 1, 1])
    assert OneClass(2, NAMES).from_one_class(numbers, ("dog", "cat"), "It").tolist() == [1, 0, 0]
    named = OneClass(2, NAMES, by_name=True).from_one_class(numbers, ("dog", "cat"), "It")
    assert named.tolist() == [b"dog", b"cat", b"cat"]
    assert OneClass(2).from_one_class(numbers, ("dog", "cat"), "It").tolist() == [0, 1, 1]


@pytest.mark.parametrize(
    ("labels", "has", "remedy"),
    [
        (OneClass(3), "3", ": take BinaryClassHead, in gin files Model.head = @BinaryClassHead()"),
        (OneClass(2, NAMES), "2: cat, dog", ""),
    ],
)
def test_other_classes_than_the_data_has(labels, has, remedy):
    with pytest.raises(errors.LabelError) as caught:
        labels.from_one_class(np.array([0]), ("dog", "eel"), "The folder 'a'")
    assert str(caught.value) == (
        f"The folder 'a' has 2 classes (dog, eel), the model has {has}. They must be the same{remedy}."
    )


@pytest.mark.parametrize(
    ("size", "remedy"),
    [
        (2, "take MultiClassHead, in gin files Model.head = @MultiClassHead()"),
        (10, "set n_classes, in packaged configurations NUM_CLASSES, to 3"),
    ],
)
def test_how_a_head_has_the_classes_of_the_data(size, remedy):
    with pytest.raises(errors.LabelError) as caught:
        OneClass(size).from_one_class(np.array([0]), ("a", "b", "c"), "The folder 'x'")
    assert str(caught.value) == (
        f"The folder 'x' has 3 classes (a, b, c), the model has {size}. They must be the same: {remedy}."
    )
