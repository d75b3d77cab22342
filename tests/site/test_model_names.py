"""The names of published models become paths and URLs: nothing else is taken."""

from __future__ import annotations

import re

import pytest

from hub_estimator import errors
from hub_estimator.site import names

HOSTILE = [
    *("", "acme", "acme/", "/reviews", "acme/reviews/en", "acme//en", "/acme/reviews", "a/b/"),
    *("../reviews", "acme/..", "../../etc", "./acme", "acme/.", "acme/.git", ".acme/x"),
    *("Acme/reviews", "acme/Reviews", "acme/re views", " acme/reviews", "acme/reviews "),
    *("acme\\reviews", "acme/reviews\n", "acme/re\x00views", "acme/re\x1b[31m", "acme/\u202ex"),
    *("acme/reviews.tar.gz", "acme/1", "1/acme", "acme/-x", "acme/re?x", "acme/re#x", "acme/%2e"),
    *("acme/é", "acme/ｘ", "acme/" + "x" * 65, "x" * 65 + "/en", None, 3, b"acme/reviews"),
]


@pytest.mark.parametrize(
    "name", ["acme/reviews-en", "a/b", "google_2/nnlm-en-dim128_", "x/" + "y" * 64]
)
def test_a_name_is_an_owner_and_a_model(name):
    names.check(name)


@pytest.mark.parametrize("name", HOSTILE, ids=repr)
def test_another_name_is_refused(name):
    with pytest.raises(
        errors.InvalidModelNameError, match="cannot be the name of a published model"
    ):
        names.check(name)


def test_the_message_says_what_a_name_is():
    with pytest.raises(errors.InvalidModelNameError) as caught:
        names.check("../x")
    assert str(caught.value) == (
        "'../x' cannot be the name of a published model. Give an owner and a model, as in "
        "acme/reviews-en: each begins with a lower-case letter, and has these, digits, '-' and '_', "
        "at most 64."
    )


@pytest.mark.parametrize("text", ["0", "-1", "01", "1.0", "", "next", "٣", "1\n", "1" * 10, "1/2"])
def test_a_version_is_a_whole_number(text):
    assert names.version_of(text) is None
    message = re.escape(f"{text!r} cannot be a version. Give a whole number from 1 to 999999999.")
    with pytest.raises(errors.InvalidModelNameError, match=message):
        names.parse_version(text)


def test_a_version_is_told_by_its_number():
    assert names.parse_version("12") == names.version_of("12") == 12
