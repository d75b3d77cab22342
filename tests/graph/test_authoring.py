"""Defining modules, and every mistake in it."""

from __future__ import annotations

import functools

import numpy as np
import pytest
import tensorflow as tf

import hub_estimator as hub
from hub_estimator import errors
from tests import modules
from tests.modules import TRAIN, X23, tf1


def _x(name="x"):
    return tf1.placeholder(tf.float32, [None, 3], name=name)


def _error(module_fn, kind, *args, **kwargs):
    with pytest.raises(kind) as raised:
        hub.create_module_spec(module_fn, *args, **kwargs)
    assert isinstance(raised.value, errors.DefinitionError)
    assert isinstance(raised.value, ValueError)
    return str(raised.value)


def plain_fn(**kwargs):
    x = _x()
    hub.add_signature(inputs=x, outputs=x * modules.variable("w", [3]))


def test_tags_are_lists_or_sets_and_sorted():
    expected = [frozenset(), frozenset({"a", "b"}), TRAIN]
    for order in ([["train"], {"b", "a"}, set()], [(), ("a", "b"), frozenset({"train"})]):
        spec = hub.create_module_spec(plain_fn, [(tags, {}) for tags in order])
        assert spec.get_tags() == expected
    assert repr(spec) == (
        "<ModuleSpec: The module of plain_fn, variants set(), {'a', 'b'}, {'train'}>"
    )


def test_arguments_reach_the_function():
    seen = []

    def module_fn(**kwargs):
        seen.append(kwargs)
        plain_fn()

    hub.create_module_spec(module_fn, [(set(), {"depth": 1}), (TRAIN, {"depth": 2})])
    assert seen == [{"depth": 1}, {"depth": 2}]


def test_the_function_runs_in_graphs_of_its_own():
    before = tf1.get_default_graph().as_graph_def()
    hub.create_module_spec(plain_fn)
    assert tf1.get_default_graph().as_graph_def() == before


def test_variables_are_resources_unless_the_function_says_otherwise():
    def module_fn():
        modules.variable("resource", [2])
        modules.variable("ref", [2], use_resource=False)
        tf1.Variable(1.0, name="plain")
        with tf1.variable_scope("refs", use_resource=False):
            modules.variable("scoped", [2])
        hub.add_signature(outputs=tf.constant(1))

    variables = hub.create_module_spec(module_fn).variables
    assert {entry.op_name: entry.proto.is_resource for entry in variables} == {
        "resource": True,
        "ref": False,
        "plain": True,
        "refs/scoped": False,
    }


def test_defining_works_while_executing_eagerly():
    specs = []

    def program():
        specs.append(hub.create_module_spec(plain_fn))

    modules.in_thread(program)
    assert specs[0].get_signature_names() == ["default"]


def test_dropped_collections():
    def module_fn():
        plain_fn()
        tf1.add_to_collection("mine", object())
        tf1.add_to_collection(tf1.GraphKeys.MOVING_AVERAGE_VARIABLES, tf1.global_variables()[0])

    assert _error(module_fn, errors.UnsupportedCollectionError) == (
        "The graph of test_dropped_collections.<locals>.module_fn has the collections 'mine', "
        "'moving_average_variables', which a module cannot carry. Do not add to them, or pass "
        "drop_collections=['mine', 'moving_average_variables']."
    )
    dropped = ["mine", tf1.GraphKeys.MOVING_AVERAGE_VARIABLES]
    spec = hub.create_module_spec(module_fn, drop_collections=dropped)
    assert set(spec.variant().meta_graph.collection_def) == {"variables", "trainable_variables"}


def test_carried_collections_can_be_dropped():
    def module_fn():
        plain_fn()
        loss = tf.reduce_sum(tf1.global_variables()[0])
        tf1.add_to_collection(tf1.GraphKeys.REGULARIZATION_LOSSES, loss)

    spec = hub.create_module_spec(module_fn, drop_collections=[tf1.GraphKeys.REGULARIZATION_LOSSES])
    hub.Module(spec, trainable=True)
    assert tf1.losses.get_regularization_losses() == []


def test_no_signature():
    def module_fn():
        modules.variable("w", [1])

    assert _error(module_fn, errors.NoSignatureError) == (
        "test_no_signature.<locals>.module_fn added no signature. Call "
        "hub.add_signature(inputs=..., outputs=...) in it."
    )


def test_no_variants():
    assert _error(plain_fn, errors.DefinitionError, []) == (
        "tags_and_args is empty. Give at least one pair, for example [(set(), {})]."
    )


def test_equal_tags():
    pairs = [(["a", "b"], {}), ({"b", "a"}, {})]
    assert _error(plain_fn, errors.DuplicateTagsError, pairs) == (
        "Two graph variants have the tags {'a', 'b'}. Give each pair in tags_and_args another set "
        "of tags."
    )
    pairs = [([], {}), (set(), {})]
    assert _error(plain_fn, errors.DuplicateTagsError, pairs) == (
        "Two graph variants have the tags set(). Give each pair in tags_and_args another set of "
        "tags."
    )


