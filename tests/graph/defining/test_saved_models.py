"""Modules made of TF1 SavedModels."""

from __future__ import annotations

import os
from concurrent import futures

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

import hub_estimator as hub
from hub_estimator import compat, errors, estimator
from hub_estimator.format import collections
from tests.format.editing import edited

v1 = tf.compat.v1


def in_eager_mode(function):
    """Runs a function where TensorFlow executes eagerly: in a new thread."""
    with futures.ThreadPoolExecutor(1) as pool:
        pool.submit(function).result()


def text_graph(vocabulary, scale=1.0):
    """Looks words up in a file, and their vectors in a variable."""
    words = v1.placeholder(tf.string, [None], name="words")
    initializer = tf.lookup.TextFileInitializer(
        str(vocabulary), tf.string, 0, tf.int64, tf.lookup.TextFileIndex.LINE_NUMBER
    )
    table = tf.lookup.StaticHashTable(initializer, 2)
    vectors = v1.get_variable("vectors", initializer=[[1.0], [2.0], [3.0]])
    v1.train.get_or_create_global_step()
    output = tf.gather(vectors, table.lookup(words)) * scale
    return v1.saved_model.signature_def_utils.predict_signature_def(
        {"words": words}, {"default": output}
    )


def save(folder, vocabulary, tags=("serve",), **kwargs):
    builder = v1.saved_model.Builder(str(folder))
    with tf.Graph().as_default(), v1.Session() as session:
        signature = text_graph(vocabulary)
        session.run(v1.global_variables_initializer())
        builder.add_meta_graph_and_variables(
            session,
            list(tags),
            {"serving_default": signature},
            assets_collection=v1.get_collection(v1.GraphKeys.ASSET_FILEPATHS),
            main_op=v1.tables_initializer(),
            **kwargs,
        )
    with tf.Graph().as_default():
        signature = text_graph(vocabulary, 10.0)
        builder.add_meta_graph(
            [*tags, "loud"],
            {"serving_default": signature, "again": signature},
            assets_collection=v1.get_collection(v1.GraphKeys.ASSET_FILEPATHS),
        )
    builder.save()
    return str(folder)


@pytest.fixture
def vocabulary(tmp_path):
    path = tmp_path / "theirs" / "words.txt"
    path.parent.mkdir()
    path.write_text("a\nb\n")
    return path


@pytest.fixture
def saved_model(tmp_path, vocabulary):
    return save(tmp_path / "saved", vocabulary)


def vectors(spec, tags, words=("b", "a", "x")):
    with hub.eval_function_for_module(spec, tags=tags) as evaluate:
        return evaluate(list(words), signature="serving_default").ravel().tolist()


def test_tags_signatures_values_and_tables(saved_model, vocabulary):
    os.remove(vocabulary)
    spec = hub.create_module_spec_from_saved_model(saved_model)
    assert spec.get_tags() == [frozenset({"loud", "serve"}), frozenset({"serve"})]
    assert spec.get_signature_names(tags=["serve"]) == ["serving_default"]
    assert spec.get_signature_names(tags=["serve", "loud"]) == ["again", "serving_default"]
    assert vectors(spec, ["serve"]) == [2, 1, 3]
    assert vectors(spec, ["loud", "serve"]) == [20, 10, 30]


def test_the_state_is_under_the_name_and_joins_no_other_collection(saved_model):
    spec = hub.create_module_spec_from_saved_model(saved_model)
    module = hub.Module(spec, name="inferrer", tags={"serve"}, trainable=True)
    assert module.variable_map["vectors"].name == "inferrer/vectors:0"
    graph = v1.get_default_graph()
    assert [variable.name for variable in v1.trainable_variables()] == ["inferrer/vectors:0"]
    assert not graph.get_collection("saved_model_main_op")
    assert not graph.get_collection(v1.GraphKeys.GLOBAL_STEP)
    assert len(graph.get_collection(v1.GraphKeys.TABLE_INITIALIZERS)) == 1


