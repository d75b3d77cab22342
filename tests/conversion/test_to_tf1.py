"""Objects of TF2 as TF1 Hub modules: values, training, tables, names, and what is refused."""

from __future__ import annotations

import re
import shutil

import numpy as np
import pytest
import tensorflow as tf

import hub_estimator as hub
from hub_estimator import compat, files
from hub_estimator.format.stored_graphs import read_saved_model
from tests import modules
from tests.conversion import objects
from tests.conversion.objects import ROWS, TEXTS, X
from tests.modules import TRAIN, tf1


def converted(source, path):
    return hub.convert(source, path, to="tf1").path


@pytest.fixture(scope="module")
def dense(tmp_path_factory):
    """The folders of a SavedModel and of the module made of it."""
    folder = tmp_path_factory.mktemp("dense")
    saved_model = objects.saved(objects.dense, folder / "saved_model")
    return saved_model, converted(saved_model, folder / "module")


@pytest.fixture(scope="module")
def words(tmp_path_factory):
    """The folder of a module with tables, whose sources are gone."""
    folder = tmp_path_factory.mktemp("words")
    vocabulary = modules.write_lines(str(folder / "of_the_author"), "v.txt", ["a", "b", "c"])
    saved_model = objects.saved(lambda: objects.Words(vocabulary), folder / "saved_model")
    module = converted(saved_model, folder / "module")
    shutil.rmtree(folder / "of_the_author")
    shutil.rmtree(saved_model)
    return module


def loaded_output(path, **kwargs):
    with compat.eagerly():
        return tf.saved_model.load(path)(tf.constant(X), **kwargs).numpy().tolist()


def test_outputs_are_equal_in_both_variants(dense):
    saved_model, module = dense
    for tags, training in ((frozenset(), False), (TRAIN, True)):
        expected = loaded_output(saved_model, training=training)
        found = objects.outputs(module, {"rows": X}, tags=tags)
        modules.assert_equal({"default": expected}, found)


def test_training_changes_what_the_object_trains(dense):
    _, module = dense
    changed, losses = objects.step(module, {"rows": X})
    assert changed == {"kernel", "bias"} and losses == pytest.approx([0.5 * 0.55])
    changed, losses = objects.step(module, {"rows": X}, tags=TRAIN)
    assert changed == {"kernel", "bias", "average"} and losses == pytest.approx([0.5 * 0.55])


def test_gradients_are_those_of_the_object(dense):
    saved_model, module = dense
    with compat.eagerly():
        loaded = tf.saved_model.load(saved_model)
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(loaded(tf.constant(X), training=True) ** 2)
        expected = [value.numpy() for value in tape.gradient(loss, loaded.trainable_variables)]
    with tf.Graph().as_default(), tf1.Session() as session:
        made = hub.Module(module, trainable=True, tags=TRAIN)
        loss = tf.reduce_sum(made(tf.constant(X)) ** 2)
        gradients = tf.gradients(loss, [made.variable_map[name] for name in ("kernel", "bias")])
        modules.initialize(session)
        found = session.run([tf.convert_to_tensor(gradient) for gradient in gradients])
    for one, other in zip(expected, found, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5)


def test_outputs_do_not_wait_for_updates(dense):
    """A program that freezes the module, or leaves the update operations out, changes nothing."""
    _, module = dense
    with tf.Graph().as_default(), tf1.Session() as session:
        made = hub.Module(module, trainable=True, tags=TRAIN)
        output, average = made(tf.constant(X)), made.variable_map["average"]
        modules.initialize(session)
        session.run(output)
        assert session.run(average).tolist() == [0, 0, 0]
        session.run(tf1.get_collection(tf1.GraphKeys.UPDATE_OPS))
        np.testing.assert_allclose(session.run(average), 0.1 * X.mean(0), rtol=1e-6)


def test_the_graph_has_no_calls(dense):
    for meta_graph in read_saved_model(dense[1]).meta_graphs:
        assert not meta_graph.graph_def.library.function
        assert not any("PartitionedCall" in node.op for node in meta_graph.graph_def.node)


def test_tables_and_files_come_along(words):
    found = objects.outputs(words, {"texts": np.array(["b", "zzz", "a"])})
    assert found == {"default": [[4, 5], [0, 1], [2, 3]], "counts": [20, 0, 10]}
    content = files.read_bytes(files.join(words, "saved_model.pb"))
    assert b"of_the_author" not in content
    assert files.listing(files.join(words, "assets")) == ["v.txt"]
    changed, _ = objects.step(words, {"texts": np.array(["b"])})
    assert changed == {"embeddings"}