def test_no_variant_need_have_all_variables():
    def module_fn(names):
        for name in names:
            modules.variable(name, [1])
        hub.add_signature(outputs=tf.constant(1))

    spec = hub.create_module_spec(module_fn, [(set(), {"names": "ab"}), (TRAIN, {"names": "bc"})])
    assert [entry.key for entry in spec.variables] == ["a", "b", "c"]
    assert sorted(hub.Module(spec, tags=TRAIN).variable_map) == ["b", "c"]


def test_variables_of_another_shape():
    def module_fn(width):
        modules.variable("w", [width])
        hub.add_signature(outputs=tf.constant(1))

    pairs = [(set(), {"width": 1}), (TRAIN, {"width": 2})]
    assert _error(module_fn, errors.VariablesDifferError, pairs) == (
        "The variable 'w' is float32 (1,) in one graph variant and float32 (2,) in that with the "
        "tags {'train'}. Variants share their variables: give it one type and shape, or two names."
    )


def test_variables_in_other_parts():
    def module_fn(parts):
        partitioner = tf1.fixed_size_partitioner(parts) if parts else None
        w = tf1.get_variable("w", [4], partitioner=partitioner)
        hub.add_signature(outputs=tf.convert_to_tensor(w))

    pairs = [(set(), {"parts": 0}), ({"two"}, {"parts": 2}), ({"three"}, {"parts": 3})]
    spec = hub.create_module_spec(module_fn, pairs)
    assert [entry.op_name for entry in spec.variables] == ["w"]


def test_state_colocated_with_what_will_not_be_there():
    def module_fn():
        x = _x()
        with tf1.colocate_with(x):
            modules.variable("w", [3], use_resource=False)
        hub.add_signature(inputs=x, outputs=x)

    assert _error(module_fn, errors.ColocationError) == (
        "The variable or table 'w' is colocated with 'x', which holds no state and is not there "
        "when the module is instantiated. Make it outside of tf.colocate_with."
    )


def test_state_colocated_with_state():
    def module_fn():
        w = modules.variable("w", [3], use_resource=False)
        with tf1.colocate_with(w):
            v = modules.variable("v", [3], use_resource=False)
        hub.add_signature(outputs=w + v)

    module = hub.Module(hub.create_module_spec(module_fn), name="m")
    assert module.variable_map["v"].op.colocation_groups() == [b"loc:@m/w"]


def test_an_input_colocated_with_another_node():
    def module_fn():
        w = modules.variable("w", [3])
        with tf1.colocate_with(w):
            x = _x()
        hub.add_signature(inputs=x, outputs=x)

    assert _error(module_fn, errors.ColocationError) == (
        "The input 'x' of the signature 'default' is colocated with 'w', but the caller's tensor "
        "takes its place. Make it outside of tf.colocate_with."
    )


def test_several_inputs_out_of_one_operation():
    def module_fn():
        a, b = tf.split(tf.constant([1.0, 2.0]), 2)
        hub.add_signature("s", inputs={"a": a, "b": b}, outputs=a + b)

    assert _error(module_fn, errors.ColocationError) == (
        "The signature 's' has several inputs from the one operation 'split'. Make a placeholder "
        "for each input."
    )


def test_the_same_input_twice():
    def module_fn():
        x = _x()
        hub.add_signature(inputs={"a": x, "b": x}, outputs=x)

    assert _error(module_fn, errors.ColocationError) == (
        "The signature 'default' has several inputs from the one operation 'x'. Make a "
        "placeholder for each input."
    )


def test_a_signature_twice():
    def module_fn():
        hub.add_signature(outputs=tf.constant(1))
        hub.add_signature("default", outputs=tf.constant(1))

    message = _error(module_fn, errors.SignatureError)
    assert message == (
        "The signature 'default' is added twice. Give each add_signature another name."
    )


@pytest.mark.parametrize("given", [5, "text", None, [1, 2], np.float32(1)])
def test_outputs_that_are_no_tensors(given):
    def module_fn():
        hub.add_signature(inputs=_x(), outputs={"y": given})

    message = _error(module_fn, errors.SignatureError)
    assert message == (
        f"The output 'y' of the signature 'default' is {given!r}, not a tensor. Give tensors, or "
        "convert with tf.convert_to_tensor first."
    )


@pytest.mark.parametrize("kind", ["input", "output"])
def test_slices_are_no_tensors_of_signatures(kind):
    def module_fn():
        slices = tf.IndexedSlices(_x(), tf1.placeholder(tf.int64, [None]))
        hub.add_signature("s", **{"outputs": _x("y"), f"{kind}s": {"a": slices}})

    message = _error(module_fn, errors.SignatureError)
    assert message == (
        f"The {kind} 'a' of the signature 's' is of the type IndexedSlices, but signatures have "
        "dense, sparse and ragged tensors. Convert it first, or give its parts."
    )


def test_tensors_of_another_graph():
    other = tf.constant(1)

    def module_fn():
        hub.add_signature("s", inputs=other, outputs=_x())

    assert _error(module_fn, errors.SignatureError) == (
        f"The input 'default' of the signature 's', {other!r}, is of another graph. Make all "
        "tensors inside of module_fn."
    )


