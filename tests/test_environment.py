"""Numbers that environment variables give."""

from __future__ import annotations

import pytest

from hub_estimator import environment, errors


@pytest.mark.parametrize(
    ("given", "number"), [({}, 7), ({"A": ""}, 7), ({"A": "2.5"}, 2.5), ({"A": "1e9"}, 1e9)]
)
def test_numbers(given, number):
    assert environment.number_of("A", 7, given) == number


@pytest.mark.parametrize("text", ["0", "-1", "many", "nan", "inf"])
def test_what_is_none(text, monkeypatch):
    monkeypatch.setenv("A", text)
    with pytest.raises(errors.SettingError) as caught:
        environment.number_of("A", 7)
    assert str(caught.value) == f"A is {text!r}; it must be a number above zero."
