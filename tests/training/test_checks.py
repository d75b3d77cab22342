"""What checks of settings say."""

from __future__ import annotations

import pytest

from hub_estimator import errors
from hub_estimator.training import checks


class Part:
    size = 1


@pytest.mark.parametrize(
    ("check", "message"),
    [
        (lambda: checks.whole_number("A.b", "4"), "A.b is '4'; it must be a whole number."),
        (lambda: checks.whole_number("A.b", 4.0), "A.b is 4.0; it must be a whole number."),
        (lambda: checks.whole_number("A.b", True), "A.b is True; it must be a whole number."),
        (lambda: checks.whole_number("A.b", 1, 2), "A.b is 1; it must be at least 2."),
        (lambda: checks.text("A.b", 3), "A.b is 3; it must be a text in quotes."),
        (lambda: checks.text("A.b", ""), "A.b is ''; it must be a text in quotes."),
        (lambda: checks.listed("A.b", Part, "[@P]"), "A.b is @Part; give it a list, as in [@P]."),
        (lambda: checks.listed("A.b", "x", "[@P]"), "A.b is 'x'; give it a list, as in [@P]."),
        (
            lambda: checks.part("A.b", Part, "@Part()"),
            "A.b is @Part, which nothing has called: write @Part(), with ().",
        ),
        (
            lambda: checks.part("A.b", 3, "@Part()", "size"),
            "A.b is 3; give it a part like @Part().",
        ),
    ],
)
def test_messages(check, message):
    with pytest.raises(errors.ModelError) as caught:
        check()
    assert str(caught.value) == message


def test_what_is_right():
    checks.whole_number("A.b", 0, 0)
    checks.text("A.b", "x")
    checks.listed("A.b", (), "[@P]")
    checks.part("A.b", Part(), "@Part()", "size")


@pytest.mark.parametrize(
    ("check", "message"),
    [
        (lambda: checks.number("A.b", "4"), "A.b is '4'; it must be a number."),
        (lambda: checks.number("A.b", True), "A.b is True; it must be a number."),
        (lambda: checks.number("A.b", -0.5), "A.b is -0.5; it must be at least 0."),
        (lambda: checks.number("A.b", float("nan")), "A.b is nan; it must be at least 0."),
        (lambda: checks.number("A.b", 1, 1.5), "A.b is 1; it must be at least 1.5."),
        (lambda: checks.fraction("A.b", 1), "A.b is 1; it must be less than 1."),
        (lambda: checks.fraction("A.b", -1), "A.b is -1; it must be at least 0."),
    ],
)
def test_messages_about_numbers(check, message):
    test_messages(check, message)


def test_a_function_that_nothing_has_called():
    def MultiClassHead():
        pass

    with pytest.raises(errors.InvalidSettingError) as caught:
        checks.part("Model.head", MultiClassHead, "@BinaryClassHead()", "create_estimator_spec")
    assert str(caught.value) == (
        "Model.head is @MultiClassHead, which nothing has called: write @BinaryClassHead(), with ()."
    )
    checks.part("ImageFolder.augment", MultiClassHead, "@Augmentation()", "__call__")


@pytest.mark.parametrize("value", ["", None, 3, 0.5])
def test_a_path(value):
    with pytest.raises(errors.InvalidSettingError) as caught:
        checks.path("A.path", value)
    assert str(caught.value) == f"A.path is {value!r}; it must be a path in quotes."