def test_an_export_is_a_module_without_the_authors_paths(saved_model, vocabulary, tmp_path):
    spec = hub.create_module_spec_from_saved_model(saved_model)
    with v1.Session() as session:
        module = hub.Module(spec, tags=["serve"])
        session.run(module.variable_map["vectors"].assign([[7.0], [8.0], [9.0]]))
        session.run(
            [variable.initializer for variable in module.variables if "step" in variable.name]
        )
        module.export(tmp_path / "module", session)
    content = (tmp_path / "module" / "saved_model.pb").read_bytes()
    for path in (str(vocabulary.parent), saved_model, str(tmp_path)):
        assert path.encode() not in content
    assert os.listdir(tmp_path / "module" / "assets") == ["words.txt"]
    assert vectors(hub.load_module_spec(tmp_path / "module"), ["serve"]) == [8, 7, 9]


def test_it_moves_with_its_folder(saved_model, tmp_path):
    os.rename(saved_model, tmp_path / "elsewhere")
    spec = hub.create_module_spec_from_saved_model(os.fsencode(tmp_path / "elsewhere"))
    assert vectors(spec, ["serve"]) == [2, 1, 3]


def test_assets_listed_only_in_the_later_field_or_only_in_the_collection(saved_model):
    path = os.path.join(saved_model, "saved_model.pb")
    with open(path, "rb") as file:
        stored = saved_model_pb2.SavedModel.FromString(file.read())
    for only in ("field", "collection"):
        changed = saved_model_pb2.SavedModel()
        changed.CopyFrom(stored)
        for graph in changed.meta_graphs:
            if not graph.asset_file_def:
                for asset in graph.collection_def["saved_model_assets"].any_list.value:
                    asset.Unpack(graph.asset_file_def.add())
            if only == "field":
                del graph.collection_def["saved_model_assets"]
                del graph.collection_def["asset_filepaths"]
            else:
                assert "saved_model_assets" in graph.collection_def
                graph.ClearField("asset_file_def")
        with open(path, "wb") as file:
            file.write(changed.SerializeToString())
        spec = hub.create_module_spec_from_saved_model(saved_model)
        assert list(spec.asset_paths) == ["words.txt"]
        assert vectors(spec, ["serve"]) == [2, 1, 3]


def test_what_an_estimator_exported(tmp_path):
    def model_fn(features, labels, mode):
        output = compat.legacy_layers().dense(features["x"], 1, name="dense")
        loss = tf.reduce_mean(tf.square(output))
        train_op = None
        if mode == "train":
            step = v1.train.get_global_step()
            train_op = v1.train.AdamOptimizer(0.1).minimize(loss, step)
        exports = {"serving_default": estimator.export.PredictOutput({"default": output})}
        return estimator.EstimatorSpec(
            mode, predictions=output, loss=loss, train_op=train_op, export_outputs=exports
        )

    def batches():
        return tf.data.Dataset.from_tensors(({"x": [[1.0, 2.0]]}, [0])).repeat()

    def receiver():
        x = v1.placeholder(tf.float32, [None, 2], name="x")
        return estimator.export.ServingInputReceiver({"x": x}, {"x": x})

    made = estimator.Estimator(model_fn, str(tmp_path / "model"))
    made.train(batches, steps=1)
    folder = made.export_saved_model(str(tmp_path / "export"), receiver)
    spec = hub.create_module_spec_from_saved_model(folder)
    assert spec.get_tags() == [frozenset({"serve"})]
    with hub.eval_function_for_module(spec, ["serve"]) as evaluate:
        found = evaluate([[3.0, 4.0]], signature="serving_default")
    kernel, bias = (made.get_variable_value(f"dense/{name}") for name in ("kernel", "bias"))
    assert np.allclose(found, np.array([[3.0, 4.0]]) @ kernel + bias)


