"""JSON from outside."""

from __future__ import annotations

import pytest

from hub_estimator import json_text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": [1, 2.5, null, true, "ä"]}', {"a": [1, 2.5, None, True, "ä"]}),
        ('{"a": {"a": 1}, "b": {"a": 2}}', {"a": {"a": 1}, "b": {"a": 2}}),
        ("\ufeff[]".encode(), []),
        (f"{'[' * 300}{']' * 300}", None),
    ],
)
def test_what_is_well(text, value):
    parsed = json_text.parse(text)
    assert parsed == value or value is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a": 1', "Expecting ',' delimiter: line 1 column 8 (char 7)"),
        (b"\xff", "'utf-8' codec can't decode byte 0xff in position 0: invalid start byte"),
        ('{"b": {"a": 1, "c": 2, "a": 3}}', "an object has the key 'a' twice"),
        ('{"\\u001b": 1, "\\u001b": 3}', "an object has the key '\\x1b' twice"),
        (f"[{'9' * 5000}]", "it has a whole number of too many digits"),
        *((mark * 200_000, "it is nested too deeply") for mark in ("[", '{"a":')),
    ],
)
def test_what_is_wrong(text, message):
    with pytest.raises(ValueError) as caught:
        json_text.parse(text)
    assert str(caught.value) == message
