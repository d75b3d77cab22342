"""What modules do beyond computing: it is named, warned of once, and refused where that is set."""

from __future__ import annotations

import itertools
import logging
import os
import pathlib

import numpy as np
import pytest
import tensorflow as tf

import hub_estimator as hub
from hub_estimator import errors
from hub_estimator.format.loadable import loading_side_effects
from hub_estimator.format.origin import find
from hub_estimator.format.stored_graphs import read_saved_model
from hub_estimator.training.model.encoder_modules.saved_model import ReusableSavedModel
from tests import modules
from tests.format.editing import FLOAT, STRING, add_call, add_function, edited, export
from tests.modules import control_flow, tf1

SETTING = "HUB_ESTIMATOR_REFUSE_SIDE_EFFECTS"


@pytest.fixture
def warnings(caplog):
    """The texts of the warnings so far."""
    caplog.set_level(logging.WARNING, "hub_estimator")
    return lambda: [
        record.getMessage() for record in caplog.records if record.name == "hub_estimator"
    ]


def _read(value):
    with tf.control_dependencies([tf.io.read_file("/etc/hostname", name="read")]):
        return tf.identity(value)


def _found(path):
    """What the listing says of a module, without the tags."""
    effects = hub.load_module_spec(path).side_effects()
    return [(effect.kind, effect.op_type, effect.name) for effect in effects]


def _module_of(body):
    """A `module_fn` whose output is `body` of its input, a vector of floats."""

    def module_fn():
        x = tf1.placeholder(tf.float32, [None], name="x")
        hub.add_signature(inputs=x, outputs=body(x))

    return module_fn


# --- what is named ---------------------------------------------------------------------------


def _table(path):
    initializer = tf.lookup.TextFileInitializer(path, tf.string, 0, tf.int64, -1)
    return tf.lookup.StaticHashTable(initializer, -1)


def _dataset(x):
    with tf.device("/cpu:0"):
        dataset = tf.data.TextLineDataset("/etc/hostname").map(lambda line: tf.io.read_file(line))
        return tf.data.Dataset.get_single_element(dataset.take(1))


def _restore(x):
    return tf.raw_ops.RestoreV2(
        prefix="/models/other", tensor_names=["w"], shape_and_slices=[""], dtypes=[tf.float32]
    )[0]


def _collective(x):
    return tf.raw_ops.CollectiveReduce(
        input=x,
        group_size=2,
        group_key=1,
        instance_key=1,
        merge_op="Add",
        final_op="Id",
        subdiv_offsets=[0],
    )


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (lambda x: tf.io.read_file("/etc/hostname"), [("reads files", "ReadFile")]),
        (lambda x: tf.io.matching_files("/home/*"), [("lists files", "MatchingFiles")]),
        (lambda x: tf1.py_func(lambda v: v, [x], tf.float32), [("calls Python", "PyFunc")]),
        (
            lambda x: tf.numpy_function(lambda v: v, [x], tf.float32),
            [("calls Python", "PyFunc")],
        ),
        (
            lambda x: tf.py_function(lambda v: v, [x], tf.float32),
            [("calls Python", "EagerPyFunc")],
        ),
        (_restore, [("restores checkpoints", "RestoreV2")]),
        (_collective, [("reaches the network or other devices", "CollectiveReduce")]),
        (
            _dataset,
            [("reads files", "ReadFile"), ("reads files", "TextLineDataset")],
        ),
        (
            lambda x: tf.raw_ops.ImmutableConst(
                dtype=tf.float32, shape=[1], memory_region_name="/etc/hostname"
            ),
            [("reads files", "ImmutableConst")],
        ),
        (
            lambda x: tf.raw_ops.DatasetFromGraph(graph_def="anything"),
            [("runs programs that are stored as data", "DatasetFromGraph")],
        ),
    ],
)
def test_operations(tmp_path, body, expected):
    path = export(_module_of(lambda x: tf.identity(body(x))), tmp_path / "module")
    assert [(kind, op_type) for kind, op_type, _ in _found(path)] == expected