def test_a_variable_is_an_output():
    def module_fn():
        hub.add_signature(
            outputs={
                "default": modules.variable("w", [2]),
                "ref": modules.variable("r", [2], use_resource=False),
            }
        )

    outputs = hub.Module(hub.create_module_spec(module_fn))(as_dict=True)
    with tf1.Session() as session:
        modules.initialize(session)
        for value in session.run(outputs).values():
            np.testing.assert_array_equal(value, np.float32([0.1, 0.2]))


def test_outputs_of_several_signatures_may_be_the_same():
    def module_fn():
        x = _x()
        y = x + 1
        hub.add_signature(inputs=x, outputs={"default": y, "again": y})
        hub.add_signature("other", inputs={"given": x}, outputs={"result": y})

    spec = hub.create_module_spec(module_fn)
    assert spec.get_signature_names() == ["default", "other"]
    module = hub.Module(spec)
    with tf1.Session() as session:
        for value in session.run(module(X23, as_dict=True)).values():
            np.testing.assert_array_equal(value, X23 + 1)


def test_an_input_in_the_middle_of_the_graph():
    def module_fn():
        start = _x()
        middle = start * 2
        hub.add_signature("middle", inputs=middle, outputs=middle + 1)
        hub.add_signature(inputs=start, outputs=middle + 1)

    module = hub.Module(hub.create_module_spec(module_fn))
    with tf1.Session() as session:
        values = session.run([module(X23), module(X23, "middle")])
    np.testing.assert_array_equal(values[0], 2 * X23 + 1)
    np.testing.assert_array_equal(values[1], X23 + 1)


# --- attached messages -----------------------------------------------------------------------


def _with_message(*pairs):
    def module_fn():
        plain_fn()
        for key, message in pairs:
            hub.attach_message(key, message)

    return module_fn


def _info(height):
    info = hub.ImageModuleInfo()
    info.default_image_size.height = height
    return info


def test_the_last_message_under_a_key_wins():
    spec = hub.create_module_spec(_with_message(("k", _info(1)), ("j", _info(3)), ("k", _info(2))))
    for place in (spec, hub.Module(spec)):
        assert place.get_attached_message("k", hub.ImageModuleInfo) == _info(2)
        assert place.get_attached_message("j", hub.ImageModuleInfo, required=True) == _info(3)
        assert place.get_attached_message("nothing", hub.ImageModuleInfo) is None


def test_a_required_message_that_is_not_there():
    spec = hub.create_module_spec(_with_message(("k", _info(1))))
    for place in (spec, hub.Module(spec)):
        with pytest.raises(errors.MessageNotFoundError) as raised:
            place.get_attached_message("nothing", hub.ImageModuleInfo, required=True)
        assert isinstance(raised.value, KeyError)
        assert str(raised.value) == (
            "The module of _with_message.<locals>.module_fn has no message 'nothing' attached for "
            "the tags set(). It has: 'k'."
        )


def test_a_message_of_another_type():
    spec = hub.create_module_spec(_with_message(("k", tf1.AttrValue(s=b"\xff"))))
    with pytest.raises(errors.MessageTypeError) as raised:
        spec.get_attached_message("k", tf1.GraphDef)
    assert str(raised.value) == (
        "The message attached under 'k' is not a tensorflow.GraphDef; ask the module's publisher "
        "for its type."
    )


@pytest.mark.parametrize("key", ["", "1a", "_a", "a-b", "a b", "ä", None, 5, "a\n"])
def test_keys_of_messages(key):
    assert _error(_with_message((key, _info(1))), errors.MessageError) == (
        f"The key {key!r} of an attached message is not a letter followed by letters, digits and "
        "underscores."
    )


def test_what_is_no_message():
    assert _error(_with_message(("k", "text")), errors.MessageError) == (
        "What is attached under 'k' is 'text', not a protobuf message."
    )


# --- names -----------------------------------------------------------------------------------


def test_names_of_signatures_and_outputs_are_text():
    def with_name():
        hub.add_signature(5, outputs=tf.constant(1))

    def with_key():
        hub.add_signature(outputs={5: tf.constant(1)})

    assert _error(with_name, errors.SignatureError) == "The name of a signature is 5, not a str."
    assert _error(with_key, errors.SignatureError) == (
        "The name of an output of the signature 'default' is 5, not a str."
    )


def test_functions_of_every_kind():
    class Builder:
        def __call__(self, width):
            hub.add_signature(outputs=tf.zeros([width]))

    for module_fn in (Builder(), functools.partial(Builder(), width=3)):
        spec = hub.create_module_spec(module_fn, [(set(), {"width": 3})])
        assert spec.source == ("The module of test_functions_of_every_kind.<locals>.Builder")


def test_what_the_function_raises_comes_through():
    def module_fn():
        raise FileNotFoundError("mine")

    with pytest.raises(FileNotFoundError, match="mine"):
        hub.create_module_spec(module_fn)
