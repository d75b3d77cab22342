"""What is kept of examples: any value as JSON, and back into lines of CSV and JSON."""

from __future__ import annotations

import datetime
import json
import math

import numpy as np
import pytest

from hub_estimator import errors
from hub_estimator.training import kept

NULL = b"null"


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        ("a", b'"a"'),
        ("", b'""'),
        ('ü "b"\n\u2028', '"ü \\"b\\"\\n\u2028"'.encode()),
        (b"bytes", b'"bytes"'),
        (7, b"7"),
        (2**70, str(2**70).encode()),
        (0.5, b"0.5"),
        (True, b"true"),
        (None, NULL),
        (math.nan, NULL),
        (math.inf, NULL),
        (np.float32(0.1), b"0.1"),
        (np.int64(3), b"3"),
        (np.array([1, 2]), b"[1, 2]"),
        ([1, None, {"a": "b"}], b'[1, null, {"a": "b"}]'),
        ([1.0, math.nan], b"[1.0, null]"),
        (datetime.date(2020, 1, 2), b'"2020-01-02"'),
        ("half \ud800", b'"half \\ud800"'),
        ({"a": "\udcff"}, b'{"a": "\\udcff"}'),
    ],
)
def test_each_value_is_json(value, encoded):
    (found,) = kept.column("x", [value])
    assert found == encoded
    json.loads(found)
    (line,) = kept.json_values(np.array([found], object))
    assert line.encode() == encoded


@pytest.mark.parametrize(
    ("value", "field"),
    [
        ("a", "a"),
        ("", ""),
        (" a ", " a "),
        ("a,b", '"a,b"'),
        ('a "b"', '"a ""b"""'),
        ("a\r\nb", '"a\r\nb"'),
        (None, ""),
        (7, "7"),
        (False, "false"),
        ([1, "b"], '"[1, ""b""]"'),
    ],
)
def test_fields_of_csv(value, field):
    assert kept.csv_fields(kept.column("x", [value])).tolist() == [field]


def test_a_value_that_is_nested_too_deeply():
    value: list = []
    for _ in range(100_000):
        value = [value]
    with pytest.raises(errors.DataFileError) as caught:
        kept.column("x", [value])
    assert str(caught.value) == "A value of 'x' is nested too deeply to be kept."


def test_features_of_the_model_are_told_from_what_is_kept():
    features = {"text": 1, kept.feature("text"): 2, kept.feature("a/b"): 3}
    of_model, others = kept.split(features)
    assert of_model == {"text": 1}
    assert {kept.name_of(name): value for name, value in others.items()} == {"text": 2, "a/b": 3}


@pytest.mark.parametrize("keep", ["id", [""], [1], 5, None])
def test_settings_that_are_no_names(keep):
    with pytest.raises(errors.InvalidSettingError) as caught:
        kept.check(keep, "Report.keep")
    assert str(caught.value) == (
        f"Report.keep is {keep!r}; it must be a list of columns in quotes, as in ['id']."
    )


def test_each_name_once():
    assert kept.check(["a", "b", "a"], "x") == ("a", "b")
