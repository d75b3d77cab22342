"""The values of a column of a table, and what messages say of one."""

from __future__ import annotations

import numpy as np
import pytest

from hub_estimator import errors
from hub_estimator.training import cells
from hub_estimator.training.cells import Cells


def made(values, **changes):
    what = ("The value", " of 'size'")
    return Cells(values, what, lambda row: f"row {row}", errors.DataFileError, **changes)


def test_an_array_is_split_into_columns_of_single_values():
    array = np.arange(12).reshape(2, 3, 2)
    assert [part.values.tolist() for part in made(array).split()] == [
        [column, 6 + column] for column in range(6)
    ]
    for single in (made(np.array([1, 2])), made([[1, 2], [3]])):
        assert single.split() == [single]


def test_columns_side_by_side():
    one, two = np.array([1, 2]), np.array([3, 4])
    assert cells.side_by_side([one]) is one
    assert cells.side_by_side([one, two]).tolist() == [[1, 3], [2, 4]]


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("x", "'x' of 'size' in row 1 is no size."),
        (
            "1,000",
            (
                "'1,000' of 'size' in row 1 is no size; in numbers a point is before the fraction, and "
                "no comma anywhere."
            ),
        ),
        (None, "of 'size' in row 1 is missing."),
    ],
)
def test_what_is_no_number(value, why):
    with pytest.raises(errors.DataFileError) as caught:
        cells.parse_numbers(made(["1", value], no_number="is no size"))
    assert str(caught.value) == f"The value {why}"
