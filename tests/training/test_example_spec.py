"""What a model takes of each example, and the names of its classes."""

from __future__ import annotations

import pytest

from hub_estimator import compat, errors
from hub_estimator.training.example_spec import ExampleSpec, class_names_of
from hub_estimator.training.labels.numbers import Numbers
from hub_estimator.training.labels.one_class import OneClass
from hub_estimator.training.model import heads


def test_class_names_of_labels():
    named = OneClass(2, ("a", "b"))
    assert class_names_of(named) == ("a", "b")
    assert class_names_of(Numbers()) is None
    assert class_names_of({"x": named, "y": Numbers()}) == {"x": ("a", "b")}
    assert class_names_of({"y": Numbers()}) is None


@pytest.mark.parametrize(
    ("name", "reason"),
    [("../../x", "it starts with a dot"), ("/x", "it holds a slash"), ("", "it is empty")],
)
def test_heads_have_names_of_files(name, reason):
    with pytest.raises(errors.InvalidPathNameError) as caught:
        ExampleSpec({}, {"a": Numbers(), name: Numbers()})
    assert str(caught.value) == (
        f"The name of a head is {name!r}, which cannot be the name of a file or folder: {reason}. "
        "Choose a name of letters, digits, '_' and '-'."
    )


def test_a_multi_head_whose_head_leads_elsewhere():
    parts = [compat.head_class("RegressionHead")(name=name) for name in ("a", "../../x")]
    labels = heads.label_spec(compat.head_class("MultiHead")(parts))
    with pytest.raises(errors.InvalidPathNameError, match=r"^The name of a head is '\.\./\.\./x',"):
        ExampleSpec({}, labels)
