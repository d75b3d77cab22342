"""Vocabularies that were emptied or cut are found where the graph says how many lines they have."""

from __future__ import annotations

import pathlib

import pytest
import tensorflow as tf

import hub_estimator as hub
from hub_estimator import errors
from hub_estimator.training.model.encoder_modules.saved_model import ReusableSavedModel
from tests import modules
from tests.format.editing import edited, export
from tests.modules import tf1


def _table(path, size):
    initializer = tf.lookup.TextFileInitializer(
        path, tf.string, tf.lookup.TextFileIndex.WHOLE_LINE, tf.int64,
        tf.lookup.TextFileIndex.LINE_NUMBER, vocab_size=size,
    )  # fmt: skip
    return tf.lookup.StaticHashTable(initializer, -1)


def _module(tmp_path, size):
    file = modules.write_lines(str(tmp_path), "words.txt", ["a", "b", "c"])

    def module_fn():
        x = tf1.placeholder(tf.string, [None])
        hub.add_signature(inputs=x, outputs=_table(file, size).lookup(x))

    return export(module_fn, tmp_path / "module")


def _saved_model(tmp_path, size):
    path = str(tmp_path / "saved_model")

    def save():
        made = tf.Module()
        made.table = _table(modules.write_lines(str(tmp_path), "words.txt", ["a", "b", "c"]), size)
        made.__call__ = tf.function(
            made.table.lookup, input_signature=[tf.TensorSpec([None], tf.string)]
        )
        tf.saved_model.save(made, path)

    modules.in_thread(save)
    return path


def _tf1_saved_model(tmp_path, size):
    builder = tf1.saved_model.Builder(str(tmp_path / "saved_model"))
    with tf.Graph().as_default(), tf1.Session() as session:
        x = tf1.placeholder(tf.string, [None])
        file = modules.write_lines(str(tmp_path), "words.txt", ["a", "b", "c"])
        outputs = {"rows": _table(file, size).lookup(x)}
        signature = tf1.saved_model.predict_signature_def({"x": x}, outputs)
        builder.add_meta_graph_and_variables(
            session,
            ["serve"],
            {"default": signature},
            tf1.get_collection(tf1.GraphKeys.ASSET_FILEPATHS),
            main_op=tf1.tables_initializer(),
        )
    builder.save()
    return str(tmp_path / "saved_model")


def _load(path):
    modules.in_thread(lambda: hub.load(path))


def _encode(path):
    ReusableSavedModel(path).inputs("default", frozenset())


KINDS = {
    "module": (_module, "The module", (hub.load_module_spec, hub.Module, _load)),
    "TF2": (_saved_model, "The SavedModel", (_load, _encode)),
    "TF1": (_tf1_saved_model, "The SavedModel", (hub.create_module_spec_from_saved_model, _load)),
}


def _message(source, path, there, needed):
    return (
        f"{source} {path} is damaged: its vocabulary 'words.txt' ({path}/assets/words.txt) has {there} "
        f"lines and should have {needed} or more. Fetch the module again."
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("content", ["", "a\n", "a\nb", "a\nb\n"])
def test_too_few_lines(tmp_path, kind, content):
    make, source, reads = KINDS[kind]
    path = make(tmp_path, 3)
    pathlib.Path(path, "assets", "words.txt").write_text(content)
    for read in reads:
        with pytest.raises(errors.BrokenModuleError) as caught:
            read(path)
        assert str(caught.value) == _message(source, path, len(content.split()), 3)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [None, 3])
def test_an_empty_file(tmp_path, kind, size):
    """TensorFlow fills no table from one, however many lines it should have."""
    make, source, reads = KINDS[kind]
    path = make(tmp_path, size)
    pathlib.Path(path, "assets", "words.txt").write_text("")
    for read in reads:
        with pytest.raises(errors.BrokenModuleError) as caught:
            read(path)
        assert str(caught.value) == _message(source, path, 0, size or 1)


@pytest.mark.parametrize("content", ["a\nb\nc", "a\r\nb\r\nc\r\n", "a\nb\nc\nd\n"])
@pytest.mark.parametrize("size", [None, 2, 3])
def test_enough_lines(tmp_path, content, size):
    path = _module(tmp_path, size)
    pathlib.Path(path, "assets", "words.txt").write_bytes(content.encode())
    with hub.eval_function_for_module(path) as evaluate:
        assert evaluate(["b"]).tolist() == [1]


def test_the_largest_number_counts_where_a_file_fills_several_tables(tmp_path):
    file = modules.write_lines(str(tmp_path), "words.txt", ["a", "b", "c"])

    def module_fn():
        x = tf1.placeholder(tf.string, [None])
        tables = [_table(file, size) for size in (1, 3, None)]
        hub.add_signature(inputs=x, outputs=tf.stack([table.lookup(x) for table in tables]))

    path = export(module_fn, tmp_path / "module")
    pathlib.Path(path, "assets", "words.txt").write_text("a\nb\n")
    with pytest.raises(errors.BrokenModuleError) as caught:
        hub.load_module_spec(path)
    assert str(caught.value) == _message("The module", path, 2, 3)


def test_many_lines_and_a_long_one(tmp_path):
    """Counting goes through the file in pieces, and not beyond the lines that are needed."""
    path = _module(tmp_path, None)
    with edited(path) as meta_graph:
        (node,) = [node for node in meta_graph.graph_def.node if "TextFile" in node.op]
        node.attr["vocab_size"].i = 100_000
    file = pathlib.Path(path, "assets", "words.txt")
    file.write_text("x" * 3_000_000 + "\n" + "y\n" * 99_998)
    with pytest.raises(errors.BrokenModuleError) as caught:
        hub.load_module_spec(path)
    assert str(caught.value) == _message("The module", path, "99,999", "100,000")
    file.write_text("x" * 3_000_000 + "\n" + "y\n" * 99_999)
    assert hub.load_module_spec(path).get_signature_names() == ["default"]


def test_the_old_type_of_operation(tmp_path):
    path = _module(tmp_path, 3)
    with edited(path) as meta_graph:
        for node in meta_graph.graph_def.node:
            node.op = node.op.replace("FromTextFileV2", "FromTextFile")
    pathlib.Path(path, "assets", "words.txt").write_text("a\n")
    with pytest.raises(errors.BrokenModuleError):
        hub.load_module_spec(path)


@pytest.mark.parametrize("key", ["key_index", "value_index"])
@pytest.mark.parametrize("number", [-3, 1 << 20, 1 << 31, 1 << 62, -(1 << 31)])
def test_columns_that_cannot_be(tmp_path, key, number):
    """TensorFlow ends the process for some of these."""
    path = _module(tmp_path, 3)
    with edited(path) as meta_graph:
        (node,) = [node for node in meta_graph.graph_def.node if "TextFile" in node.op]
        node.attr[key].i = number
    for read in (hub.load_module_spec, _load):
        with pytest.raises(errors.BrokenModuleError) as caught:
            read(path)
        assert str(caught.value) == (
            f"The module {path} is damaged: {node.name!r} fills a table from the column {number} of a "
            "file. Fetch the module again."
        )