@pytest.mark.parametrize(
    ("add", "expected"),
    [
        (lambda: tf.io.write_file("/tmp/x", "words"), ("writes files", "WriteFile")),
        (
            lambda: tf.print("words", output_stream="file:///tmp/x"),
            ("writes files", "PrintV2"),
        ),
        (
            lambda: tf.raw_ops.SaveV2(
                prefix="/tmp/x", tensor_names=["w"], shape_and_slices=[""], tensors=[tf.ones([])]
            ),
            ("writes files", "SaveV2"),
        ),
        (
            lambda: tf.raw_ops.Abort(error_msg="", exit_without_error=True),
            ("ends the process or changes its settings", "Abort"),
        ),
    ],
)
def test_operations_without_a_result(tmp_path, add, expected):
    def module_fn():
        with tf.control_dependencies([add()]):
            hub.add_signature(outputs=tf.constant(1.0))

    ((kind, op_type, _),) = _found(export(module_fn, tmp_path / "module"))
    assert (kind, op_type) == expected


def test_printing_is_no_side_effect(tmp_path):
    def module_fn():
        with tf.control_dependencies([tf.print("words")]):
            hub.add_signature(outputs=tf.constant(1.0))

    assert _found(export(module_fn, tmp_path / "module")) == []


@pytest.mark.parametrize("v2", [False, True])
@pytest.mark.parametrize(
    "body",
    [
        lambda x: tf.function(_read)(x),
        lambda x: tf.function(lambda y: tf.function(_read)(y) + 1.0)(x),
        lambda x: tf.cond(tf.size(x) > 7, lambda: _read(x), lambda: x),
        lambda x: tf.while_loop(lambda i, y: i < 2, lambda i, y: (i + 1, _read(y)), [0, x])[1],
        lambda x: tf.map_fn(_read, x),
        lambda x: tf.switch_case(tf.constant(0), [lambda: x, lambda: _read(x)]),
        lambda x: tf1.wrap_function(_read, [tf.TensorSpec([None])])(x),
        lambda x: tf.data.Dataset.get_single_element(
            tf.data.Dataset.from_tensors(x).filter(lambda y: tf.size(_read(y)) > 0)
        ),
    ],
)
def test_operations_in_functions(tmp_path, body, v2):
    with control_flow(v2):
        path = export(_module_of(lambda x: tf.identity(body(x))), tmp_path / "module")
    ((kind, op_type, name),) = _found(path)
    assert (kind, op_type) == ("reads files", "ReadFile") and name.endswith("read")


def test_what_runs_other_than_for_an_output(tmp_path):
    def module_fn():
        w = modules.variable("w", [2], regularizer=_read)
        tf1.add_to_collection(tf1.GraphKeys.UPDATE_OPS, tf1.assign(w, _read(w)))
        tf1.add_to_collection(tf1.GraphKeys.TABLE_INITIALIZERS, _read(1.0).op)
        hub.add_signature(outputs=w.read_value())

    assert len(_found(export(module_fn, tmp_path / "module"))) == 3


def test_what_never_runs_is_not_named(tmp_path):
    """The initializers of variables whose values are stored, and what nothing asks for."""

    def module_fn():
        w = tf1.get_variable("w", initializer=lambda: _read(1.0))
        tf1.train.Saver()
        _read(2.0)
        hub.add_signature(outputs=w.read_value())

    path = export(module_fn, tmp_path / "module")
    assert _found(path) == []
    types = {node.op for node in read_saved_model(path).meta_graphs[0].graph_def.node}
    assert {"ReadFile", "SaveV2", "RestoreV2"} <= types


def test_the_modules_own_assets_are_no_side_effect(tmp_path):
    for name in ("file_table", "same_base_names", "vocabulary_table", "asset_content", "nested"):
        spec = modules.define(hub, name, str(tmp_path / name / "sources"))
        assert _found(modules.export(hub, spec, str(tmp_path / name / "module"))) == []


def test_no_golden_has_a_side_effect_but_by_its_own_path():
    folder = pathlib.Path(__file__).parent.parent / "goldens"
    for name in sorted(modules.CASES):
        if (folder / name / "module").is_dir():
            spec = hub.load_module_spec(folder / name / "module")
            assert spec.side_effects() == []
            found = loading_side_effects(variant.meta_graph for variant in spec.variants)
            assert [effect.op_type for effect in found] == (
                ["ReadFile"] if "content" in name else []
            )