def test_the_report(tmp_path):
    source = objects.saved(objects.dense, tmp_path / "saved_model")
    made = hub.convert(source, tmp_path / "module", to="tf1")
    size = sum(path.stat().st_size for path in (tmp_path / "module").rglob("*") if path.is_file())
    assert made.size == size and made.assets == ()
    assert {name: spec.shape.as_list() for name, spec in made.variables.items()} == {
        "average": [3], "bias": [2], "frozen": [], "kernel": [3, 2], "unused": []
    }  # fmt: skip
    head, *lines = made.text().splitlines()
    assert re.fullmatch(rf"Converted to a TF1 Hub module of \d+\.\d kB: {tmp_path}/module", head)
    signature = "- default: rows float32 (None, 3) -> default float32 (None, 2)"
    counts = "2 trainable variables, {}1 regularization losses"
    assert lines == [
        f"Graph with the tags set(), {counts.format('')}",
        signature,
        f"Graph with the tags {{'train'}}, {counts.format('1 update operations, ')}",
        signature,
        "Variables: 5 with 13 values",
    ]


@pytest.mark.peer
def test_the_peer_trains_it(dense, words):
    import tensorflow_hub

    assert objects.step(dense[1], {"rows": X}, TRAIN, tensorflow_hub) == objects.step(
        dense[1], {"rows": X}, TRAIN
    )
    inputs = {"texts": np.array(["b", "zzz", "a"])}
    assert objects.outputs(words, inputs, library=tensorflow_hub) == objects.outputs(words, inputs)
    assert objects.step(words, inputs, library=tensorflow_hub) == objects.step(words, inputs)


# --- what functions do ------------------------------------------------------------------------


class Loops(tf.Module):
    """Calls of functions within branches and loops, and outputs of all kinds."""

    def __init__(self):
        super().__init__()
        self.w = tf.Variable([1.0, 2.0, 3.0], name="w")

    @tf.function
    def scaled(self, rows):
        return self.shifted(rows) * self.w

    @tf.function
    def shifted(self, rows):
        return rows + 1

    @tf.function(input_signature=[ROWS, tf.TensorSpec([], tf.int32, "n")])
    def __call__(self, rows, n):
        loop = tf.while_loop(lambda i, y: i < n, lambda i, y: (i + 1, self.scaled(y)), [0, rows])[1]
        branch = tf.cond(n > 2, lambda: self.scaled(rows), lambda: rows - self.w)
        return {"loop": loop, "nested": {"branch": branch, "list": [rows, n]}}


def test_calls_in_branches_and_loops(tmp_path):
    module = converted(objects.saved(Loops, tmp_path / "s"), tmp_path / "module")
    with compat.eagerly():
        loaded = tf.saved_model.load(str(tmp_path / "s"))
        for n in (0, 3):
            expected = loaded(tf.constant(X), tf.constant(n))
            found = objects.outputs(module, {"rows": X, "n": np.int32(n)})
            assert found == {
                "loop": expected["loop"].numpy().tolist(),
                "nested_branch": expected["nested"]["branch"].numpy().tolist(),
                "nested_list_0": X.tolist(),
                "nested_list_1": n,
            }
    for meta_graph in read_saved_model(module).meta_graphs:
        functions = meta_graph.graph_def.library.function
        assert len(functions) == 4
        nodes = [node for function in functions for node in function.node_def]
        assert not any("PartitionedCall" in node.op for node in nodes)
    assert objects.step(module, {"rows": X, "n": np.int32(3)})[0] == {"w"}


class Composites(tf.Module):
    """Sparse and ragged inputs and outputs, and several in one list."""

    def __init__(self):
        super().__init__()
        self.w = tf.Variable(2.0, name="w")

    @tf.function(
        input_signature=[
            tf.SparseTensorSpec([None, 3], tf.float32),
            [tf.RaggedTensorSpec([None, None], tf.float32), tf.TensorSpec([None], tf.float32, "x")],
        ]
    )
    def __call__(self, sparse, others):
        return {
            "sparse": tf.sparse.map_values(tf.multiply, sparse, self.w),
            "ragged": others[0] * self.w,
            "dense": others[1] * self.w,
        }


def test_composite_tensors(tmp_path):
    module = converted(objects.saved(Composites, tmp_path / "s"), tmp_path / "module")
    sparse = tf1.SparseTensorValue([[0, 1], [1, 2]], np.float32([1, 2]), [2, 3])
    ragged = tf1.ragged.constant_value([[1.0, 2.0], [], [3.0]], dtype=np.float32)
    inputs = {"sparse": sparse, "others_0": ragged, "x": np.float32([5])}
    assert objects.outputs(module, inputs) == {
        "sparse": {"indices": [[0, 1], [1, 2]], "values": [2, 4], "dense_shape": [2, 3]},
        "ragged": {"ragged": [[2, 4], [], [6]]},
        "dense": [10],
    }