def test_no_variables_and_other_signatures_than_initializing(tmp_path):
    builder = v1.saved_model.Builder(str(tmp_path / "s"))
    x = v1.placeholder(tf.float32, [None])
    signature = v1.saved_model.signature_def_utils.predict_signature_def({"x": x}, {"y": x + 1.0})
    with v1.Session() as session:
        builder.add_meta_graph_and_variables(session, [], {"default": signature})
    builder.save()
    spec = hub.create_module_spec_from_saved_model(tmp_path / "s")
    assert spec.checkpoint_path is None and spec.get_tags() == [frozenset()]
    with hub.eval_function_for_module(spec) as evaluate:
        assert evaluate([1.0], as_dict=True)["y"].tolist() == [2]


def test_default_attributes_are_stripped(saved_model):
    spec = hub.create_module_spec_from_saved_model(saved_model)
    nodes = spec.variant(["serve"]).meta_graph.graph_def.node
    assert not any("container" in node.attr for node in nodes)
    assert spec.variant(["serve"]).meta_graph.meta_info_def.stripped_default_attrs


def test_a_saved_model_in_text(saved_model):
    path = os.path.join(saved_model, "saved_model.pb")
    with open(path, "rb") as file:
        stored = saved_model_pb2.SavedModel.FromString(file.read())
    with open(path + "txt", "w") as file:
        file.write(str(stored))
    os.remove(path)
    spec = hub.create_module_spec_from_saved_model(saved_model)
    assert vectors(spec, ["serve"]) == [2, 1, 3]


def test_nothing_there_is_tensorflows_own_error(tmp_path):
    with pytest.raises(tf.errors.NotFoundError) as caught:
        hub.create_module_spec_from_saved_model(str(tmp_path / "none"))
    assert str(caught.value) == (
        f"There is no SavedModel at {tmp_path / 'none'}: it has no saved_model.pb. Give the folder "
        "that has it; an Estimator's exports are in folders named by their time."
    )
    assert isinstance(caught.value, OSError)


def test_a_tf2_saved_model(tmp_path):
    def write():
        module = tf.Module()
        module.f = tf.function(lambda x: x, input_signature=[tf.TensorSpec([], tf.float32)])
        tf.saved_model.save(module, str(tmp_path / "s"))

    in_eager_mode(write)
    with pytest.raises(errors.NotAModuleError) as caught:
        hub.create_module_spec_from_saved_model(tmp_path / "s")
    assert str(caught.value) == (
        f"{tmp_path / 's'} is a TF2 SavedModel, and modules are made of TF1 SavedModels. "
        "Use hub.load."
    )


def test_a_module(saved_model, tmp_path):
    with v1.Session() as session:
        module = hub.Module(hub.create_module_spec_from_saved_model(saved_model), tags=["serve"])
        session.run(v1.global_variables_initializer())
        module.export(tmp_path / "m", session)
    with pytest.raises(errors.NotAModuleError) as caught:
        hub.create_module_spec_from_saved_model(tmp_path / "m")
    assert str(caught.value) == (
        f"{tmp_path / 'm'} is a TF1 Hub module already. Pass it to hub.Module, or to "
        "hub.load_module_spec for its spec."
    )


def save_with(folder, tags=((),), collection=None, signature=True):
    builder = v1.saved_model.Builder(str(folder))
    x = v1.placeholder(tf.float32, [None])
    v = v1.get_variable("v", initializer=1.0)
    if collection:
        v1.add_to_collection(collection, x)
    made = v1.saved_model.signature_def_utils.predict_signature_def({"x": x}, {"y": x + v})
    signatures = {"default": made} if signature else None
    with v1.Session() as session:
        session.run(v1.global_variables_initializer())
        builder.add_meta_graph_and_variables(session, list(tags[0]), signatures)
        for more in tags[1:]:
            builder.add_meta_graph(list(more), signatures)
    builder.save()
    return str(folder)


