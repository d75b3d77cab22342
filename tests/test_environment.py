"""Settings in environment variables."""

from __future__ import annotations

import pytest

from hub_estimator import environment, errors


@pytest.mark.parametrize("text", ["1", "true", "Yes", "on", "anything"])
def test_words_for_yes(text, monkeypatch):
    monkeypatch.setenv("SETTING", text)
    assert environment.is_true("SETTING")
    assert environment.is_true("SETTING", {"SETTING": text})
    assert not environment.is_true("SETTING", {})


@pytest.mark.parametrize("text", ["", " ", "0", "false", "No", "OFF "])
def test_words_for_no(text):
    assert not environment.is_true("SETTING", {"SETTING": text})


def test_numbers(monkeypatch):
    monkeypatch.setenv("SETTING", "1e3")
    assert environment.number("SETTING", 7.0, 1e6) == 1000
    assert environment.number("SETTING", 7.0, 1e6, {}) == 7
    assert environment.number("SETTING", 7.0, 1e6, {"SETTING": ""}) == 7


@pytest.mark.parametrize("text", ["much", "-1", "0", "nan"])
def test_numbers_that_mean_nothing(text):
    with pytest.raises(errors.SettingError) as caught:
        environment.number("SETTING", 7.0, 1e6, {"SETTING": text})
    assert str(caught.value) == f"SETTING is {text!r}; it must be a number above zero."


@pytest.mark.parametrize("text", ["inf", "1000001"])
def test_numbers_that_are_too_large(text):
    with pytest.raises(errors.SettingError) as caught:
        environment.number("SETTING", 7.0, 1e6, {"SETTING": text})
    assert str(caught.value) == f"SETTING is {text!r}; it can be at most 1e+06."
