"""Reading a module's folder: what is accepted, and what each refusal says."""

from __future__ import annotations

import os
import pathlib
import shutil

import pytest
import tensorflow as tf
from google.protobuf import text_format
from tensorflow.core.framework import variable_pb2
from tensorflow.core.protobuf import saved_model_pb2

import hub_estimator as hub
from hub_estimator import errors, layout
from hub_estimator.format.protos import ModuleDef
from hub_estimator.format.read import read_module
from tests import modules
from tests.modules import TRAIN, X23, tf1


@pytest.fixture
def path(tmp_path):
    spec = modules.define(hub, "batch_norm", "")
    return pathlib.Path(modules.export(hub, spec, str(tmp_path / "module")))


@pytest.fixture
def with_asset(tmp_path):
    spec = modules.define(hub, "asset_content", str(tmp_path / "sources"))
    return pathlib.Path(modules.export(hub, spec, str(tmp_path / "module")))


def _error(path, kind, *builtins):
    with pytest.raises(kind) as raised:
        hub.load_module_spec(path)
    for builtin in builtins:
        assert isinstance(raised.value, builtin)
    return str(raised.value)


def _edit(path, change):
    """Changes the `SavedModel` of a module."""
    file = path / layout.SAVED_MODEL
    saved_model = saved_model_pb2.SavedModel.FromString(file.read_bytes())
    change(saved_model)
    file.write_bytes(saved_model.SerializeToString())


def test_variants_whatever_their_order(path):
    assert hub.load_module_spec(path).get_tags() == [frozenset(), TRAIN]

    def swap(saved_model):
        graphs = list(saved_model.meta_graphs)[::-1]
        saved_model.ClearField("meta_graphs")
        saved_model.meta_graphs.extend(graphs)

    _edit(path, swap)
    assert hub.load_module_spec(path).get_tags() == [frozenset(), TRAIN]


def test_foreign_files_are_fine(path):
    (path / "README.md").write_text("words")
    (path / "fingerprint.pb").write_bytes(b"\xff")
    (path / "assets.extra").mkdir()
    assert hub.load_module_spec(path).get_signature_names() == ["default"]


def test_a_saved_model_in_text(path):
    file = path / layout.SAVED_MODEL
    saved_model = saved_model_pb2.SavedModel.FromString(file.read_bytes())
    file.unlink()
    (path / layout.SAVED_MODEL_TEXT).write_text(text_format.MessageToString(saved_model))
    assert hub.load_module_spec(path).get_signature_names() == ["default"]


def test_unknown_attributes_with_default_values_are_tolerated(path):
    def change(saved_model):
        for graph in saved_model.meta_graphs:
            stripped = graph.meta_info_def.stripped_op_list
            for op in stripped.op:
                if op.name == "MatMul":
                    attr = op.attr.add(name="of_a_later_release", type="bool")
                    attr.default_value.b = False
            for node in graph.graph_def.node:
                if node.op == "MatMul":
                    node.attr["of_a_later_release"].b = False

    _edit(path, change)
    module = hub.Module(path)
    assert module(X23).shape.as_list() == [2, 3]


# --- refusals --------------------------------------------------------------------------------


def test_nothing_there(tmp_path):
    message = _error(tmp_path / "nothing", errors.Error, OSError)
    assert str(tmp_path / "nothing") in message


def test_an_empty_folder(tmp_path):
    assert _error(tmp_path, errors.NotAModuleError, OSError, ValueError) == (
        f"{tmp_path} is not a TF1 Hub module: it has no tfhub_module.pb. The folder is empty."
    )


def test_a_folder_with_other_files(tmp_path):
    for name in "gfedcba":
        (tmp_path / name).write_text("")
    assert _error(tmp_path, errors.NotAModuleError) == (
        f"{tmp_path} is not a TF1 Hub module: it has no tfhub_module.pb. It holds: a, b, c, d, e "
        "and 2 more. Give the folder that has the tfhub_module.pb."
    )


