"""A caller's values as a signature's inputs, and its outputs."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

import hub_estimator as hub
from hub_estimator import errors
from tests import modules
from tests.modules import X23, tf1


def several_fn():
    a = tf1.placeholder(tf.float32, [None, 3])
    b = tf1.placeholder(tf.int64, [])
    s = tf1.sparse_placeholder(tf.float32, [None, 3])
    r = tf1.ragged.placeholder(tf.float32, 1, [])
    hub.add_signature("two", inputs={"a": a, "b": b}, outputs={"sum": a + tf.cast(b, tf.float32)})
    hub.add_signature("one", inputs=a, outputs={"default": a, "other": -a})
    hub.add_signature("sparse", inputs=s, outputs=tf.sparse.to_dense(s))
    values = tf1.placeholder(tf.float32, [None])
    splits = tf1.placeholder(tf.int64, [None])
    r = tf.RaggedTensor.from_row_splits(values, splits, validate=False)
    hub.add_signature("ragged", inputs=r, outputs=r + 1)
    text = tf1.placeholder(tf.string, [None])
    hub.add_signature("text", inputs=text, outputs=tf.strings.length(text))
    hub.add_signature("none", outputs=tf.constant(1.0))


@pytest.fixture
def module():
    return hub.Module(hub.create_module_spec(several_fn))


def _run(tensor):
    with tf1.Session() as session:
        return session.run(tensor)


def _error(module, inputs, signature, kind=errors.InputError, **kwargs):
    with pytest.raises(kind) as raised:
        module(inputs, signature=signature, **kwargs)
    assert isinstance(raised.value, TypeError)
    return str(raised.value)


OF = "of the module of several_fn"


@pytest.mark.parametrize(
    "value",
    [[[1, 2, 3]], [[1.0, 2.0, 3.0]], np.float32([[1, 2, 3]]), ((1, 2, 3),)],
)
def test_values_are_converted(module, value):
    np.testing.assert_array_equal(_run(module(value, signature="one")), [[1, 2, 3]])


def test_text_is_converted(module):
    np.testing.assert_array_equal(_run(module(["ab", "c"], signature="text")), [2, 1])
    np.testing.assert_array_equal(_run(module(np.array(["ab"]), signature="text")), [2])
    np.testing.assert_array_equal(_run(module(np.array([b"ab"], object), signature="text")), [2])


def test_variables_are_inputs(module):
    for use_resource in (True, False):
        variable = tf1.Variable(X23, use_resource=use_resource)
        y = module(variable, signature="one")
        with tf1.Session() as session:
            session.run(tf1.global_variables_initializer())
            np.testing.assert_array_equal(session.run(y), X23)


def test_shapes_of_unknown_rank_are_taken(module):
    x = tf1.placeholder_with_default(X23, None)
    np.testing.assert_array_equal(_run(module(x, signature="one")), X23)


def test_sparse_values(module):
    value = tf1.SparseTensorValue([[0, 1]], np.float32([5]), [1, 3])
    for given in (value, tf.SparseTensor.from_value(value)):
        np.testing.assert_array_equal(_run(module(given, signature="sparse")), [[0, 5, 0]])


def test_ragged_values(module):
    value = tf1.ragged.constant_value([[1.0], [], [2.0, 3.0]], dtype=np.float32)
    for given in (value, tf.ragged.constant(value.to_list())):
        found = _run(module(given, signature="ragged"))
        assert found.to_list() == [[2.0], [], [3.0, 4.0]]


def test_no_inputs_are_none_or_an_empty_dict(module):
    assert _run(module(signature="none")) == 1
    assert _run(module({}, signature="none")) == 1


def test_a_dict_for_one_input(module):
    np.testing.assert_array_equal(_run(module({"default": X23}, signature="one")), X23)


def test_an_output_that_is_an_input_is_the_callers_tensor(module):
    x = tf.constant(X23)
    outputs = module(x, signature="one", as_dict=True)
    assert outputs["default"] is x
    np.testing.assert_array_equal(_run(outputs["other"]), -X23)


def test_as_dict(module):
    assert list(module(X23, signature="one", as_dict=True)) == ["default", "other"]
    assert isinstance(module(X23, signature="one", as_dict=False), tf.Tensor)


def test_missing_inputs(module):
    for given in ({"a": X23}, None):
        missing = "'b'" if given else "'a', 'b'"
        assert _error(module, given, "two") == (
            f"The signature 'two' {OF} takes the inputs 'a', 'b'. Missing: {missing}. Not known: "
            "none."
        )


def test_extra_inputs(module):
    assert _error(module, {"a": X23, "b": 1, "c": 1}, "two") == (
        f"The signature 'two' {OF} takes the inputs 'a', 'b'. Missing: none. Not known: 'c'."
    )


def test_several_inputs_need_a_dict(module):
    assert _error(module, X23, "two") == (
        f"The signature 'two' {OF} takes several inputs. Give a dict with the keys 'a', 'b'."
    )


def test_inputs_of_a_signature_without(module):
    assert _error(module, 5, "none") == (
        f"The signature 'none' {OF} takes no inputs, but was given 5."
    )


def test_another_type(module):
    assert _error(module, tf.constant([[1, 2, 3]]), "one") == (
        f"The input 'default' of the signature 'one' {OF} takes a float32 Tensor of shape "
        "(None, 3), but was given a int32 Tensor of shape (1, 3)."
    )


def test_another_shape(module):
    assert _error(module, [[1.0, 2.0]], "one") == (
        f"The input 'default' of the signature 'one' {OF} takes a float32 Tensor of shape "
        "(None, 3), but was given a float32 Tensor of shape (1, 2)."
    )


def test_a_value_that_does_not_convert(module):
    message = _error(module, [["a"]], "one")
    assert message.startswith(
        f"The input 'default' of the signature 'one' {OF} takes a float32 Tensor of shape "
        "(None, 3), and [['a']] cannot be converted: "
    )


def test_sparse_in_place_of_dense(module):
    value = tf1.SparseTensorValue([[0, 1]], np.float32([5]), [1, 3])
    assert _error(module, value, "one") == (
        f"The input 'default' of the signature 'one' {OF} takes a float32 Tensor of shape "
        "(None, 3), but was given a float32 SparseTensor of shape (1, 3)."
    )


def test_slices_in_place_of_dense(module):
    value = tf.IndexedSlices(tf.constant([[1.0, 2.0, 3.0]]), tf.constant([0]))
    assert _error(module, value, "one") == (
        f"The input 'default' of the signature 'one' {OF} takes a float32 Tensor of shape "
        "(None, 3), but was given a float32 IndexedSlices of shape (1, 3)."
    )


def test_slices_in_the_signature_of_a_saved_model(tmp_path):
    with tf.Graph().as_default(), tf1.Session() as session:
        x = tf.IndexedSlices(tf1.placeholder(tf.float32, [None]), tf1.placeholder(tf.int64, [None]))
        info = {"x": tf1.saved_model.build_tensor_info(x)}
        signature = tf1.saved_model.build_signature_def(info, info)
        builder = tf1.saved_model.Builder(str(tmp_path / "saved"))
        builder.add_meta_graph_and_variables(session, ["serve"], {"default": signature})
        builder.save()
    module = hub.Module(hub.create_module_spec_from_saved_model(tmp_path / "saved"), tags="serve")
    (info,) = module.get_input_info_dict().values()
    assert repr(info) == "<IndexedSlicesSpec dtype=float32 shape=(None,)>"
    value = tf.IndexedSlices(tf.constant([2.0]), tf.constant([3], tf.int64))
    assert _run(module(value, as_dict=True)["x"]).values == [2.0]


def test_dense_in_place_of_sparse(module):
    assert _error(module, 5, "sparse") == (
        f"The input 'default' of the signature 'sparse' {OF} takes a float32 SparseTensor of "
        "shape (None, 3), but was given 5."
    )


def test_ragged_of_another_depth(module):
    value = tf.ragged.constant([[[1.0]]])
    message = _error(module, value, "ragged")
    assert message.startswith(f"The input 'default' of the signature 'ragged' {OF} takes ")


def test_no_default_output(module):
    inputs = {"a": X23, "b": 1}
    assert _error(module, inputs, "two", errors.OutputError) == (
        f"The signature 'two' {OF} has no output named 'default'. Call with as_dict=True and take "
        "one of 'sum'."
    )


def test_a_tensor_of_another_graph(module):
    with tf.Graph().as_default():
        other = tf.constant(X23)
    assert _error(module, other, "one") == (
        f"The input 'default' of the signature 'one' {OF} was given {other!r}, which is a tensor "
        "of another graph."
    )


def test_a_tensor_of_another_graph_in_a_branch(module):
    with tf.Graph().as_default():
        other = tf.constant(X23)
    with pytest.raises(errors.InputError):
        tf.cond(tf1.placeholder(tf.bool, []), lambda: module(other, signature="one"), lambda: X23)


def test_an_eager_tensor(module):
    assert _error(module, _eager(), "one").startswith(
        f"The input 'default' of the signature 'one' {OF} takes a float32 Tensor of shape "
        "(None, 3), and <tf.Tensor: shape=(2, 3), dtype=float32, numpy="
    )


def _eager():
    found = []
    modules.in_thread(lambda: found.append(tf.constant(X23)))
    return found[0]