def test_assets_by_way_of_functions(tmp_path):
    file = modules.write_lines(str(tmp_path), "words.txt", ["a"])

    def module_fn():
        asset = tf.constant(file)
        tf1.add_to_collection(tf1.GraphKeys.ASSET_FILEPATHS, asset)
        inner = tf.function(lambda path: tf.io.read_file(tf.identity(path)))
        outer = tf.function(lambda flag, path: tf.cond(flag, lambda: inner(path), lambda: "none"))
        hub.add_signature(outputs=outer(tf.constant(True), tf.identity(asset)))

    assert _found(export(module_fn, tmp_path / "module")) == []


def test_a_function_that_reads_an_asset_and_something_else(tmp_path):
    file = modules.write_lines(str(tmp_path), "words.txt", ["a"])

    def module_fn():
        asset = tf.constant(file)
        tf1.add_to_collection(tf1.GraphKeys.ASSET_FILEPATHS, asset)
        read = tf.function(tf.io.read_file)
        hub.add_signature(outputs=tf.stack([read(asset), read(tf.constant("/etc/hostname"))]))

    ((kind, op_type, _),) = _found(export(module_fn, tmp_path / "module"))
    assert (kind, op_type) == ("reads files", "ReadFile")


@pytest.mark.parametrize(
    "path",
    [
        lambda asset: tf.strings.join([asset, "/../../secret"]),
        lambda asset: tf.where([True], [asset], ["/etc/hostname"])[0],
        lambda asset: tf1.placeholder(tf.string, []),
    ],
)
def test_paths_that_are_made_of_assets_or_given(tmp_path, path):
    file = modules.write_lines(str(tmp_path), "words.txt", ["a"])

    def module_fn():
        asset = tf.constant(file)
        tf1.add_to_collection(tf1.GraphKeys.ASSET_FILEPATHS, asset)
        hub.add_signature(outputs=tf.io.read_file(path(asset)))

    assert [effect[:2] for effect in _found(export(module_fn, tmp_path / "module"))] == [
        ("reads files", "ReadFile")
    ]


def test_writing_over_an_asset_is_one(tmp_path):
    file = modules.write_lines(str(tmp_path), "words.txt", ["a"])

    def module_fn():
        asset = tf.constant(file)
        tf1.add_to_collection(tf1.GraphKeys.ASSET_FILEPATHS, asset)
        with tf.control_dependencies([tf.io.write_file(asset, "b")]):
            hub.add_signature(outputs=tf.constant(1.0))

    assert [effect[:2] for effect in _found(export(module_fn, tmp_path / "module"))] == [
        ("writes files", "WriteFile")
    ]


def test_operations_of_other_libraries(tmp_path):
    path = export(_module_of(lambda x: tf.exp(x, name="other")), tmp_path / "module")
    with edited(path) as meta_graph:
        (node,) = [node for node in meta_graph.graph_def.node if node.name == "other"]
        node.op = "IO>ReadAll"
    assert _found(path) == [
        ("has operations of a library beside TensorFlow", "IO>ReadAll", "other")
    ]
    with edited(path) as meta_graph:
        (node,) = [node for node in meta_graph.graph_def.node if node.name == "other"]
        node.op = "TFText>NgramsStringJoin"
    assert _found(path) == []


# --- ways to hide ----------------------------------------------------------------------------


def _with_function(tmp_path):
    """A module that calls a function, and the node that does."""
    return export(_module_of(lambda x: tf.function(lambda y: y + 1.0)(x)), tmp_path / "module")


def _call(meta_graph):
    (call,) = [node for node in meta_graph.graph_def.node if "Call" in node.op]
    return call


def _add_reader(function, path="/etc/hostname"):
    """Lets a function of one float read a file before it gives its result."""
    constant = function.node_def.add(name="path", op="Const")
    constant.attr["dtype"].type = STRING
    constant.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(path))
    read = function.node_def.add(name="read", op="ReadFile", input=["path:output:0"])
    result = function.node_def.add(name="result", op="Identity", input=["x", f"^{read.name}"])
    result.attr["T"].type = FLOAT
    function.ret["y"] = "result:output:0"


