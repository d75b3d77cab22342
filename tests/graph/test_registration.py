"""Registering modules for export."""

from __future__ import annotations

import pytest
import tensorflow as tf

import hub_estimator as hub
from hub_estimator import errors
from hub_estimator.graph.registration import registered_modules


def module():
    def module_fn():
        hub.add_signature(outputs=tf.constant(1.0))

    return hub.Module(hub.create_module_spec(module_fn))


def test_one_module_under_two_names_and_another():
    first, second = module(), module()
    for made, name in ((first, "a"), (first, "b"), (second, "c")):
        hub.register_module_for_export(made, name)
    assert registered_modules() == {"a": first, "b": first, "c": second}
    graph = tf.compat.v1.get_default_graph()
    with tf.Graph().as_default():
        assert registered_modules() == {}
        assert list(registered_modules(graph)) == ["a", "b", "c"]


def test_a_name_that_is_taken():
    hub.register_module_for_export(module(), "a")
    with pytest.raises(errors.ModelError) as caught:
        hub.register_module_for_export(module(), "a")
    assert str(caught.value) == "There is already a module registered as 'a'."


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("", "it is empty"),
        ("..", "it starts with a dot"),
        ("../../a", "it starts with a dot"),
        ("/a", "it holds a slash"),
        (b"a", "it is no text"),
    ],
)
def test_a_name_that_no_folder_can_have(name, reason):
    with pytest.raises(errors.InvalidPathNameError) as caught:
        hub.register_module_for_export(module(), name)
    assert str(caught.value) == (
        f"The export name is {name!r}, which cannot be the name of a file or folder: {reason}. "
        "Choose a name of letters, digits, '_' and '-'."
    )
    assert registered_modules() == {}