def test_a_folder_with_a_few_other_files(tmp_path):
    (tmp_path / "module").mkdir()
    assert _error(tmp_path, errors.NotAModuleError) == (
        f"{tmp_path} is not a TF1 Hub module: it has no tfhub_module.pb. It holds: module. Give "
        "the folder that has the tfhub_module.pb."
    )


def test_a_file(path):
    file = path / layout.SAVED_MODEL
    assert _error(file, errors.Error, OSError) == (
        f"{str(file)!r} is a file: give the folder of the module, or its .tar.gz."
    )
    with pytest.raises(errors.NotAModuleError) as raised:
        read_module(str(file))
    assert str(raised.value) == (
        f"{file} is not a TF1 Hub module: it is a file, and a module is a folder."
    )


@pytest.mark.parametrize("name", ["checkpoint", "model.ckpt-7.index"])
def test_a_checkpoint(tmp_path, name):
    (tmp_path / name).write_text("")
    assert _error(tmp_path, errors.NotAModuleError) == (
        f"{tmp_path} is not a TF1 Hub module: it has no tfhub_module.pb. It holds a checkpoint. To "
        "make a module of it, define the module with create_module_spec and call spec.export(path, "
        "checkpoint_path=...)."
    )


def test_a_model_folder(tmp_path):
    (tmp_path / "checkpoint").touch()
    for name in ("module/9/text", "module/10/text", "best/8/text", "best/8/other", "a/b/c/d/e"):
        (tmp_path / "export" / name).mkdir(parents=True)
        (tmp_path / "export" / name / layout.MODULE_DEF).touch()
    there = ", ".join(
        str(tmp_path / "export" / name)
        for name in ("best/8/other", "best/8/text", "module/10/text")
    )
    assert _error(tmp_path, errors.NotAModuleError) == (
        f"{tmp_path} is not a TF1 Hub module: it has no tfhub_module.pb. There are modules in it: "
        f"{there}. Give one of these."
    )


def test_a_tf1_saved_model(path):
    (path / layout.MODULE_DEF).unlink()
    assert _error(path, errors.NotAModuleError) == (
        f"{path} is not a TF1 Hub module: it has no tfhub_module.pb. It is a TF1 SavedModel: use "
        "hub.create_module_spec_from_saved_model, and pass its result to hub.Module."
    )


def test_a_tf2_saved_model(tmp_path):
    modules.in_thread(lambda: tf.saved_model.save(tf.Module(), str(tmp_path)))
    assert _error(tmp_path, errors.NotAModuleError) == (
        f"{tmp_path} is not a TF1 Hub module: it has no tfhub_module.pb. It is a TF2 SavedModel: "
        "use hub.load, which reads both formats."
    )


def test_another_format(path):
    file = path / layout.MODULE_DEF
    for number in (4, 0):
        file.write_bytes(ModuleDef(format=number).SerializeToString())
        message = _error(path, errors.UnsupportedModuleError, ValueError)
        assert message == (
            f"{file} says that the module is of format {number}; this release reads format 3. "
            "Where the number is a later one, update hub_estimator."
        )


def test_required_features(path):
    file = path / layout.MODULE_DEF
    module_def = ModuleDef(format=3, required_features=["one", "two"])
    file.write_bytes(module_def.SerializeToString())
    assert _error(path, errors.UnsupportedModuleError) == (
        f"{file} says that the module requires 'one', 'two', which this release does not know. "
        "Update hub_estimator, or ask the module's publisher for a plain module."
    )


def test_a_damaged_module_def(path):
    file = path / layout.MODULE_DEF
    file.write_bytes(b"\x08")
    message = _error(path, errors.BrokenModuleError, OSError, ValueError)
    assert message.startswith(f"{file} is not a ModuleDef, or it is damaged (")
    assert message.endswith("). Fetch the module again.")


def test_no_saved_model(path):
    (path / layout.SAVED_MODEL).unlink()
    assert _error(path, errors.BrokenModuleError) == (
        f"{path} has no saved_model.pb. Fetch the module again."
    )


@pytest.mark.parametrize("content", [b"\x12\xff", b"\xff" * 9, b"text"])
def test_a_damaged_saved_model(path, content):
    file = path / layout.SAVED_MODEL
    file.write_bytes(content)
    message = _error(path, errors.BrokenModuleError)
    assert message.startswith(f"{file} is not a SavedModel, or it is damaged (")
    assert message.endswith("). Fetch the module again.")