class OwnGradient(tf.Module):
    """Has an operation with a gradient that its program made."""

    def __init__(self):
        super().__init__()
        self.w = tf.Variable([1.0, 2.0, 3.0], name="w")

    @tf.function(input_signature=[ROWS])
    def __call__(self, rows):
        return tf.nn.silu(rows * self.w)


def test_gradients_that_a_program_made_are_those_of_the_operations(tmp_path):
    module = converted(objects.saved(OwnGradient, tmp_path / "s"), tmp_path / "module")
    assert objects.step(module, {"rows": X})[0] == {"w"}


class Counts(tf.Module):
    """Changes a variable, and checks its input, whenever it is called."""

    def __init__(self):
        super().__init__()
        self.calls = tf.Variable(0, name="calls", trainable=False)

    @tf.function(input_signature=[ROWS])
    def __call__(self, rows):
        tf.debugging.assert_non_negative(rows)
        self.calls.assign_add(1)
        return rows


def test_what_every_call_does_stays_part_of_the_call(tmp_path):
    module = converted(objects.saved(Counts, tmp_path / "s"), tmp_path / "module")
    with tf.Graph().as_default(), tf1.Session() as session:
        made = hub.Module(module)
        rows = tf1.placeholder(tf.float32, [None, 3])
        output, calls = made(rows), made.variable_map["calls"]
        modules.initialize(session)
        session.run(output, {rows: X})
        assert session.run(calls) == 1
        with pytest.raises(tf.errors.InvalidArgumentError):
            session.run(output, {rows: -X})


# --- names ------------------------------------------------------------------------------------


class Nameless(tf.Module):
    """Variables without names, of one name, and one that is nowhere used or listed."""

    def __init__(self):
        super().__init__()
        self.block = tf.Module()
        self.block.first = tf.Variable(1.0)
        self.block.second = [tf.Variable(2.0, name="w"), tf.Variable(3.0, name="w")]
        self.odd = tf.Variable(4.0, name="odd/name")
        self.unused = tf.Variable(5.0, name="unused")

    @tf.function(input_signature=[tf.TensorSpec([], tf.float32, "x")])
    def __call__(self, x):
        first, second = self.block.second
        return x * self.block.first * first * second * self.odd


def test_names_of_variables(tmp_path):
    module = converted(objects.saved(Nameless, tmp_path / "s"), tmp_path / "module")
    spec = hub.load_module_spec(module)
    assert sorted(entry.key for entry in spec.variables) == [
        "block/first", "block/second/0", "block/second/1", "odd/name"
    ]  # fmt: skip
    assert objects.outputs(module, {"x": np.float32(1)}) == {"default": 24}


def test_signatures_of_an_object_that_cannot_be_called(tmp_path):
    def make():
        made = tf.Module()
        made.shout = tf.function(
            lambda texts: {"shouted": tf.strings.upper(texts)}, input_signature=[TEXTS]
        )
        made.lengths = tf.function(
            lambda texts: {"n": tf.strings.length(texts)}, input_signature=[TEXTS]
        )
        return made

    source = objects.saved(make, tmp_path / "s", serving_default="shout", lengths="lengths")
    module = converted(source, tmp_path / "module")
    spec = hub.load_module_spec(module)
    assert spec.get_signature_names() == ["default", "lengths", "serving_default"]
    texts = {"texts": np.array(["ab"])}
    assert objects.outputs(module, texts) == {"shouted": ["AB"]}
    assert objects.outputs(module, texts, "lengths") == {"n": [2]}


@pytest.mark.parametrize("training", [False, True])
def test_a_call_that_was_saved_with_one_value_of_training(tmp_path, training):
    def make():
        made = objects.Dense()
        made.__call__.get_concrete_function(ROWS, training=training)
        return made

    source = objects.saved(make, tmp_path / "s")
    module = converted(source, tmp_path / "module")
    assert hub.load_module_spec(module).get_tags() == [frozenset()]
    expected = loaded_output(source, training=training)
    modules.assert_equal({"default": expected}, objects.outputs(module, {"rows": X}))


