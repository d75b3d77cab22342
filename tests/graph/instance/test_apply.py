"""What a call imports: graphs of unusual make, and unusual places to call from."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

import hub_estimator as hub
from hub_estimator import errors
from tests import modules
from tests.modules import TRAIN, X23, control_flow, tf1

V1_V2 = pytest.mark.parametrize("v2", [False, True], ids=["v1", "v2"])


def _run(fetches):
    with tf1.Session() as session:
        modules.initialize(session)
        return session.run(fetches)


def _both(module_fn, tmp_path, drop_collections=()):
    """The spec as it is defined, and as it is on disk."""
    spec = hub.create_module_spec(module_fn, drop_collections=drop_collections)
    return spec, hub.load_module_spec(modules.export(hub, spec, str(tmp_path / "module")))


@V1_V2
@pytest.mark.parametrize("use_resource", [True, False])
def test_inputs_and_variables_in_the_contexts_of_a_module(v2, use_resource, tmp_path):
    """The predicate, the values and the loop variables are inputs and variables themselves."""

    def module_fn():
        with control_flow(v2):
            x = tf1.placeholder(tf.float32, [None, 3], "x")
            p = tf1.placeholder(tf.bool, [], "p")
            n = tf1.placeholder(tf.int32, [], "n")
            w = modules.variable("w", [3], use_resource=use_resource)
            y = tf.cond(p, lambda: tf.cond(p, lambda: x * w, lambda: x), lambda: x + w)
            z = tf.while_loop(lambda i, y: i > 0, lambda i, y: (i - 1, y * w + x), [n, x])[1]
        hub.add_signature(inputs={"x": x, "p": p, "n": n}, outputs={"default": y, "loop": z})

    w = np.float32([0.1, 0.2, 0.3])
    for spec in _both(module_fn, tmp_path):
        module = hub.Module(spec, trainable=True)
        for inside in (False, True):
            with control_flow(v2):
                x = tf.constant(X23)
                for p, n in ((True, 2), (False, 1)):
                    inputs = {"x": x, "p": tf1.placeholder_with_default(p, []), "n": tf.constant(n)}

                    def apply(module=module, inputs=inputs):
                        found = module(inputs, as_dict=True)
                        return found["default"], found["loop"]

                    if inside:
                        zeros = tf.zeros_like(x)
                        y, z = tf.cond(inputs["p"], apply, lambda zeros=zeros: (zeros, zeros))
                    else:
                        y, z = apply()
                    gradients = tf.gradients(y, [module.variables[0], x])
                    gradients += tf.gradients(z, [module.variables[0], x])
                    if inside and not p:
                        continue
                    y, z, y_w, y_x, _, z_x = _run([y, z, *gradients])
                    np.testing.assert_allclose(y, X23 * w if p else X23 + w, rtol=1e-6)
                    loop = (X23 * w + X23) * w + X23 if p else X23 * w + X23
                    np.testing.assert_allclose(z, loop, rtol=1e-6)
                    np.testing.assert_allclose(y_w, X23.sum(0) if p else [2, 2, 2], rtol=1e-6)
                    np.testing.assert_allclose(y_x, [w, w] if p else np.ones([2, 3]), rtol=1e-6)
                    by_x = w * w + w + 1 if p else w + 1
                    np.testing.assert_allclose(z_x, [by_x, by_x], rtol=1e-6)


@V1_V2
def test_a_module_in_control_flow_in_a_module(v2, tmp_path):
    inner = modules.export(hub, modules.define(hub, "dense", ""), str(tmp_path / "inner"))

    def module_fn():
        with control_flow(v2):
            x = tf1.placeholder(tf.float32, [None, 3])
            module = hub.Module(inner, trainable=True, name="inner")
            y = tf.cond(tf.size(x) > 0, lambda: module(x), lambda: tf.zeros([1, 2]))
            z = tf.map_fn(lambda row: module(row[None])[0], x, dtype=tf.float32)
            if v2:
                z = tf.map_fn(
                    lambda row: module(row[None])[0],
                    x,
                    fn_output_signature=tf.TensorSpec([2], tf.float32),
                )
        hub.add_signature(inputs=x, outputs={"default": y, "mapped": z})

    expected = _run(hub.Module(inner)(X23))
    for spec in _both(module_fn, tmp_path):
        module = hub.Module(spec, trainable=True)
        outputs = module(X23, as_dict=True)
        with control_flow(v2):
            gradients = tf.gradients([outputs["default"], outputs["mapped"]], module.variables)
        found, _ = _run([outputs, gradients])
        np.testing.assert_allclose(found["default"], expected, rtol=1e-6)
        np.testing.assert_allclose(found["mapped"], expected, rtol=1e-6)
        assert sorted(module.variable_map) == ["inner/b", "inner/w"]


def test_in_a_datasets_function():
    module = hub.Module(modules.define(hub, "dense", ""))
    expected = module(X23)
    dataset = tf1.data.Dataset.from_tensors(X23).map(module)
    iterator = tf1.data.make_initializable_iterator(dataset)
    with tf1.Session() as session:
        modules.initialize(session)
        session.run(iterator.initializer)
        found, wanted = session.run([iterator.get_next(), expected])
    np.testing.assert_array_equal(found, wanted)


def test_functions_that_are_called_by_their_name_as_an_operation(tmp_path):
    from tensorflow.python.framework import function

    @function.Defun(tf.float32)
    def double(x):
        return 2 * x

    @function.Defun(tf.float32)
    def quadruple(x):
        return double(double(x))

    def module_fn():
        x = tf1.placeholder(tf.float32, [None, 3])
        y = quadruple(x)
        y.set_shape([None, 3])
        hub.add_signature(inputs=x, outputs=y * modules.variable("w", [3]))

    w = np.float32([0.1, 0.2, 0.3])
    for spec in _both(module_fn, tmp_path):
        for _ in range(2):
            module = hub.Module(spec, trainable=True)
            y = module(X23)
            found, gradient = _run([y, tf.gradients(y, module.variables)[0]])
            np.testing.assert_allclose(found, 4 * X23 * w, rtol=1e-6)
            np.testing.assert_allclose(gradient, 4 * X23.sum(0), rtol=1e-6)


def test_control_inputs_from_inputs_and_state(tmp_path):
    def module_fn():
        x = tf1.placeholder(tf.float32, [None, 3], "x")
        w = modules.variable("w", [3])
        r = modules.variable("r", [3], use_resource=False)
        with tf.control_dependencies([x, w.op, r.op]):
            y = tf.constant(1.0)
        with tf.control_dependencies([x]):
            z = tf.identity(w)
        hub.add_signature(inputs=x, outputs={"default": y, "z": z})

    for spec in _both(module_fn, tmp_path):
        module = hub.Module(spec)
        ran = tf1.Variable(0)
        with tf.control_dependencies([tf1.assign_add(ran, 1)]):
            x = tf.constant(X23)
        y = module(x)
        with tf1.Session() as session:
            modules.initialize(session)
            assert session.run(y) == 1
            assert session.run(ran) == 1
        inside = tf.cond(
            tf1.placeholder_with_default(True, []), lambda x=x, m=module: m(x), lambda: 0.0
        )
        assert _run(inside) == 1


def test_inputs_and_outputs_of_operations_with_several_outputs(tmp_path):
    def module_fn():
        first, second = tf.split(modules.variable("w", [4]), 2)
        low, high = tf.split(second * 10, 2)
        hub.add_signature(inputs=second, outputs={"default": low, "high": high, "same": second})
        hub.add_signature("none", outputs={"default": high, "first": first})

    for spec in _both(module_fn, tmp_path):
        module = hub.Module(spec)
        found = _run([module([5.0, 6.0], as_dict=True), module(signature="none", as_dict=True)])
        assert found[0] == {"default": [50.0], "high": [60.0], "same": pytest.approx([5.0, 6.0])}
        np.testing.assert_allclose(found[1]["default"], [4.0])
        np.testing.assert_allclose(found[1]["first"], [0.1, 0.2])


def test_stateful_operations_without_inputs(tmp_path):
    def module_fn():
        queue = tf1.FIFOQueue(10, [tf.float32], [[]], shared_name="queue")
        with tf.control_dependencies([queue.enqueue(5.0)]):
            y = queue.dequeue()
        table = tf.lookup.experimental.MutableHashTable(tf.string, tf.float32, 1.0)
        with tf.control_dependencies([table.insert("a", 7.0)]):
            z = table.lookup(tf.constant(["a", "b"]))
        hub.add_signature(outputs={"default": y, "z": z, "random": tf1.random_uniform([3])})

    for spec in _both(module_fn, tmp_path, ["saveable_objects"]):
        outputs = [hub.Module(spec)(as_dict=True) for _ in range(2)]
        for found in _run(outputs):
            assert found["default"] == 5
            np.testing.assert_array_equal(found["z"], [7, 1])
            assert found["random"].shape == (3,)
        queues = {
            operation.get_attr("shared_name")
            for operation in tf1.get_default_graph().get_operations()
            if operation.type == "FIFOQueueV2"
        }
        assert len(queues) % 2 == 0


def test_only_what_an_output_needs_is_imported():
    def module_fn():
        x = tf1.placeholder(tf.float32, [None, 3], "x")
        tf.matmul(x, modules.variable("unused", [3, 3]), name="unused_product")
        hub.add_signature(inputs=x, outputs=x + 1)

    module = hub.Module(hub.create_module_spec(module_fn))
    before = len(tf1.get_default_graph().get_operations())
    x = tf.constant(X23)
    module(x)
    added = [operation.type for operation in tf1.get_default_graph().get_operations()[before:]]
    assert "MatMul" not in added and "Placeholder" not in added
    assert len(added) <= 4


def test_colocation_of_calls_follows_the_state(tmp_path):
    path = modules.export(hub, modules.define(hub, "placed", ""), str(tmp_path / "module"))
    module = hub.Module(path, name="m")
    y = module(X23, as_dict=True)
    groups = {
        group.decode()
        for operation in tf1.get_default_graph().get_operations()
        for group in operation.colocation_groups()
        if operation.name.startswith("m_apply_default/")
    }
    names = {f"loc:@{operation.name}" for operation in tf1.get_default_graph().get_operations()}
    assert groups <= names
    assert "loc:@m/w" in groups and "loc:@m/ref" in groups
    # What is exported from here does not name what is elsewhere either.
    meta_graph = tf1.train.export_meta_graph()
    with tf.Graph().as_default():
        tf1.train.import_meta_graph(meta_graph)
    _run(y)


def test_shapes_that_do_not_fit_one_another():
    def module_fn():
        a, b = (tf1.placeholder(tf.float32, [None, None]) for _ in range(2))
        hub.add_signature(inputs={"a": a, "b": b}, outputs=tf.matmul(a, b))

    module = hub.Module(hub.create_module_spec(module_fn))
    with pytest.raises(errors.GraphImportError) as raised:
        module({"a": X23, "b": X23})
    assert "Dimensions must be equal, but are 3 and 2" in str(raised.value)
    assert "Either the shapes of the inputs do not fit one another, or " in str(raised.value)


def test_update_operations_in_a_branch_are_not_collected(tmp_path):
    module = hub.Module(modules.define(hub, "batch_norm", ""), trainable=True, tags=TRAIN)
    with control_flow(True):
        y = tf.cond(
            tf1.placeholder_with_default(True, []), lambda: module(X23), lambda: tf.zeros([2, 3])
        )
    assert tf1.get_collection(tf1.GraphKeys.UPDATE_OPS) == []
    _run(y)


def test_regularization_losses_of_inputs_are_collected_per_call():
    def module_fn():
        x = tf1.placeholder(tf.float32, [None, 3])
        y = x * modules.variable("w", [3])
        tf1.add_to_collection(tf1.GraphKeys.REGULARIZATION_LOSSES, tf.reduce_sum(y * y))
        hub.add_signature(inputs=x, outputs=y)

    module = hub.Module(hub.create_module_spec(module_fn), trainable=True)
    assert tf1.losses.get_regularization_losses() == []
    module(X23)
    module(X23 + 1)
    assert len(_run(tf1.losses.get_regularization_losses())) == 2


def test_ten_calls_train_one_set_of_variables():
    module = hub.Module(modules.define(hub, "dense", ""), trainable=True)
    y = [module(X23 + i) for i in range(10)]
    loss = tf.add_n([tf.reduce_sum(value**2) for value in y])
    train = tf1.train.GradientDescentOptimizer(1e-4).minimize(loss)
    with tf1.Session() as session:
        modules.initialize(session)
        before = session.run(loss)
        for _ in range(5):
            session.run(train)
        assert session.run(loss) < before
    assert len(tf1.trainable_variables()) == 2


def test_reusing_scopes_around_calls():
    module = hub.Module(modules.define(hub, "dense", ""))
    with tf1.variable_scope("s"):
        one = module(X23)
    with tf1.variable_scope("s", reuse=True):
        two = module(X23)
    one, two = _run([one, two])
    np.testing.assert_array_equal(one, two)
