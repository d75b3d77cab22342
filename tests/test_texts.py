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


def test_one_line():
    assert texts.one_line(" a\n  b\tc ") == "a b c"
    assert texts.one_line("über \x1b]0;title\x07 \x9b2J") == "über \\x1b]0;title\\x07 \\x9b2J"
    long = texts.one_line("a" * 10_000 + "z" * 10_000)
    assert len(long) == 4005 and long.startswith("aaa") and long.endswith("zzz")