@pytest.mark.parametrize("content", [b"\xff\xfe", b"words"])
def test_a_damaged_saved_model_in_text(path, content):
    (path / layout.SAVED_MODEL).unlink()
    file = path / layout.SAVED_MODEL_TEXT
    file.write_bytes(content)
    message = _error(path, errors.BrokenModuleError)
    assert message.startswith(f"{file} is not a SavedModel, or it is damaged (")


def test_no_graph(path):
    file = path / layout.SAVED_MODEL
    file.write_bytes(b"")
    assert _error(path, errors.BrokenModuleError) == (
        f"{file} holds no graph. Fetch or export the module again."
    )


def test_equal_tags(path):
    def change(saved_model):
        for graph in saved_model.meta_graphs:
            graph.meta_info_def.tags[:] = ["b", "a"]

    _edit(path, change)
    assert _error(path, errors.DuplicateTagsError, ValueError) == (
        f"The module {path} has two graph variants with the tags {{'a', 'b'}}. Ask its publisher "
        "for one with different tags."
    )


def test_no_values(path):
    (path / "variables" / "variables.index").unlink()
    assert _error(path, errors.BrokenModuleError) == (
        f"The module {path} lacks the values of its variables ({path}/variables/variables.index). "
        "Fetch the module again."
    )


def test_a_missing_asset(with_asset):
    file = with_asset / "assets" / "data.txt"
    file.unlink()
    assert _error(with_asset, errors.BrokenModuleError) == (
        f"The module {with_asset} lacks its asset 'data.txt' ({file}). Fetch the module again."
    )


def _set_asset(path, name):
    from tensorflow.core.protobuf import meta_graph_pb2

    def change(saved_model):
        [value] = saved_model.meta_graphs[0].collection_def["saved_model_assets"].any_list.value
        asset = meta_graph_pb2.AssetFileDef.FromString(value.value)
        asset.filename = name
        value.value = asset.SerializeToString()

    _edit(path, change)


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "../assets_evil/x", "../x", "/etc/passwd", "a/../../x", "x\0y", "a/../.."],
)
def test_unsafe_names_of_assets(with_asset, name):
    (with_asset / "assets_evil").mkdir()
    (with_asset / "assets_evil" / "x").write_text("")
    _set_asset(with_asset, name)
    assert _error(with_asset, errors.UnsafeAssetError, ValueError) == (
        f"The module in {with_asset} names an asset {name!r}, which is not a file below its "
        "assets/ folder. Do not use this module: ask its publisher."
    )


@pytest.mark.parametrize("name", ["folder/data.txt", "./data2.txt", "a/../data2.txt", "..data"])
def test_safe_names_of_assets(with_asset, name):
    file = pathlib.Path(os.path.normpath(with_asset / "assets" / name))
    file.parent.mkdir(exist_ok=True)
    file.write_text("other")
    _set_asset(with_asset, name)
    module = hub.Module(with_asset)
    with tf1.Session() as session:
        assert session.run(module(signature="content")) == b"other"
        module.export(str(with_asset) + "_again", session)
    again = hub.Module(str(with_asset) + "_again")
    with tf1.Session() as session:
        assert session.run(again(signature="content")) == b"other"


def test_a_listed_variable_without_a_node(path):
    def change(saved_model):
        for graph in saved_model.meta_graphs:
            nodes = [node for node in graph.graph_def.node if node.name != "average"]
            graph.graph_def.ClearField("node")
            graph.graph_def.node.extend(nodes)

    _edit(path, change)
    message = _error(path, errors.BrokenModuleError)
    assert message.startswith(
        f"The module {path} is damaged: in the graph with the tags set(), the node 'average/"
    )
    assert message.endswith(
        "refers to 'average', which is not there. Fetch or export the module again."
    )


