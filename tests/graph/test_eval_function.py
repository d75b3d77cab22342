"""Evaluation functions: the graph's results, without a graph."""

from __future__ import annotations

from concurrent import futures

import numpy as np
import pytest
import tensorflow as tf

import hub_estimator as hub
from hub_estimator import errors


def module_fn(scale=1.0):
    weight = tf.compat.v1.get_variable("weight", initializer=[1.0, 2.0])
    x = tf.compat.v1.placeholder(tf.float32, [None, 2])
    y = tf.compat.v1.placeholder(tf.int32, [])
    hub.add_signature(inputs=x, outputs=x * weight * scale)
    hub.add_signature("two", inputs={"x": x, "y": y}, outputs={"sum": x + tf.cast(y, tf.float32)})
    hub.add_signature("none", outputs={"default": weight + 0.0, "half": weight / 2.0})
    sparse = tf.compat.v1.sparse_placeholder(tf.float32)
    hub.add_signature("sparse", inputs=sparse, outputs={
        "dense": tf.sparse.to_dense(sparse), "default": sparse * 2.0,
    })  # fmt: skip
    ragged = tf.compat.v1.ragged.placeholder(tf.int32, 2, [])
    hub.add_signature("ragged", inputs=ragged, outputs=tf.math.add(ragged, 1))
    words = tf.compat.v1.placeholder(tf.string, [None])
    table = tf.lookup.StaticHashTable(
        tf.lookup.KeyValueTensorInitializer(["a", "b"], tf.constant([5, 6], tf.int64)), -1
    )
    hub.add_signature("words", inputs=words, outputs=table.lookup(words))
    hub.add_signature("echo", inputs=words, outputs=words)


@pytest.fixture(scope="module")
def spec():
    return hub.create_module_spec(module_fn, [([], {}), (["train"], {"scale": 10.0})])


@pytest.fixture
def evaluate(spec):
    with hub.eval_function_for_module(spec) as function:
        yield function


def test_dense(evaluate):
    assert evaluate([[1, 2]]).tolist() == [[1.0, 4.0]]
    assert evaluate(inputs=np.ones([2, 2]), signature="default").tolist() == [[1, 2], [1, 2]]
    assert evaluate({"default": [[1, 2]]}, as_dict=True)["default"].tolist() == [[1, 4]]
    assert evaluate({"x": [[1, 2]], "y": 3}, "two", as_dict=True)["sum"].tolist() == [[4, 5]]


def test_no_inputs(evaluate):
    assert evaluate(signature="none").tolist() == [1, 2]
    assert sorted(evaluate({}, "none", as_dict=True)) == ["default", "half"]


def test_sparse(evaluate):
    value = tf.compat.v1.SparseTensorValue([[0, 1]], [3.0], [1, 2])
    assert evaluate(value, "sparse", as_dict=True)["dense"].tolist() == [[0, 3]]
    doubled = evaluate(value, "sparse")
    assert isinstance(doubled, tf.compat.v1.SparseTensorValue) and doubled.values == [6.0]


def test_ragged(evaluate):
    value = tf.compat.v1.ragged.constant_value([[[1], []], [[2, 3]]], dtype=np.int32)
    assert evaluate(value, "ragged").to_list() == [[[2], []], [[3, 4]]]


def test_eager_tensors(evaluate):
    def run():
        sparse = tf.sparse.from_dense([[0.0, 3.0]])
        ragged = tf.ragged.constant([[[1], []], [[2, 3]]], dtype=tf.int32)
        assert evaluate(tf.constant([[1.0, 2.0]])).tolist() == [[1, 4]]
        assert evaluate(sparse, "sparse", as_dict=True)["dense"].tolist() == [[0, 3]]
        assert evaluate(ragged, "ragged").to_list() == [[[2], []], [[3, 4]]]

    with futures.ThreadPoolExecutor(1) as pool:  # its thread executes eagerly
        pool.submit(run).result()


def test_text_and_tables(evaluate):
    assert evaluate(["b", "x", b"a"], "words").tolist() == [6, -1, 5]
    assert evaluate([], "words").tolist() == []
    assert evaluate([b"a\0", "\u00e9"], "echo").tolist() == [b"a\0", "\u00e9".encode()]


def test_results_are_those_of_the_graph(spec, evaluate):
    module = hub.Module(spec)
    values = np.random.RandomState(0).rand(3, 2).astype(np.float32)
    output = module(values)
    with tf.compat.v1.Session() as session:
        session.run(tf.compat.v1.global_variables_initializer())
        assert np.array_equal(session.run(output), evaluate(values))


def test_a_signature_is_built_once_and_the_default_graph_is_left_alone(evaluate):
    evaluate([[1, 2]])
    operations = len(evaluate._graph.get_operations())
    evaluate([[3, 4]])
    assert len(evaluate._graph.get_operations()) == operations
    assert not tf.compat.v1.get_default_graph().get_operations()


def test_several_at_once_and_close(spec, tmp_path):
    first = hub.eval_function_for_module(spec)
    second = hub.eval_function_for_module(spec, tags=["train"])
    assert first([[1, 1]]).tolist() == [[1, 2]]
    assert second([[1, 1]]).tolist() == [[10, 20]]
    first.close()
    first.close()
    assert second([[1, 1]]).tolist() == [[10, 20]]
    with pytest.raises(errors.ClosedError) as caught:
        first([[1, 1]])
    assert str(caught.value) == (
        "The evaluation function of the module of module_fn is closed. Call it inside of the "
        "`with` block, or before close()."
    )
    second.close()