@pytest.mark.parametrize("how", ["nested", "alternative", "named", "gradient", "op", "registered"])
def test_functions_that_are_called_in_other_ways(tmp_path, how):
    path = _with_function(tmp_path)
    with edited(path) as meta_graph:
        call, library = _call(meta_graph), meta_graph.graph_def.library
        _add_reader(add_function(meta_graph.graph_def, "hidden"))
        called = library.function[0]
        if how == "nested":  # the function that is called takes one to call
            call.attr["f"].func.attr["inner"].func.name = "hidden"
        elif how == "alternative":  # TensorFlow chooses by the device
            called.attr["api_implements"].s = b"same"
            library.function[1].attr["api_implements"].s = b"same"
        elif how == "named":
            called.attr["forward_function_name"].s = b"hidden"
        elif how == "gradient":
            library.gradient.add(function_name=called.signature.name, gradient_func="hidden")
        elif how == "op":
            called.node_def.add(
                name="again", op="hidden", input=[called.signature.input_arg[0].name]
            )
        else:
            add_call(
                called.node_def.add(name="again"), "hidden", called.signature.input_arg[0].name
            )
    assert _found(path) == [("reads files", "ReadFile", "hidden/read")]


def test_a_function_that_nothing_calls_is_not_named(tmp_path):
    path = _with_function(tmp_path)
    with edited(path) as meta_graph:
        _add_reader(add_function(meta_graph.graph_def, "hidden"))
    assert _found(path) == []


def test_a_constant_that_is_no_asset_under_an_assets_name(tmp_path):
    """The file that is fed takes the place of a constant, but of nothing else."""
    spec = modules.define(hub, "asset_content", str(tmp_path / "sources"))
    path = modules.export(hub, spec, str(tmp_path / "module"))
    with edited(path) as meta_graph:
        nodes = {node.name: node for node in meta_graph.graph_def.node}
        asset = nodes[nodes["ReadFile"].input[0]]
        secret = meta_graph.graph_def.node.add(name="secret", op="Const")
        secret.attr["dtype"].type = STRING
        secret.attr["value"].tensor.CopyFrom(tf.make_tensor_proto("/etc/hostname"))
        asset.Clear()
        asset.name, asset.op = nodes["ReadFile"].input[0] or "Const", "StringLower"
        asset.input.append("secret")
    found = hub.load_module_spec(path).side_effects()
    assert [(effect.kind, effect.op_type) for effect in found] == [("reads files", "ReadFile")]


def test_names_that_come_from_the_module_are_shown_quoted_and_cut(tmp_path, warnings):
    path = export(_module_of(lambda x: _read(x)), tmp_path / "module")
    with edited(path) as meta_graph:
        for node in meta_graph.graph_def.node:
            if node.op == "ReadFile":
                node.name = "\x1b[31m" + "x" * 500
            node.input[:] = [
                "^\x1b[31m" + "x" * 500 if edge == "^read" else edge for edge in node.input
            ]
    hub.load_module_spec(path)
    (message,) = warnings()
    assert "(ReadFile '\\x1b[31m" + "x" * 115 + "'... (505 characters))" in message


# --- the warning and the setting -------------------------------------------------------------


def _variants(tmp_path):
    """A module whose variant for training writes, and both of whose variants read."""

    def module_fn(is_training=False):
        x = tf1.placeholder(tf.float32, [None], name="x")
        y = _read(x)
        if is_training:
            with tf.control_dependencies([tf.io.write_file("/tmp/x", "words", name="write")]):
                y = tf.identity(y)
        hub.add_signature(inputs=x, outputs=y)

    spec = hub.create_module_spec(module_fn, [(set(), {}), ({"train"}, {"is_training": True})])
    return modules.export(hub, spec, str(tmp_path / "module"))


def _warning(path):
    return (
        f"The module {path} does more than compute its outputs: with the tags set() it reads files "
        "(ReadFile 'read'); with the tags {'train'} it reads files (ReadFile 'read'), writes files "
        "(WriteFile 'write'). Use it only if you trust its publisher; "
        "HUB_ESTIMATOR_REFUSE_SIDE_EFFECTS=1 refuses such modules."
    )


def _refusal(path):
    return (
        f"The module {path} does more than compute its outputs: with the tags set() it reads files "
        "(ReadFile 'read'); with the tags {'train'} it reads files (ReadFile 'read'), writes files "
        "(WriteFile 'write'). Such modules are refused here, by refuse_side_effects or "
        "HUB_ESTIMATOR_REFUSE_SIDE_EFFECTS. If you trust its publisher, load it without."
    )