def test_an_unknown_encoding(path):
    def change(saved_model):
        for graph in saved_model.meta_graphs:
            graph.signature_def["default"].inputs["default"].ClearField("encoding")

    _edit(path, change)
    assert _error(path, errors.BrokenModuleError) == (
        "A signature of the module has a tensor in the unknown encoding None; known are name, "
        "coo_sparse and composite_tensor. Export the module again."
    )


def test_an_unknown_type(path):
    def change(saved_model):
        saved_model.meta_graphs[0].signature_def["default"].inputs["default"].dtype = 99

    _edit(path, change)
    message = _error(path, errors.BrokenModuleError)
    assert message.startswith(f"The module {path} is damaged (TypeError: ")
    assert message.endswith("). Fetch or export the module again.")


def test_an_impossible_shape(path):
    def change(saved_model):
        signature = saved_model.meta_graphs[0].signature_def["default"]
        signature.inputs["default"].tensor_shape.dim[1].size = -7

    _edit(path, change)
    assert _error(path, errors.BrokenModuleError) == (
        "A signature of the module has a tensor of the impossible shape [None, -7]. Fetch the "
        "module again."
    )


def _collection(path, key, change):
    def change_collection(saved_model):
        for graph in saved_model.meta_graphs:
            if key in graph.collection_def:
                change(graph.collection_def[key])

    _edit(path, change_collection)


@pytest.mark.parametrize(
    ("key", "text"),
    [("update_ops", "the collection 'update_ops'"), ("regularization_losses", "the collection")],
)
def test_collections_of_nodes_that_are_not_there(path, key, text):
    def change(collection):
        collection.node_list.value.append("nothing:0")

    _collection(path, key, change)
    message = _error(path, errors.BrokenModuleError)
    assert f"{text}" in message
    assert "refers to 'nothing', which is not there." in message


def test_a_damaged_variable(path):
    def change(collection):
        collection.bytes_list.value.append(b"\xff")

    _collection(path, "variables", change)
    assert _error(path, errors.BrokenModuleError).startswith(
        f"The module {path} is damaged (DecodeError: "
    )


def test_a_variable_that_the_checkpoint_lacks(path, tmp_path):
    other = modules.export(hub, modules.define(hub, "no_inputs", ""), str(tmp_path / "other"))
    shutil.rmtree(path / "variables")
    shutil.copytree(os.path.join(other, "variables"), path / "variables")
    message = _error(path, errors.BrokenModuleError)
    assert message.startswith(
        f"The module {path} contradicts itself. The checkpoint {path}/variables/variables has no "
        "variable '"
    )
    assert "It has: 'table'." in message


def test_a_checkpoint_that_is_cut(path):
    file = path / "variables" / "variables.data-00000-of-00001"
    content = file.read_bytes()
    file.write_bytes(content[:-1])
    assert _error(path, errors.BrokenModuleError) == (
        f"The module {path} lacks values of its variables: the data files beside "
        f"{path}/variables/variables.index have {len(content) - 1} bytes and should have "
        f"{len(content)} or more. Fetch the module again."
    )
    file.unlink()
    assert _error(path, errors.BrokenModuleError) == (
        f"The module {path} lacks values of its variables: the data files beside "
        f"{path}/variables/variables.index are not all there. Fetch the module again."
    )


def test_a_damaged_index(path):
    (path / "variables" / "variables.index").write_bytes(b"words")
    message = _error(path, errors.BrokenModuleError)
    assert message.startswith(
        f"The checkpoint {path}/variables/variables of the module {path} is damaged ("
    )


def test_an_operation_that_tensorflow_does_not_know(path):
    def change(saved_model):
        for graph in saved_model.meta_graphs:
            for node in graph.graph_def.node:
                if node.op == "MatMul":
                    node.op = "MatMulOfAnotherLibrary"

    _edit(path, change)
    spec = hub.load_module_spec(path)  # its library may be loaded after this
    with pytest.raises(errors.UnsupportedModuleError) as raised:
        hub.Module(spec)
    assert isinstance(raised.value, tf.errors.NotFoundError)
    assert str(raised.value) == (
        f"TensorFlow {tf.__version__} knows no operation 'MatMulOfAnotherLibrary', which the "
        "module uses. Where a library defines it, load that with tf.load_op_library, or import its "
        "package first."
    )