def test_a_handle_and_threads(spec, tmp_path):
    module = hub.Module(spec)
    with tf.compat.v1.Session() as session:
        session.run(module.variable_map["weight"].initializer)
        module.export(tmp_path / "m", session)
    with (
        hub.eval_function_for_module(tmp_path / "m") as evaluate,
        futures.ThreadPoolExecutor(4) as pool,
    ):
        results = list(pool.map(lambda _: evaluate([[1, 1]]).tolist(), range(4)))
    assert results == [[[1, 2]]] * 4


def test_initializing_that_fails():
    def failing():
        value = tf.strings.to_number(tf.constant("seven"))
        hub.add_signature(outputs=tf.compat.v1.get_variable("v", initializer=value) + 0.0)

    with pytest.raises(tf.errors.InvalidArgumentError, match="seven"):
        hub.eval_function_for_module(hub.create_module_spec(failing))


WHAT = "the signature 'default' of the module of module_fn"


@pytest.mark.parametrize(
    "inputs, signature, message",
    [
        (
            [[1, 2, 3]],
            None,
            (
                f"The input 'default' of {WHAT} takes float32 of shape (None, 2), but was given the "
                "shape [1, 3]."
            ),
        ),
        (
            [["a", "b"]],
            None,
            (
                f"The input 'default' of {WHAT} takes float32 of shape (None, 2), and [['a', 'b']] "
                "cannot be converted: <U1 is not float32."
            ),
        ),
        (
            {"x": [[1, 2]], "y": 1.5},
            "two",
            (
                "The input 'y' of the signature 'two' of the module of module_fn takes int32 of shape "
                "(), and 1.5 cannot be converted: float64 is not int32."
            ),
        ),
        (
            [1],
            "words",
            (
                "The input 'default' of the signature 'words' of the module of module_fn takes string "
                "of shape (None,), and [1] cannot be converted: 1 is not text."
            ),
        ),
        (
            None,
            None,
            f"T{WHAT[1:]} takes the inputs 'default'. Missing: 'default'. Not known: none.",
        ),
        (
            {"x": 1, "z": 2},
            "two",
            (
                "The signature 'two' of the module of module_fn takes the inputs 'x', 'y'. "
                "Missing: 'y'. Not known: 'z'."
            ),
        ),
        (
            [[1, 2]],
            "two",
            (
                "The signature 'two' of the module of module_fn takes several inputs. Give a dict "
                "with the keys 'x', 'y'."
            ),
        ),
        (
            [[1, 2]],
            "sparse",
            (
                "The input 'default' of the signature 'sparse' of the module of module_fn takes "
                "SparseTensorSpec(TensorShape(None), tf.float32), but was given [[1, 2]]."
            ),
        ),
    ],
)
def test_wrong_inputs(evaluate, inputs, signature, message):
    with pytest.raises(errors.InputError) as caught:
        evaluate(inputs, signature)
    assert str(caught.value) == message


def test_ragged_of_another_rank(evaluate):
    value = tf.compat.v1.ragged.constant_value([[1], []], dtype=np.int32)
    with pytest.raises(errors.InputError, match=r"takes RaggedTensorSpec\(.*\), but was given"):
        evaluate(value, "ragged")


def test_a_tensor_of_a_graph(evaluate):
    tensor = tf.constant([[1.0, 2.0]])
    with pytest.raises(errors.InputError) as caught:
        evaluate(tensor)
    assert str(caught.value) == (
        f"The input 'default' of {WHAT} was given {tensor!r}, which is a tensor of a graph and has "
        "no value yet. Give arrays, or use hub.Module in that graph."
    )


def test_names_that_are_not_there(spec, evaluate):
    with pytest.raises(errors.SignatureNotFoundError):
        evaluate([[1, 2]], "other")
    with pytest.raises(errors.OutputError):
        evaluate({"x": [[1, 2]], "y": 3}, "two")
    with pytest.raises(errors.TagsNotFoundError):
        hub.eval_function_for_module(spec, tags=["other"])


@pytest.mark.peer
def test_results_are_those_of_the_peer(spec, tmp_path):
    import tensorflow_hub

    module = hub.Module(spec)
    with tf.compat.v1.Session() as session:
        session.run(module.variable_map["weight"].initializer)
        module.export(tmp_path / "m", session)
    path = str(tmp_path / "m")
    sparse = tf.compat.v1.SparseTensorValue([[0, 1]], [3.0], [1, 2])
    calls = [([[1.0, 2.0]], None), (["a", "c"], "words"), (sparse, "sparse")]
    with (
        hub.eval_function_for_module(path) as ours,
        tensorflow_hub.eval_function_for_module(path) as theirs,
    ):
        for inputs, signature in calls:
            mine = ours(inputs, signature=signature, as_dict=True)
            other = theirs(inputs, signature=signature, as_dict=True)
            assert sorted(mine) == sorted(other)
            assert all(np.array_equal(mine[key][0], other[key][0]) for key in mine)