def test_one_warning_names_them_with_their_variants(tmp_path, warnings):
    path = _variants(tmp_path)
    assert warnings() == []
    for _ in range(3):
        hub.Module(path, tags={"train"})
        hub.load_module_spec(path)
    assert warnings() == [_warning(path)]


def test_variants_that_do_the_same_and_many_operations(tmp_path, warnings):
    def module_fn(number=0):
        x = tf1.placeholder(tf.float32, [None], name="x")
        y = x
        for _ in range(5):
            y = _read(y)
        hub.add_signature(inputs=x, outputs=y)

    spec = hub.create_module_spec(module_fn, [(set(), {}), ({"a", "b"}, {"number": 1})])
    path = modules.export(hub, spec, str(tmp_path / "module"))
    hub.load_module_spec(path)
    (message,) = warnings()
    assert message == (
        f"The module {path} does more than compute its outputs: with the tags set(), {{'a', 'b'}} it "
        "reads files (ReadFile 'read', ReadFile 'read_1', ReadFile 'read_2' and 2 more). Use it only "
        "if you trust its publisher; HUB_ESTIMATOR_REFUSE_SIDE_EFFECTS=1 refuses such modules."
    )


def test_the_setting_refuses(tmp_path, warnings, monkeypatch):
    path = _variants(tmp_path)
    monkeypatch.setenv(SETTING, "1")
    for read in (hub.load_module_spec, hub.Module, hub.eval_function_for_module):
        with pytest.raises(errors.SideEffectsError) as caught:
            read(path)
        assert str(caught.value) == _refusal(path) and isinstance(caught.value, ValueError)
    with pytest.raises(errors.SideEffectsError):
        modules.in_thread(lambda: hub.load(path))
    assert hub.load_module_spec(path, refuse_side_effects=False).get_tags()
    assert warnings() == [_warning(path)]
    golden = pathlib.Path(__file__).parent.parent / "goldens" / "file_table" / "module"
    assert hub.load_module_spec(golden).get_tags() == [frozenset()]


def test_an_argument_refuses(tmp_path, warnings):
    path = _variants(tmp_path)
    with pytest.raises(errors.SideEffectsError) as caught:
        hub.load_module_spec(path, refuse_side_effects=True)
    assert str(caught.value) == _refusal(path)
    with pytest.raises(errors.SideEffectsError):
        modules.in_thread(lambda: hub.load(path, refuse_side_effects=True))
    assert warnings() == []


def test_what_one_defines_oneself_is_not_warned_of(warnings):
    hub.Module(hub.create_module_spec(_module_of(_read)))
    assert warnings() == []
    assert len(hub.create_module_spec(_module_of(_read)).side_effects()) == 1


# --- SavedModels -----------------------------------------------------------------------------


class Reading(tf.Module):
    """Reads an asset of its own, a table's file, and, where it is asked to, others."""

    def __init__(self, folder, reads):
        super().__init__()
        file = modules.write_lines(folder, "words.txt", ["a"])
        self.asset = tf.saved_model.Asset(file)
        self.table = _table(file)
        self.weight = tf.Variable(1.0)
        self.reads = reads

    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32)])
    def __call__(self, x):
        words = tf.strings.length(tf.io.read_file(self.asset))
        rows = tf.cast(self.table.lookup(tf.constant(["a"])), tf.float32)
        y = x * self.weight + tf.cast(words, tf.float32) + rows
        return tf.map_fn(_read, y) if self.reads else y


def _tf2(tmp_path, reads):
    path = str(tmp_path / f"saved_model_{reads}")
    modules.in_thread(lambda: tf.saved_model.save(Reading(str(tmp_path), reads), path))
    return path


def _tf1(tmp_path, body, **kwargs):
    path = str(tmp_path / "saved_model")
    with tf.Graph().as_default(), tf1.Session() as session:
        x = tf1.placeholder(tf.float32, [None])
        y = body(x) * modules.variable("w", [])
        modules.initialize(session)
        tf1.train.Saver()  # a second one, which nothing runs
        tf1.saved_model.simple_save(session, path, {"x": x}, {"y": y})
    return path


