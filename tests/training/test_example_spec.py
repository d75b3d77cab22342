"""What a model takes of each example, and the names of its classes."""

from __future__ import annotations

from hub_estimator.training.example_spec import LabelSpec, class_names_of


def test_class_names_of_labels():
    named = LabelSpec("class", 2, ("a", "b"))
    assert class_names_of(named) == ("a", "b")
    assert class_names_of(LabelSpec("number")) is None
    assert class_names_of({"x": named, "y": LabelSpec("number")}) == {"x": ("a", "b")}
    assert class_names_of({"y": LabelSpec("number")}) is None
