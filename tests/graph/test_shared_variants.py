"""Two graph variants on one set of variables, in one graph."""

from __future__ import annotations

import pytest
import tensorflow as tf

import hub_estimator as hub
from tests import modules

tf1 = tf.compat.v1


def _module_fn(is_training: bool = False, words: tuple[str, ...] = ("a", "b")) -> None:
    keys = tf1.placeholder(tf.string, [None], name="words")
    table = tf.lookup.StaticHashTable(
        tf.lookup.KeyValueTensorInitializer(list(words), list(range(1, len(words) + 1)), tf.string),
        0,
        name="table",
    )
    weights = tf1.get_variable("weights", [4], initializer=tf1.ones_initializer())
    mean = tf1.get_variable("mean", [], trainable=False, initializer=tf1.zeros_initializer())
    values = tf.gather(weights, table.lookup(keys))
    if is_training:
        update = mean.assign_add(tf.reduce_sum(values), read_value=False)
        tf1.add_to_collection(tf1.GraphKeys.UPDATE_OPS, update)
        values = 2 * values
    hub.add_signature(inputs=keys, outputs=values + mean)


def _spec(**train_args):
    return hub.create_module_spec(
        _module_fn, [(set(), {}), ({"train"}, {"is_training": True, **train_args})]
    )


def _run(*fetches):
    with tf1.Session() as session:
        session.run([tf1.global_variables_initializer(), tf1.tables_initializer()])
        return session.run(list(fetches))


def test_both_variants_read_one_set_of_variables():
    train = hub.Module(_spec(), trainable=True, tags={"train"})
    serve = train.variant()
    for_training, for_serving = train(["a", "b"]), serve(["a", "b"])
    assert serve.variables == train.variables
    assert [v.op.name for v in tf1.global_variables()] == ["module/weights", "module/mean"]
    with tf1.Session() as session:
        session.run([tf1.global_variables_initializer(), tf1.tables_initializer()])
        session.run(train.variable_map["weights"].assign([5.0, 6.0, 7.0, 8.0]))
        assert session.run(for_training).tolist() == [12.0, 14.0]
        assert session.run(for_serving).tolist() == [6.0, 7.0]


def test_tables_of_one_file_are_shared(tmp_path):
    (tmp_path / "words.txt").write_text("a\nb\n")

    def module_fn():
        keys = tf1.placeholder(tf.string, [None])
        words = tf.lookup.TextFileInitializer(
            str(tmp_path / "words.txt"),
            *(tf.string, tf.lookup.TextFileIndex.WHOLE_LINE),
            *(tf.int64, tf.lookup.TextFileIndex.LINE_NUMBER),
        )
        hub.add_signature(inputs=keys, outputs=tf.lookup.StaticHashTable(words, -1).lookup(keys))

    train = hub.Module(
        hub.create_module_spec(module_fn, [(set(), {}), ({"train"}, {})]), tags={"train"}
    )
    before = len(tf1.get_default_graph().get_operations())
    serve = train.variant()
    assert len(tf1.get_default_graph().get_operations()) == before
    assert len(tf1.get_collection(tf1.GraphKeys.TABLE_INITIALIZERS)) == 1
    assert _run(serve(["b", "?"]))[0].tolist() == [1, -1]


def test_tables_that_differ_are_built():
    train = hub.Module(_spec(words=("a", "b", "c")), tags={"train"})
    serve = train.variant()
    weights = train.variable_map["weights"]
    outputs = train(["c"]), serve(["c"])
    with tf1.Session() as session:
        session.run([tf1.global_variables_initializer(), tf1.tables_initializer()])
        session.run(weights.assign([0.0, 1.0, 2.0, 3.0]))
        assert [value.tolist() for value in session.run(outputs)] == [[6.0], [0.0]]


def test_update_operations_join_where_the_module_is_trained():
    serve = hub.Module(_spec(), trainable=True)
    train = serve.variant({"train"})
    serve(["a"])
    assert tf1.get_collection(tf1.GraphKeys.UPDATE_OPS) == []
    train(["a"])
    assert len(tf1.get_collection(tf1.GraphKeys.UPDATE_OPS)) == 1
    assert len(tf1.trainable_variables()) == 1


def test_a_shared_variant_exports_the_module(tmp_path):
    train = hub.Module(_spec(), trainable=True, tags={"train"})
    serve = train.variant()
    with tf1.Session() as session:
        session.run([tf1.global_variables_initializer(), tf1.tables_initializer()])
        session.run(train.variable_map["mean"].assign(3.0))
        serve.export(tmp_path / "module", session)
    with tf.Graph().as_default():
        again = hub.Module(tmp_path / "module", tags=["train"])
        assert _run(again(["a"]))[0].tolist() == [5.0]


def _narrow_module_fn(is_training: bool = False) -> None:
    x = tf1.placeholder(tf.float32, [])
    y = x + tf1.get_variable("shared", [])
    if is_training:
        y += tf1.get_variable("extra", [])
    hub.add_signature(inputs=x, outputs=y)


