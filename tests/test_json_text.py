"""JSON from outside."""

from __future__ import annotations

import dataclasses
import enum

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


class Color(enum.Enum):
    RED = "red"


@dataclasses.dataclass(frozen=True)
class Inner:
    tags: frozenset[str]
    size: float

    @property
    def count(self):
        return len(self.tags)


@dataclasses.dataclass(frozen=True)
class Outer:
    inner: tuple[Inner, ...]
    color: Color
    by_name: dict


def test_values_become_what_json_has():
    inner = Inner(frozenset({"b", "a"}), float("nan"))
    plain = json_text.as_plain(Outer((inner,), Color.RED, {1: [None, True, 2.5, "ä"]}))
    assert plain == {
        "inner": [{"tags": ["a", "b"], "size": None, "count": 2}],
        "color": "red",
        "by_name": {"1": [None, True, 2.5, "ä"]},
    }
    assert list(plain) == ["inner", "color", "by_name"]


def test_the_text_is_ascii_and_is_read_again():
    value = {"a\x1b\u009b\u202e": ["ä\udc80", float("inf")]}
    text = json_text.text(value)
    assert text.isascii() and "\x1b" not in text and text.endswith("}\n")
    assert json_text.parse(text) == {"a\x1b\u009b\u202e": ["ä\udc80", None]}