def test_a_module_in_python(tmp_path):
    with compat.eagerly():
        module = converted(objects.dense(), tmp_path / "module")
        expected = objects.dense()(tf.constant(X)).numpy().tolist()
    assert objects.outputs(module, {"rows": X}) == {"default": expected}
    assert files.listing(str(tmp_path)) == ["module"]


# --- what is refused --------------------------------------------------------------------------


def refused(make, tmp_path, **signatures):
    """Returns why what a function makes is refused; nothing is written then."""
    source = objects.saved(make, tmp_path / "s", **signatures)
    with pytest.raises(hub.errors.NotConvertibleError) as caught:
        hub.convert(source, tmp_path / "module", to="tf1")
    assert files.listing(str(tmp_path)) == ["s"]
    return str(caught.value).replace(source, "SOURCE")


def of_function(function, spec=ROWS):
    made = tf.Module()
    made.serve = tf.function(function, input_signature=[spec])
    return made


def test_an_operation_with_python_in_it(tmp_path):
    def function(rows):
        return {"y": tf.numpy_function(lambda x: x, [rows], tf.float32)}

    message = refused(lambda: of_function(function), tmp_path, serving_default="serve")
    assert re.fullmatch(
        r"The signature 'serving_default' of the SavedModel SOURCE has the operation '.*PyFunc' of the "
        r"type PyFunc, which calls a Python function of the program that made it, and no file has that. "
        r"Write it with TensorFlow's own operations\.",
        message,
    )


def dense_table():
    return tf.lookup.experimental.DenseHashTable(tf.string, tf.int64, 0, "", "-")


def anonymous_table():
    initializer = tf.lookup.KeyValueTensorInitializer(["a"], [1])
    return tf.lookup.StaticHashTable(initializer, 0, experimental_is_anonymous=True)


@pytest.mark.parametrize(
    ("make", "kind"),
    [(dense_table, "MutableDenseHashTableV2"), (anonymous_table, "AnonymousHashTable")],
)
def test_a_table_whose_content_a_module_cannot_keep(tmp_path, make, kind):
    class Lookup(tf.Module):
        def __init__(self):
            super().__init__()
            self.table = make()

        @tf.function(input_signature=[TEXTS])
        def __call__(self, texts):
            return self.table.lookup(texts)

    source = objects.saved(Lookup, tmp_path / "saved_model")
    with pytest.raises(hub.errors.NotConvertibleError) as caught:
        hub.convert(source, tmp_path / "module", to="tf1")
    assert str(caught.value) == (
        f"A table of the SavedModel {source} is a {kind}, whose content a module cannot keep. Use a "
        "tf.lookup.StaticHashTable or a tf.lookup.experimental.MutableHashTable, and leave "
        "experimental_is_anonymous out."
    )
    assert not (tmp_path / "module").exists()


def test_nothing_to_call(tmp_path):
    assert refused(tf.Module, tmp_path) == (
        "The SavedModel SOURCE has neither a __call__ nor a signature, so there is nothing that a "
        "module could compute. Save it with one: tf.saved_model.save(obj, path, signatures=...)."
    )


def test_a_call_of_which_nothing_is_saved(tmp_path):
    class Untraced(tf.Module):
        @tf.function
        def __call__(self, rows):
            return rows

    assert refused(Untraced, tmp_path) == (
        "The __call__ of the SavedModel SOURCE was saved without anything that it computes. Call the "
        "object once, or give its tf.function an input_signature, before it is saved."
    )


def test_a_variable_made_in_a_call(tmp_path):
    def function(rows):
        handle = tf.raw_ops.VarHandleOp(dtype=tf.float32, shape=[])
        tf.raw_ops.AssignVariableOp(resource=handle, value=2.0)
        return {"y": rows * tf.raw_ops.ReadVariableOp(resource=handle, dtype=tf.float32)}

    message = refused(lambda: of_function(function), tmp_path, serving_default="serve")
    assert re.fullmatch(
        r"The signature 'serving_default' of the SavedModel SOURCE makes a variable, '.*VarHandleOp', each "
        r"time that it is called\. Make it once, when the object is made\.",
        message,
    )


def test_an_object_that_cannot_be_saved(tmp_path):
    with compat.eagerly():
        outside = tf.Variable(1.0)
        made = of_function(lambda rows: rows * outside)
        made.serve.get_concrete_function()
        with pytest.raises(hub.errors.NotConvertibleError) as caught:
            hub.convert(made, tmp_path / "module", to="tf1")
    assert str(caught.value).startswith("TensorFlow cannot save the Module (KeyError: ")
    assert str(caught.value).endswith(
        ". Make all that its functions use an attribute of it, or of what it has."
    )
    assert files.listing(str(tmp_path)) == []