def _narrow_spec():
    pairs = [(set(), {}), ({"train"}, {"is_training": True})]
    return hub.create_module_spec(_narrow_module_fn, pairs)


def test_a_variant_with_fewer_variables_has_only_these():
    wide = hub.Module(_narrow_spec(), tags={"train"})
    assert [v.op.name for v in wide.variant().variables] == ["module/shared"]


@pytest.mark.parametrize(
    "trainable, trained", [(False, []), (True, ["extra", "shared"]), ("s", ["shared"])]
)
def test_a_variant_with_more_variables_adds_them(trainable, trained):
    narrow = hub.Module(_narrow_spec(), trainable=trainable)
    wide = narrow.variant({"train"})
    hub.Module(_narrow_spec())
    names = [v.op.name for v in tf1.global_variables()]
    assert names == ["module/shared", "module/extra", "module_1/shared"]
    assert [v.op.name for v in wide.variables] == ["module/extra", "module/shared"]
    assert [v.op.name for v in narrow.variables] == ["module/shared"]
    assert sorted(v.op.name for v in tf1.trainable_variables()) == [f"module/{n}" for n in trained]
    for module in (narrow, wide):
        assert [v.op.name for v in module.trained_variables] == [f"module/{n}" for n in trained]
    outputs = narrow(1.0), wide(1.0)
    with tf1.Session() as session:
        session.run(tf1.global_variables_initializer())
        session.run([v.assign(2.0 * (i + 1)) for i, v in enumerate(wide.variables)])
        assert session.run(outputs) == (5.0, 7.0)


def test_what_one_variant_added_others_share():
    narrow = hub.Module(_narrow_spec())
    wide = narrow.variant({"train"})
    assert narrow.variant({"train"}).variables == wide.variables
    assert wide.variant().variant({"train"}).variables == wide.variables
    assert len(tf1.global_variables()) == 2


def test_added_variables_are_not_trained_where_the_variant_is_not():
    narrow = hub.Module(_narrow_spec(), trainable=True)
    narrow.variant({"train"}, trained=False)
    assert [v.op.name for v in tf1.trainable_variables()] == ["module/shared"]
    assert [v.op.name for v in narrow.trained_variables] == ["module/shared"]


def _variable_fn(shape, parts=0, **kwargs):
    partitioner = tf1.fixed_size_partitioner(parts) if parts else None
    w = tf1.get_variable("w", shape, partitioner=partitioner, **kwargs)
    hub.add_signature(outputs=tf.convert_to_tensor(w))


@pytest.mark.parametrize("other", [{"parts": 2}, {"use_resource": False}])
def test_variables_that_cannot_be_shared(other):
    pairs = [(set(), {"shape": [4]}), ({"other"}, {"shape": [4], **other})]
    module = hub.Module(hub.create_module_spec(_variable_fn, pairs))
    with pytest.raises(hub.errors.VariablesDifferError) as caught:
        module.variant({"other"})
    assert str(caught.value) == (
        "The graph variant with the tags {'other'} of the module of _variable_fn has the variable "
        "'w' in another type, shape or partition than the one in this graph, and cannot share it. "
        "Make an instance of its own of it: hub.Module(..., tags=...)."
    )


def _derived_fn(name: str) -> None:
    """Two variables, the second of which starts from the first."""
    first = tf1.get_variable("first", [], initializer=tf1.constant_initializer(2.0))
    ready = tf1.is_variable_initialized(first)
    value = tf.cond(ready, first.read_value, lambda: first.initial_value)
    hub.add_signature(outputs=tf1.Variable(3.0 * value, name=name) + first)


@pytest.mark.parametrize("v2", [False, True])
def test_added_variables_start_from_shared_ones(v2):
    with modules.control_flow(v2):
        pairs = [(set(), {"name": "a"}), ({"other"}, {"name": "b"})]
        spec = hub.create_module_spec(_derived_fn, pairs)
        first = hub.Module(spec)
        outputs = first(), first.variant({"other"})()
    assert [v.op.name for v in tf1.global_variables()] == ["module/first", "module/a", "module/b"]
    assert _run(*outputs) == [8.0, 8.0]


def test_variants_leave_the_names_of_other_modules_as_they_are():
    # Each mode of a model may use other variants, and its checkpoints must fit the others.
    hub.Module(_spec(words=("a", "b", "c")), tags={"train"}).variant()
    assert hub.Module(_spec()).variable_map["mean"].op.name == "module_1/mean"


def test_unknown_tags_and_another_graph_are_refused():
    module = hub.Module(_spec())
    with pytest.raises(hub.errors.TagsNotFoundError, match="no graph variant with the tags"):
        module.variant({"nothing"})
    with tf.Graph().as_default(), pytest.raises(hub.errors.WrongGraphError) as caught:
        module.variant({"train"})
    assert str(caught.value) == (
        f"Another variant of {module!r} is made in another graph than the one that holds its "
        "variables. Make it in that graph."
    )
