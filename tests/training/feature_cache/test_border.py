"""How the tensors on a border follow from what is stored of each example."""

from __future__ import annotations

import numpy as np
import pytest

from hub_estimator.training.feature_cache.border import (
    RULES,
    Border,
    Derived,
    Source,
    Stored,
    lengths_of,
)
from hub_estimator.training.feature_cache.pieces import Piece, joined
from hub_estimator.training.feature_cache.probe import Probe, Seen

LENGTHS = np.array([2, 0, 3])
VALUES = np.arange(10).reshape(5, 2)
BATCH = np.array([2, 1, 0])


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("splits", [0, 2, 2, 5]),
        ("row_ids", [0, 0, 2, 2, 2]),
        ("indices", [[0, 0], [0, 1], [2, 0], [2, 1], [2, 2]]),
    ],
)
def test_rules(rule, expected):
    found = Derived("a:0", "<i4", rule, 0).of(LENGTHS)
    assert found.dtype == np.int32 and found.tolist() == expected
    assert lengths_of(rule, found, 3).tolist() == [2, 0, 3]
    assert rule in RULES


def test_sizes():
    sizes = Derived("a:0", "<i8", "sizes", 0, ("examples", "longest", "total", 7))
    assert sizes.of(LENGTHS).tolist() == [3, 3, 5, 7]
    scalar = Derived("a:0", "<i8", "sizes", None, ("examples",), is_scalar=True)
    assert scalar.of(LENGTHS).tolist() == 3
    assert scalar.column([], 3)[BATCH].shape == ()


def columns():
    border = Border(
        stored=(
            Stored("flat:0", "<i8", (2,), 0),
            Stored("filled:0", "<i8", (2, 1), 0, is_padded=True, fill=-1),
            Stored("rows:0", "<f4", (1, 2)),
        ),
        derived=(Derived("splits:0", "<i4", "splits", 0), Derived("b:0", "<i4", "sizes", 0, (7,))),
        groups=(Source("splits:0", "splits"),),
    )
    assert Border.from_json(border.as_json()) == border
    rows = np.arange(6, dtype=np.float32).reshape(3, 2)
    return border.columns([LENGTHS[:, np.newaxis], VALUES, VALUES, rows], 3)


def test_a_batch():
    found = {name: column[BATCH] for name, column in columns().items()}
    assert found["flat:0"].tolist() == [[4, 5], [6, 7], [8, 9], [0, 1], [2, 3]]
    assert found["filled:0"][..., 0].tolist() == [
        [[4, 5], [6, 7], [8, 9]],
        [[-1, -1], [-1, -1], [-1, -1]],
        [[0, 1], [2, 3], [-1, -1]],
    ]
    assert found["rows:0"].tolist() == [[[4, 5]], [[2, 3]], [[0, 1]]]
    assert found["splits:0"].tolist() == [0, 3, 3, 5]
    assert found["b:0"].tolist() == [7]


def test_no_examples_with_rows():
    found = {name: column[np.array([1])] for name, column in columns().items()}
    assert found["flat:0"].shape == (0, 2) and found["filled:0"].shape == (1, 0, 2, 1)


WHOLE = {"tensor": "a:0", "dtype": "<i8", "rule": "splits", "group": 0, "sizes": []}


@pytest.mark.parametrize(
    "given",
    [
        None,
        {},
        [],
        {"stored": [{}], "derived": [], "groups": []},
        *(
            {"stored": [], "derived": [{**WHOLE, **change}], "groups": [{}]}
            for change in [
                {"dtype": "zz"},
                {"rule": "other"},
                {"group": 1},
                {"sizes": ["other"], "rule": "sizes"},
            ]
        ),
    ],
)
def test_what_is_no_border(given):
    with pytest.raises(ValueError, match="^it does not say what is stored$"):
        Border.from_json(given)


def test_rows_of_another_width():
    border = Border((Stored("a:0", "<i8", (3,)),), (), ())
    with pytest.raises(ValueError, match=r"^rows of 2 values are not of shape \(3,\)$"):
        border.columns([VALUES], 5)


def test_pieces_are_cut_and_joined():
    layout = Border((Stored("flat:0", "<i8", (2,), 0),), (), (Source(),)).layout
    whole = Piece(layout, (LENGTHS[:, np.newaxis], VALUES))
    parts = [whole.between(0, 1), whole.between(1, 2), whole.between(2, 3)]
    assert [len(part.arrays[1]) for part in parts] == [2, 0, 3]
    for array, again in zip(whole.arrays, joined(parts).arrays, strict=True):
        assert np.array_equal(array, again)


def tensors(lengths, examples=None):
    """Some tensors of examples whose rows are their numbers."""
    numbers = np.arange(len(lengths)) if examples is None else examples
    own = np.array(lengths)[: len(numbers)] if examples is None else np.array(lengths)[examples]
    filled = np.full([len(own), own.max()], 7, np.float32)
    anything = np.arange(filled.size, dtype=np.float32).reshape(filled.shape)
    for row, (number, length) in enumerate(zip(numbers, own, strict=True)):
        filled[row, :length] = anything[row, :length] = number + 1
    return {
        "flat": np.repeat(numbers, own),
        "ids": np.repeat(np.arange(len(own)), own).astype(np.int32),
        "rows": np.stack([numbers, numbers], 1).astype(np.float16),
        "filled": filled,
        "any": anything,
        "sizes": np.array([len(own), own.max(), 9]),
        "same": np.array([9]),
        "centered": numbers - np.mean(numbers),
        "strings": np.array([b"a"] * len(own), object),
        "flag": np.array(True),
    }


@pytest.fixture
def probe():
    lengths = [3, 1, 2]
    seen = [Seen(each, tensors(lengths, each)) for each in (np.arange(3), np.array([2, 0]))]
    singles = [tensors(lengths, np.array([number])) for number in range(3)]
    return Probe(singles, seen, filled=np.array(lengths))


def test_what_the_examples_show(probe):
    kinds = {name: found.kind for name, found in probe.found.items()}
    assert probe.groups == [Source("ids", "row_ids"), Source()]
    assert kinds == {
        "flat": Stored("flat", "<i8", (), 0),
        "ids": Derived("ids", "<i4", "row_ids", 0),
        "rows": Stored("rows", "<f2", (2,)),
        "filled": Stored("filled", "<f4", (), 1, is_padded=True, fill=7.0),
        "any": Stored("any", "<f4", (), 1, is_padded=True),
        "sizes": Derived("sizes", "<i8", "sizes", 0, ("examples", "longest", 9)),
    }
    assert probe.found["flat"].size == 8 * 6 / 3 and probe.found["ids"].size == 0


def test_a_border_has_the_groups_that_it_needs(probe):
    border = probe.border(["filled", "rows"])
    assert border.groups == (Source(),) and border.stored[0].group == 0
    border = probe.border(["flat", "ids"])
    assert border.groups == (Source("ids", "row_ids"),)
    assert border.layout.lengths == (None, 0)
    assert [dtype.name for dtype in border.layout.dtypes] == ["int64", "int64"]
