"""Real numbers of each example."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from hub_estimator import errors
from hub_estimator.training.cells import Cells
from hub_estimator.training.labels.numbers import Numbers
from tests.training.labels.label_contract import Given, LabelContract


class TestNumbers(LabelContract):
    given = Given(
        Numbers(),
        cells=["0.5", "-1", "2"],
        stored=[[0.5], [-1.0], [2.0]],
        taken=[0.5, -1, 2],
        wrong_cell=(
            "many",
            "'many'",
            (
                "is not a number, as the model's head takes. Where labels are names of classes, the "
                "head is BinaryClassHead for two and MultiClassHead for more, with the names in its "
                "label_vocabulary"
            ),
        ),
        wrong_stored=([float("inf")], "inf", "is not a finite number"),
        predicted=[[0.5], [-1.25], [4]],
        row={"prediction": 0.5},
    )


def lists(*values):
    return Cells(list(values), ("The label", ""), lambda row: f"row {row}", errors.LabelError)


def test_several_numbers_in_a_column_of_lists():
    labels = Numbers(2)
    assert labels.stored_shape == (2,)
    read = labels.read_columns([lists([1, 2], [3, 4])], "It", "|")
    assert read.tolist() == [[1, 2], [3, 4]] and read.dtype == np.float32
    array = np.empty(2, object)
    array[:] = [[1, 2], [3, 4]]
    whole = Cells(array, ("The label", ""), str, errors.LabelError)
    assert labels.read_columns([whole], "It", "|").tolist() == [[1, 2], [3, 4]]


@pytest.mark.parametrize("wrong", [[3], 3, [1, 2, 3]])
def test_lists_of_another_length(wrong):
    with pytest.raises(errors.LabelError) as caught:
        Numbers(2).read_columns([lists([1, 2], wrong)], "It", "|")
    assert str(caught.value) == f"The label {wrong} in row 1 is not a list of 2 numbers."


def test_texts_are_no_numbers():
    assert Numbers().wanted_instead(tf.string) == "numbers"