def test_an_unsupported_collection_can_be_dropped(tmp_path):
    path = save_with(tmp_path / "s", collection="my_losses")
    with pytest.raises(errors.UnsupportedCollectionError) as caught:
        hub.create_module_spec_from_saved_model(path)
    assert str(caught.value) == (
        f"The SavedModel {path} has the collections 'my_losses', which a module cannot carry. Pass "
        "drop_collections=['my_losses']."
    )
    spec = hub.create_module_spec_from_saved_model(path, drop_collections=["my_losses"])
    assert spec.get_signature_names() == ["default"]


def test_no_signature(tmp_path):
    path = save_with(tmp_path / "s", tags=[["serve"]], signature=False)
    with pytest.raises(errors.NoSignatureError) as caught:
        hub.create_module_spec_from_saved_model(path)
    assert str(caught.value) == (
        f"The SavedModel {path} has no signature for the tags {{'serve'}}. Save it with a "
        "signature_def_map."
    )


def test_equal_tags(tmp_path):
    path = save_with(tmp_path / "s", tags=[["a", "b"], ["b", "a"]])
    with pytest.raises(errors.DuplicateTagsError) as caught:
        hub.create_module_spec_from_saved_model(path)
    assert str(caught.value) == (
        f"The SavedModel {path} has two graphs with the tags {{'a', 'b'}}. Save it with different "
        "tags."
    )


def test_an_asset_of_no_operation(saved_model):
    with edited(saved_model) as meta_graph:
        collections.set_asset_files(meta_graph, {"gone:0": "words.txt"})
    with pytest.raises(errors.BrokenModuleError) as caught:
        hub.create_module_spec_from_saved_model(saved_model)
    assert str(caught.value) == (
        f"The SavedModel {saved_model} has the path of its asset 'words.txt' in no operation "
        "'gone'. Save it again."
    )


def test_missing_files(saved_model):
    asset = os.path.join(saved_model, "assets", "words.txt")
    index = os.path.join(saved_model, "variables", "variables.index")
    os.rename(index, index + ".gone")
    with pytest.raises(errors.BrokenModuleError) as caught:
        hub.create_module_spec_from_saved_model(saved_model)
    assert str(caught.value) == (
        f"The SavedModel {saved_model} lacks the values of its variables ({index}). Save it again."
    )
    os.remove(asset)
    with pytest.raises(errors.BrokenModuleError) as caught:
        hub.create_module_spec_from_saved_model(saved_model)
    assert str(caught.value) == (
        f"The SavedModel {saved_model} lacks its asset 'words.txt' ({asset}). Save it again."
    )


def test_as_an_attribute_of_the_package(saved_model):
    made = hub.saved_model_module.create_module_spec_from_saved_model(saved_model)
    assert len(made.get_tags()) == 2


@pytest.mark.peer
def test_the_peer_finds_the_same(saved_model, tmp_path):
    import tensorflow_hub

    ours = hub.create_module_spec_from_saved_model(saved_model)
    theirs = tensorflow_hub.create_module_spec_from_saved_model(saved_model)
    names = []
    for library, spec in ((hub, ours), (tensorflow_hub, theirs)):
        with tf.Graph().as_default(), v1.Session() as session:
            module = library.Module(spec, tags={"serve"}, trainable=True, name="x")
            output = module(["b", "x"], signature="serving_default")
            session.run([v1.global_variables_initializer(), v1.tables_initializer()])
            assert session.run(output).ravel().tolist() == [2, 3]
            names.append({
                key: sorted(v.name for v in v1.get_collection(key))
                for key in ("variables", "trainable_variables")
            })  # fmt: skip
            if library is hub:
                module.export(tmp_path / "m", session)
    assert names[0] == names[1]
    spec = tensorflow_hub.load_module_spec(str(tmp_path / "m"))
    assert vectors(hub.load_module_spec(tmp_path / "m"), ["serve"]) == [2, 1, 3]
    with tensorflow_hub.eval_function_for_module(spec, tags={"serve"}) as evaluate:
        assert evaluate(["b"], signature="serving_default").tolist() == [[2]]