def test_a_graph_that_tensorflow_cannot_import(path):
    def change(saved_model):
        for graph in saved_model.meta_graphs:
            for node in graph.graph_def.node:
                if node.op == "MatMul":
                    del node.attr["T"]

    _edit(path, change)
    module = hub.Module(path)
    with pytest.raises(errors.GraphImportError) as raised:
        module(X23)
    assert isinstance(raised.value, ValueError)
    message = str(raised.value)
    assert message.startswith(
        "TensorFlow cannot add a module's operations to the graph as 'module_apply_default': "
        "NodeDef missing attr 'T' from "
    )
    assert message.endswith(
        "Either the shapes of the inputs do not fit one another, or the module is damaged: then "
        "fetch it again."
    )


def test_outputs_that_are_not_of_the_kind_that_they_say(tmp_path):
    path = modules.export(hub, modules.define(hub, "sparse", ""), str(tmp_path / "module"))

    def change(saved_model):
        output = saved_model.meta_graphs[0].signature_def["default"].outputs["sparse"]
        output.coo_sparse.values_tensor_name = output.coo_sparse.dense_shape_tensor_name
        output.coo_sparse.indices_tensor_name = output.coo_sparse.dense_shape_tensor_name

    _edit(pathlib.Path(path), change)
    module = hub.Module(path)
    with pytest.raises(errors.GraphImportError) as raised:
        module(tf.SparseTensor([[0, 1]], [1.0], [2, 3]), as_dict=True)
    assert str(raised.value).startswith(
        "TensorFlow cannot add a module's operations to the graph as 'module_apply_default': "
    )


def test_a_variable_whose_value_is_something_else(path):
    def change(collection):
        for index, value in enumerate(collection.bytes_list.value):
            proto = variable_pb2.VariableDef.FromString(value)
            proto.snapshot_name = "x:0"
            collection.bytes_list.value[index] = proto.SerializeToString()

    _collection(path, "variables", change)
    with pytest.raises(errors.GraphImportError) as raised:
        hub.Module(path)
    assert str(raised.value).startswith(
        "TensorFlow cannot add a module's operations to the graph as 'module': "
    )


@pytest.mark.parametrize("name", ["^mul", "mul:0", ":"])
def test_an_initializer_of_tables_that_is_no_operation(path, name):
    def change(saved_model):
        for graph in saved_model.meta_graphs:
            graph.graph_def.node.add(name="mul", op="NoOp")
            graph.collection_def["table_initializer"].node_list.value.append(name)

    _edit(path, change)
    assert _error(path, errors.BrokenModuleError) == (
        f"The module {path} is damaged: in the graph with the tags set(), the collection "
        f"'table_initializer' has {name!r}, which is no operation of it. Fetch or export the module "
        "again."
    )


# --- SavedModels -----------------------------------------------------------------------------


@pytest.fixture
def saved_model(tmp_path):
    x = tf1.placeholder(tf.float32, [None, 3])
    y = x * modules.variable("w", [3])
    folder = tmp_path / "saved_model"
    with tf1.Session() as session:
        modules.initialize(session)
        tf1.saved_model.simple_save(session, str(folder), {"x": x}, {"y": y})
    return folder


def test_a_saved_model_without_values(saved_model):
    (saved_model / "variables" / "variables.data-00000-of-00001").unlink()
    with pytest.raises(errors.BrokenModuleError) as raised:
        hub.create_module_spec_from_saved_model(saved_model)
    assert str(raised.value) == (
        f"The SavedModel {saved_model} lacks values of its variables: the data files beside "
        f"{saved_model}/variables/variables.index are not all there. Fetch the module again."
    )


def test_a_saved_model_with_a_damaged_graph(saved_model):
    def change(proto):
        proto.meta_graphs[0].graph_def.node[-1].input.append("nothing")

    _edit(saved_model, change)
    with pytest.raises(errors.BrokenModuleError) as raised:
        hub.create_module_spec_from_saved_model(saved_model)
    assert str(raised.value).startswith(f"The SavedModel {saved_model} is damaged")