def test_a_tf2_saved_model(tmp_path, warnings, monkeypatch):
    modules.in_thread(lambda: hub.load(_tf2(tmp_path, False)))
    assert warnings() == []
    path = _tf2(tmp_path, True)
    (found,) = loading_side_effects(read_saved_model(path).meta_graphs)
    assert (found.kind, found.op_type, found.tags) == ("reads files", "ReadFile", {"serve"})
    modules.in_thread(lambda: hub.load(path))
    message = (
        f"The SavedModel {path} does more than compute its outputs: with the tags {{'serve'}} it reads "
        f"files (ReadFile '{found.name}'). Use it only if you trust its publisher; "
        "HUB_ESTIMATOR_REFUSE_SIDE_EFFECTS=1 refuses such modules."
    )
    assert warnings() == [message]
    ReusableSavedModel(find(path)).inputs("default", frozenset())
    assert warnings() == [message]
    monkeypatch.setenv(SETTING, "yes")
    with pytest.raises(errors.SideEffectsError):
        modules.in_thread(lambda: hub.load(path))


def test_an_encoder_of_a_saved_model_is_refused(tmp_path, monkeypatch):
    path = _tf2(tmp_path, True)
    monkeypatch.setenv(SETTING, "1")
    with pytest.raises(errors.SideEffectsError):
        ReusableSavedModel(find(path)).inputs("default", frozenset())


def test_nothing_of_a_refused_saved_model_runs(tmp_path):
    """TensorFlow runs what initializes objects while it loads them."""
    target = tmp_path / "written"

    class Writing(tf.lookup.TextFileInitializer):
        def initialize(self, table):
            tf.io.write_file(str(target), "words")
            return super().initialize(table)

    def save():
        made = tf.Module()
        file = modules.write_lines(str(tmp_path), "words.txt", ["a"])
        made.table = tf.lookup.StaticHashTable(Writing(file, tf.string, 0, tf.int64, -1), -1)
        tf.saved_model.save(made, str(tmp_path / "saved_model"))

    modules.in_thread(save)
    target.unlink()
    with pytest.raises(errors.SideEffectsError) as caught:
        modules.in_thread(lambda: hub.load(tmp_path / "saved_model", refuse_side_effects=True))
    assert "writes files (WriteFile " in str(caught.value)
    assert not target.exists()
    modules.in_thread(lambda: hub.load(tmp_path / "saved_model"))
    assert target.exists()


def test_a_tf1_saved_model(tmp_path, warnings):
    path = _tf1(tmp_path, lambda x: x)
    hub.create_module_spec_from_saved_model(path)
    modules.in_thread(lambda: hub.load(path))
    assert warnings() == []
    path = _tf1(tmp_path / "reading", _read)
    spec = hub.create_module_spec_from_saved_model(path)
    modules.in_thread(lambda: hub.load(path))
    (message,) = warnings()
    assert message == (
        f"The SavedModel {path} does more than compute its outputs: with the tags {{'serve'}} it reads "
        "files (ReadFile 'read'). Use it only if you trust its publisher; "
        "HUB_ESTIMATOR_REFUSE_SIDE_EFFECTS=1 refuses such modules."
    )
    assert [effect.op_type for effect in spec.side_effects()] == ["ReadFile"]
    for read in (hub.create_module_spec_from_saved_model, hub.load):
        with pytest.raises(errors.SideEffectsError):
            read(path, refuse_side_effects=True)


def test_a_tf1_saved_model_with_a_table_and_a_file(tmp_path):
    """Its loader gives the files' paths to what fills tables, and nothing else."""
    file = modules.write_lines(str(tmp_path), "words.txt", ["a"])
    builder = tf1.saved_model.Builder(str(tmp_path / "saved_model"))
    with tf.Graph().as_default(), tf1.Session() as session:
        x = tf1.placeholder(tf.string, [None])
        y = {"rows": _table(file).lookup(x)}
        (asset,) = tf1.get_collection(tf1.GraphKeys.ASSET_FILEPATHS)
        signatures = {
            "rows": tf1.saved_model.predict_signature_def({"x": x}, y),
            "file": tf1.saved_model.predict_signature_def(
                {"x": x}, {"text": tf.io.read_file(asset)}
            ),
        }
        builder.add_meta_graph_and_variables(
            session, ["serve"], signatures, [asset], main_op=tf1.tables_initializer()
        )
    builder.save()
    spec = hub.create_module_spec_from_saved_model(tmp_path / "saved_model")
    assert spec.side_effects() == []
    meta_graphs = read_saved_model(str(tmp_path / "saved_model")).meta_graphs
    assert [effect.op_type for effect in loading_side_effects(meta_graphs)] == ["ReadFile"]


