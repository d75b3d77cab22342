"""Texts from outside in messages."""

from __future__ import annotations

import pytest

from hub_estimator import texts


@pytest.mark.parametrize(
    "value, shown",
    [
        ("a", "'a'"),
        ("\x1b[2Jä\u202e", "'\\x1b[2Jä\\u202e'"),
        ("x" * 1_000_000, f"'{'x' * 120}'... (1,000,000 characters)"),
        (b"\0" * 121, f"{bytes(120)!r}... (121 bytes)"),
        ([1] * 100, f"{str([1] * 100)[:120]}..."),
        (3, "3"),
    ],
)
def test_shown(value, shown):
    assert texts.shown(value) == shown


def test_what_python_cannot_show():
    nested = []
    for _ in range(200_000):
        nested = [nested]
    assert texts.shown(nested) == "a value of type list"
    assert texts.shown(10**5000) == "a value of type int"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("two words", "two words"),
        (3, "3"),
        ("", "''"),
        ("label ", "'label '"),
        ("a\x1b[31m", "'a\\x1b[31m'"),
        ("x" * 121, f"'{'x' * 120}'... (121 characters)"),
    ],
)
def test_shown_name(name, shown):
    assert texts.shown_name(name) == shown


def test_one_line():
    assert texts.one_line(" a\n  b\tc ") == "a b c"
    assert texts.one_line("über \x1b]0;title\x07 \x9b2J") == "über \\x1b]0;title\\x07 \\x9b2J"
    long = texts.one_line("a" * 10_000 + "z" * 10_000)
    assert len(long) == 4005 and long.startswith("aaa") and long.endswith("zzz")


def test_many_names_are_not_all_shown():
    assert texts.shown_names(["a"] * 10) == ", ".join("a" * 10)
    assert texts.shown_names(["a"] * 12) == ", ".join("a" * 10) + " and 2 more"


def test_columns_begin_one_below_the_other():
    rows = [["name", "size"], ["a\x1b[2J\n", "1"], ["x" * 100, ""]]
    assert texts.aligned(rows, most=10) == (
        "  name             size\n  a\\x1b[2J         1\n  xxxxx ... xxxxx\n"
    )
