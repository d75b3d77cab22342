"""What of a signature training does not change, and its border."""

from __future__ import annotations

import pytest
import tensorflow as tf

import hub_estimator as hub
from hub_estimator import errors
from hub_estimator.graph.instance.cut import NoBorderError, lower_part
from tests import modules
from tests.modules import tf1

NOTHING = "nothing that costs much comes before what is trained"


def variable(name):
    return tf1.get_variable(name, [3, 3])


def layers_fn(between=lambda values: values, first=lambda values: values):
    """Three layers, with something before the first one and before the last one."""

    def module_fn():
        x = tf1.placeholder(tf.float32, [None, 3], name="x")
        wide = tf.concat([tf.matmul(first(x), variable("first"), name="product")] * 2, 1)
        narrow = tf.identity(wide[:, :2], name="narrow")
        values = between(tf.concat([narrow, narrow, narrow], 1)[:, :3])
        middle = tf.matmul(values, variable("middle"))
        hub.add_signature(inputs={"x": x}, outputs=tf.matmul(middle, variable("last")))

    return module_fn


def variant(module_fn):
    return hub.create_module_spec(module_fn).variant()


def part(module_fn, trainable="middle|last"):
    made = variant(module_fn)
    return lower_part(made, made, trainable, "default", "default")


def refusal(module_fn, trainable="middle|last"):
    with pytest.raises(NoBorderError) as caught:
        part(module_fn, trainable)
    return str(caught.value)


def test_what_depends_on_no_trained_variable():
    found = part(layers_fn())
    assert found.variables == {"first"} and found.inputs == {"x"}
    assert found.tensors[0] == "x:0" and "product:0" in found.tensors
    assert not {"middle", "MatMul", "MatMul:0"} & {*found.tensors, *found.operations}
    whole = part(layers_fn(), "last")
    assert whole.variables == {"first", "middle"}


def test_the_narrowest_tensors_are_the_border():
    found = part(layers_fn())
    sizes = dict.fromkeys(found.tensors, 12.0)
    narrow = sizes | {"narrow:0": 8.0}
    assert found.border(narrow) == ("narrow:0",)
    # What is wide and costly is not done again, however small what is before it.
    assert found.border(sizes | {"x:0": 0.1, "product:0": 5.0}) == ("product:0",)
    del narrow["narrow:0"]
    assert found.border(narrow) == ("strided_slice_1:0",)  # the last one of equal ones


@pytest.mark.parametrize("sizes", [{}, {"x:0": 4.0}])  # of the latter all would be done again
def test_nothing_that_can_be_stored(sizes):
    with pytest.raises(NoBorderError) as caught:
        part(layers_fn()).border(sizes)
    assert str(caught.value) == (
        "what costs much before what is trained cannot be stored for each example"
    )


def test_all_of_it_is_trained():
    assert refusal(layers_fn(), True) == NOTHING
    assert refusal(layers_fn(), "first") == NOTHING


def test_chance():
    chance = (
        "chance (as in dropout) comes before what is trained; Encoder.tags can choose a graph variant "
        "without it, [] that for inference"
    )
    assert refusal(layers_fn(first=lambda values: tf.nn.dropout(values, rate=0.5))) == chance
    # After what is costly it stays in each step.
    found = part(layers_fn(lambda values: tf.nn.dropout(values, rate=0.5)))
    assert found.variables == {"first"} and "narrow:0" in found.tensors
    assert not any("random" in name for name in found.tensors)
    trained = part(layers_fn(lambda values: tf.nn.dropout(values, rate=0.5)), "middle")
    assert trained.tensors == found.tensors


def updated_fn():
    x = tf1.placeholder(tf.float32, [None, 3], name="x")
    mean = tf1.get_variable("mean", [3], trainable=False, initializer=tf1.zeros_initializer())
    update = tf1.assign(mean, tf.reduce_mean(x, 0))
    tf1.add_to_collection(tf1.GraphKeys.UPDATE_OPS, update)
    first = tf.matmul(x - mean, variable("first"))
    hub.add_signature(inputs={"x": x}, outputs=tf.matmul(first, variable("last")))


def test_update_operations():
    assert refusal(updated_fn, "last") == "it has update operations, which see each batch"


def test_update_operations_of_the_variant_that_is_trained():
    spec = hub.create_module_spec(
        lambda is_training=False: updated_fn() if is_training else layers_fn()(),
        [(set(), {}), ({"train"}, {"is_training": True})],
    )
    with pytest.raises(NoBorderError) as caught:
        lower_part(spec.variant(), spec.variant(["train"]), "last", "default", "default")
    assert str(caught.value) == "it has update operations, which see each batch"


def branch(values):
    return tf1.cond(tf.size(values) > 3, lambda: values, lambda: -values)


def test_branches():
    with modules.control_flow(v2=False):
        assert refusal(layers_fn(first=branch)) == "it has branches or loops of TF1"


def loss_fn():
    x = tf1.placeholder(tf.float32, [None, 3], name="x")
    first = tf.matmul(x, variable("first"))
    tf1.losses.add_loss(tf.reduce_sum(first), tf1.GraphKeys.REGULARIZATION_LOSSES)
    hub.add_signature(inputs={"x": x}, outputs=tf.matmul(first, variable("last")))


def test_a_loss_of_what_is_not_trained():
    assert refusal(loss_fn, "last") == "a regularization loss follows from its inputs alone"
    assert refusal(loss_fn, True) == NOTHING


def waiting_fn():
    x = tf1.placeholder(tf.float32, [None, 3], name="x")
    check = tf.debugging.assert_less(tf.shape(x)[0], 99)
    first = tf.matmul(x, variable("first"), name="product")
    with tf.control_dependencies([check]):
        hub.add_signature(inputs={"x": x}, outputs=tf.matmul(first, variable("last")))


def test_what_is_waited_for_is_done_again():
    found = part(waiting_fn, "last")
    sizes = dict.fromkeys(found.tensors, 4.0)
    border = found.border(sizes)
    assert "product:0" in border and len(border) == 2
    assert not any(found.operations[name.partition(":")[0]] == "Assert" for name in border)


def test_an_output_from_tensors_inside():
    with tf.Graph().as_default() as graph, tf1.Session() as session:
        module = hub.Module(hub.create_module_spec(layers_fn()), trainable="last")
        x = tf.constant([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
        given, inside = module.inner_tensors(x, "default", ["x:0", "narrow:0"])
        assert given is x
        found = module.output_from({"narrow:0": inside}, "default", "default")
        # Of three layers one computes what is inside, two the output; and nothing is left to be fed.
        types = [operation.type for operation in graph.get_operations()]
        assert types.count("MatMul") == 3 and "Placeholder" not in types
        whole = module(x)
        (gradient,) = tf1.gradients(found, module.trained_variables)
        session.run(tf1.global_variables_initializer())
        values, expected, _ = session.run([found, whole, gradient])
        assert values.tolist() == expected.tolist()


def test_tensors_inside_in_another_graph():
    with tf.Graph().as_default():
        module = hub.Module(hub.create_module_spec(layers_fn()))
    with tf.Graph().as_default():
        for use in (
            lambda: module.inner_tensors(tf.zeros([1, 3]), "default", ["narrow:0"]),
            lambda: module.output_from({}, "default", "default"),
        ):
            with pytest.raises(errors.WrongGraphError) as caught:
                use()
            assert str(caught.value).endswith("Make a module in each graph.")