def test_a_saver_that_restores_something_else(tmp_path):
    path = _tf1(tmp_path, lambda x: x)
    assert loading_side_effects(read_saved_model(path).meta_graphs) == []
    with edited(path) as meta_graph:
        nodes = {node.name: node for node in meta_graph.graph_def.node}
        (restore,) = [
            node
            for node in nodes.values()
            if node.op == "RestoreV2" and node.name.startswith("save_1/")
        ] or [nodes["save/RestoreV2"]]
        secret = meta_graph.graph_def.node.add(name="secret", op="Const")
        secret.attr["dtype"].type = STRING
        secret.attr["value"].tensor.CopyFrom(tf.make_tensor_proto("/models/other"))
        for node in meta_graph.graph_def.node:
            if node.op == "RestoreV2":
                node.input[0] = "secret"
    (found,) = loading_side_effects(read_saved_model(path).meta_graphs)
    assert (found.kind, found.op_type) == ("restores checkpoints", "RestoreV2")
    assert found.name.endswith(restore.name.rpartition("/")[2])


def test_what_a_saver_restores_does_not_excuse_an_output(tmp_path):
    """A signature that restores by the name that the saver is given."""
    path = _tf1(tmp_path, lambda x: x)
    with edited(path) as meta_graph:
        saver = meta_graph.saver_def
        (signature,) = meta_graph.signature_def.values()
        signature.outputs["y"].name = f"{saver.filename_tensor_name.partition('/')[0]}/RestoreV2:0"
    (found,) = loading_side_effects(read_saved_model(path).meta_graphs)
    assert found.kind == "restores checkpoints"


def test_functions_of_the_saver_of_a_tf2_saved_model(tmp_path):
    path = _tf2(tmp_path, False)
    saved_model = read_saved_model(path)
    library = saved_model.meta_graphs[0].graph_def.library
    restores = [
        function.signature.name
        for function in library.function
        if any(node.op in ("RestoreV2", "SaveV2") for node in function.node_def)
    ]
    assert len(restores) == 2
    assert loading_side_effects(saved_model.meta_graphs) == []
    # One that an object calls, too, or that TensorFlow may take for another, counts.
    objects = saved_model.meta_graphs[0].object_graph_def
    objects.concrete_functions[restores[0]].SetInParent()
    assert len(loading_side_effects(saved_model.meta_graphs)) > 0
    del objects.concrete_functions[restores[0]]
    for function in library.function:
        if function.signature.name in restores:
            function.attr["api_implements"].s = b"x"
    assert len(loading_side_effects(saved_model.meta_graphs)) > 0


def test_values_are_those_of_tensorflow(tmp_path):
    """What is named does run: the listing is of what happens."""
    secret = tmp_path / "secret.txt"
    secret.write_text("words")
    path = export(_module_of(lambda x: tf.io.read_file(str(secret))), tmp_path / "module")
    assert len(_found(path)) == 1
    with hub.eval_function_for_module(path) as evaluate:
        assert evaluate(np.float32([1])) == b"words"


def test_each_kind_is_said_once_in_a_message(tmp_path, warnings):
    def module_fn():
        w = tf.io.write_file("/tmp/x", "words", name="write")
        with tf.control_dependencies([w, tf.io.matching_files("/*", name="list").op]):
            hub.add_signature(outputs=_read(tf.constant(1.0)))

    path = export(module_fn, tmp_path / "module")
    hub.load_module_spec(path)
    (message,) = warnings()
    inside = message.partition("set() it ")[2].partition(". Use")[0]
    assert inside == (
        "lists files (MatchingFiles 'list'), reads files (ReadFile 'read'), writes files (WriteFile "
        "'write')"
    )
    assert [key for key, _ in itertools.groupby(_found(path), key=lambda effect: effect[0])] == [
        "lists files",
        "reads files",
        "writes files",
    ]
    assert not os.path.exists("/tmp/x")
