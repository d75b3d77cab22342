"""A module's state: names, collections, values, tables, and nothing else in the graph."""

from __future__ import annotations

import os
import shutil

import numpy as np
import pytest
import tensorflow as tf

import hub_estimator as hub
from hub_estimator import errors
from tests import modules
from tests.modules import TRAIN, WORDS, X23, tf1

_KEYS = tf1.GraphKeys


@pytest.fixture
def exported(tmp_path):
    """Exports a case of `tests/modules.py`; gives its path."""

    def export(name):
        spec = modules.define(hub, name, str(tmp_path / "sources"))
        return modules.export(hub, spec, str(tmp_path / name))

    return export


def _names(key):
    return sorted(value.name for value in tf1.get_collection(key))


def test_scopes_are_numbered_and_nested(exported):
    path = exported("dense")
    for name, expected in (("module", "module"), ("module", "module_1"), ("other", "other")):
        assert sorted(hub.Module(path, name=name).variable_map) == ["b", "w"]
        assert tf1.global_variables()[-1].op.name.startswith(f"{expected}/")
    with tf1.variable_scope("outer"):
        hub.Module(path)
        hub.Module(path)
    names = {variable.op.name for variable in tf1.global_variables()}
    for scope in (
        "module",
        "module_1",
        "other",
        "outer/module",
        "outer/module_1",
    ):
        assert {f"{scope}/w", f"{scope}/b"} <= names


def test_state_is_under_exactly_the_given_name(exported):
    module = hub.Module(exported("dense"), name="inferrer", trainable=True)
    w = tf1.get_default_graph().get_tensor_by_name("inferrer/w:0")
    assert w.dtype == tf.resource
    assert [variable.name for variable in module.variables] == ["inferrer/b:0", "inferrer/w:0"]


def test_variable_scopes_with_reuse(exported):
    path = exported("dense")
    with tf1.variable_scope("outer", reuse=tf1.AUTO_REUSE):
        hub.Module(path)(X23)
        hub.Module(path)(X23)
    names = {variable.op.name for variable in tf1.global_variables()}
    assert names == {"outer/module/w", "outer/module/b", "outer/module_1/w", "outer/module_1/b"}


def test_a_name_scope_that_is_taken(exported):
    path = exported("dense")
    with tf1.name_scope("module"):
        tf.constant(1)
    with pytest.raises(errors.NameTakenError) as raised:
        hub.Module(path)
    assert isinstance(raised.value, RuntimeError)
    assert str(raised.value) == (
        "The variable scope 'module' is free, but operations have the name scope 'module'. Make "
        "the module before them, or give it another name."
    )
    hub.Module(path, name="another")


def test_entering_a_variable_scope_again_names_modules_from_the_start(exported):
    path = exported("dense")
    with tf1.variable_scope("outer"):
        hub.Module(path)
    with tf1.variable_scope("outer"), pytest.raises(errors.NameTakenError):
        hub.Module(path)  # as in the peer


def test_frozen_state_joins_global_variables_only(exported):
    for tags in (None, TRAIN):
        with tf.Graph().as_default() as graph:
            hub.Module(exported("batch_norm") if tags is None else _path(exported), tags=tags)(X23)
            keys = {key for key in graph.get_all_collection_keys() if isinstance(key, str)}
            keys = {key for key in keys if graph.get_collection(key) and key[:2] != "__"}
            assert keys == {_KEYS.GLOBAL_VARIABLES, _KEYS.MODEL_VARIABLES}
            assert _names(_KEYS.GLOBAL_VARIABLES) == ["module/average:0", "module/w:0"]
            assert _names(_KEYS.MODEL_VARIABLES) == ["module/average:0"]


def _path(exported):
    with pytest.raises(tf.errors.AlreadyExistsError):
        exported("batch_norm")
    spec = modules.define(hub, "batch_norm", "")
    return spec


def test_trained_state_joins_the_collections_of_training(exported):
    path = exported("batch_norm")
    hub.Module(path, trainable=True, tags=TRAIN)
    assert _names(_KEYS.TRAINABLE_VARIABLES) == ["module/w:0"]
    losses = tf1.losses.get_regularization_losses()
    assert len(losses) == 1
    with tf1.Session() as session:
        modules.initialize(session)
        values = np.arange(1, 10, dtype=np.float32) * 0.1
        np.testing.assert_allclose(session.run(losses[0]), 0.5 * np.sum(values**2), rtol=1e-5)


def test_trainable_with_the_empty_tag_set(exported):
    module = hub.Module(exported("batch_norm"), trainable=True)
    module(X23)
    assert _names(_KEYS.TRAINABLE_VARIABLES) == ["module/w:0"]
    assert tf1.get_collection(_KEYS.UPDATE_OPS) == []
    assert all(not v.trainable for v in module.variables if v.op.name == "module/average")


def test_update_ops_per_application_and_only_when_trained(exported):
    path = exported("batch_norm")
    frozen = hub.Module(path, tags=TRAIN)
    frozen(X23)
    assert tf1.get_collection(_KEYS.UPDATE_OPS) == []
    trained = hub.Module(path, trainable=True, tags=TRAIN)
    trained(X23)
    trained(X23 + 1)
    updates = tf1.get_collection(_KEYS.UPDATE_OPS)
    assert len(updates) == 2
    with tf1.Session() as session:
        modules.initialize(session)
        before = session.run(trained.variable_map["average"])
        session.run(updates[0])
        after = session.run(trained.variable_map["average"])
    np.testing.assert_allclose(after, 0.9 * before + 0.1 * X23.mean(0), rtol=1e-6)


def test_a_regular_expression_chooses_what_is_trained(exported):
    def module_fn():
        x = tf1.placeholder(tf.float32, [None, 3])
        y = x
        for name in ("bottom/w", "top/w", "top/b"):
            y = y * modules.variable(
                name, [3], regularizer=lambda value: tf.reduce_sum(value * value)
            )
        y = y + modules.variable("fixed", [3], trainable=False)
        hub.add_signature(inputs=x, outputs=y)

    spec = hub.create_module_spec(module_fn)
    module = hub.Module(spec, trainable="^top/", name="m")
    assert _names(_KEYS.TRAINABLE_VARIABLES) == ["m/top/b:0", "m/top/w:0"]
    assert len(tf1.losses.get_regularization_losses()) == 2
    assert module.trainable == "^top/"
    with pytest.raises(errors.NoTrainableVariablesError) as raised:
        hub.Module(spec, trainable="fixed")
    assert str(raised.value) == (
        "trainable='fixed' is found in the name of no trainable variable. There are: 'bottom/w', "
        "'top/b', 'top/w'."
    )


def test_partitioned_variables_are_one_entry_with_the_list(exported):
    module = hub.Module(exported("partitioned"))
    found = module.variable_map
    assert sorted(found) == ["big", "one", "ref", "two"]
    assert [part.op.name for part in found["big"]] == [f"module/big/part_{i}" for i in range(11)]
    assert len(found["two"]) == 2
    assert len(found["ref"]) == 3
    assert len(module.variables) == 17


def test_partitioned_variables_in_a_training_checkpoint(exported, tmp_path):
    path = exported("partitioned")
    hub.Module(path, name="m")
    with tf1.Session() as session:
        modules.initialize(session)
        prefix = tf1.train.Saver().save(session, str(tmp_path / "model"))
    assert tf.train.load_checkpoint(prefix).get_variable_to_shape_map()["m/big"] == [13, 2]
    spec = hub.load_module_spec(path)
    again = str(tmp_path / "again")
    spec.export(again, checkpoint_path=prefix, name_transform_fn=lambda name: f"m/{name}")
    case = modules.CASES["partitioned"]
    modules.assert_equal(
        modules.outputs(hub, path, case.calls), modules.outputs(hub, again, case.calls)
    )


def test_values_come_from_the_checkpoint_and_run_with_the_initializer(exported, tmp_path):
    path = exported("dense")
    module = hub.Module(path)
    with tf1.Session() as session:
        modules.initialize(session)
        session.run(tf1.assign(module.variable_map["b"], [7, 8]))
        module.export(str(tmp_path / "changed"), session)
    changed = hub.Module(str(tmp_path / "changed"))
    with tf1.Session() as session:
        session.run(changed.variable_map["b"].initializer)
        np.testing.assert_array_equal(session.run(changed.variable_map["b"]), [7, 8])
        assert session.run(tf1.is_variable_initialized(changed.variable_map["b"]))


def test_one_restore_and_no_saver(exported):
    hub.Module(exported("dense"))
    types = [operation.type for operation in tf1.get_default_graph().get_operations()]
    assert types.count("RestoreV2") == 1
    assert "SaveV2" not in types
    assert "MatMul" not in types and "Placeholder" not in types


def test_instances_have_tables_and_variables_of_their_own(exported):
    path = exported("key_value_table")
    for _ in range(2):
        hub.Module(path)
    shared = [
        operation.get_attr("shared_name")
        for operation in tf1.get_default_graph().get_operations()
        if operation.type == "HashTableV2"
    ]
    assert len(set(shared)) == 2
    ref = exported("ref_variables")
    first, second = hub.Module(ref, name="ref"), hub.Module(ref, name="ref")
    with tf1.Session() as session:
        modules.initialize(session)
        session.run(tf1.assign(first.variable_map["counter"], 50))
        assert session.run(second.variable_map["counter"]) == 7


def test_the_source_of_an_asset_may_be_deleted(tmp_path):
    sources = tmp_path / "sources"
    spec = modules.define(hub, "file_table", str(sources))
    path = modules.export(hub, spec, str(tmp_path / "module"))
    shutil.rmtree(sources)
    moved = shutil.move(path, tmp_path / "moved")
    calls = modules.CASES["file_table"].calls
    assert modules.outputs(hub, moved, calls)[0]["rows"] == [1, -1, 0]


def test_an_assets_path_needs_no_initializer(exported):
    path = exported("asset_content")
    module = hub.Module(path)
    with tf1.Session() as session:
        assert session.run(module()) == b"data.txt"
        assert session.run(module(signature="content")) == b"some content\n"
    [asset] = tf1.get_collection(_KEYS.ASSET_FILEPATHS)
    with tf1.Session() as session:
        assert session.run(asset) == os.fsencode(os.path.join(path, "assets", "data.txt"))


def test_tables_in_another_saved_model(exported, tmp_path):
    path = exported("file_table")
    module = hub.Module(path)
    x = tf1.placeholder(tf.string, [None])
    y = module(x, as_dict=True)["rows"]
    folder = str(tmp_path / "servable")
    with tf1.Session() as session:
        modules.initialize(session)
        tf1.saved_model.simple_save(
            session, folder, {"x": x}, {"y": y}, legacy_init_op=tf1.tables_initializer()
        )
    shutil.rmtree(path)
    shutil.move(folder, f"{folder}_moved")
    with tf.Graph().as_default(), tf1.Session() as session:
        loaded = tf1.saved_model.load(session, ["serve"], f"{folder}_moved")
        signature = loaded.signature_def["serving_default"]
        feed = {signature.inputs["x"].name: WORDS}
        assert session.run(signature.outputs["y"].name, feed).tolist() == [1, -1, 0]


def test_control_dependencies_of_the_constructor_do_not_reach_the_state(exported):
    spec = modules.define(hub, "batch_norm", "")
    x = tf1.placeholder(tf.float32, [])
    with tf.control_dependencies([x]):
        module = hub.Module(spec, trainable=True)
    with tf1.Session() as session:
        modules.initialize(session)
        session.run([module.variables, tf1.losses.get_regularization_losses()])


def test_control_dependencies_of_a_call_reach_it(exported):
    module = hub.Module(exported("dense"))
    ran = tf1.Variable(0)
    with tf.control_dependencies([tf1.assign_add(ran, 1)]):
        y = module(X23)
    with tf1.Session() as session:
        modules.initialize(session)
        session.run(y)
        assert session.run(ran) == 1


def test_devices(exported):
    with tf.device("/cpu:0"):
        module = hub.Module(exported("dense"))
        y = module(X23)
    assert {variable.device for variable in module.variables} == {"/device:CPU:0"}
    assert y.device == "/device:CPU:0"


def test_three_modules_in_each_other(exported, tmp_path):
    path = exported("nested")
    module = hub.Module(path, name="m", trainable=True)
    names = sorted(module.variable_map)
    assert names == ["inner/embeddings", "middle/inner/embeddings", "middle/w"]
    assert _names(_KEYS.TRAINABLE_VARIABLES) == [
        "m/middle/inner/embeddings:0",
        "m/middle/w:0",
    ]
    assert len(tf1.get_collection(_KEYS.TABLE_INITIALIZERS)) == 2
    assert os.listdir(os.path.join(path, "assets")) != []


@pytest.mark.parametrize("name", ["", "a b", "_a", None, 5, "a:0", "ä", "a\n", "5"])
def test_names_that_cannot_be(exported, name):
    with pytest.raises(errors.InvalidNameError) as raised:
        hub.Module(exported("dense"), name=name)
    assert isinstance(raised.value, ValueError)
    assert str(raised.value) == (
        "A module's name is that of a variable scope: a letter, then letters, digits and the "
        f"characters _ . - /. {name!r} is not."
    )


@pytest.mark.parametrize("name", ["a/b", "A.b-c_d", "a5"])
def test_names_that_can_be(exported, name):
    module = hub.Module(exported("dense"), name=name)
    assert module.variable_map["w"].op.name == f"{name}/w"
    assert module(X23).op.name.startswith(name)
    with tf1.variable_scope("outer"):
        assert hub.Module(module.spec, name="5").variable_map["w"].op.name == "outer/5/w"


@pytest.mark.parametrize("use_resource", [True, False])
def test_variables_of_every_type_and_shape(use_resource, tmp_path):
    values = {
        "half": np.float16([1, 2]),
        "text": np.array([b"x", b"yy"], object),
        "flags": np.array([True, False]),
        "complex": np.complex64(1 + 2j),
        "empty": np.zeros([0, 3], np.float32),
        "long": np.int64([[2**40]]),
    }

    def module_fn():
        found = {
            key: tf.identity(tf1.Variable(value, name=key, use_resource=use_resource))
            for key, value in values.items()
        }
        initial = tf1.placeholder_with_default([1.0, 2.0], None)
        found["unknown"] = 2 * tf1.Variable(
            initial, validate_shape=False, name="unknown", use_resource=use_resource
        )
        hub.add_signature(outputs=found)

    path = modules.export(hub, hub.create_module_spec(module_fn), str(tmp_path / "module"))
    again = str(tmp_path / "again")
    hub.load_module_spec(path).export(again, checkpoint_path=f"{path}/variables/variables")
    for folder in (path, again):
        outputs = hub.Module(folder)(as_dict=True)
        with tf1.Session() as session:
            modules.initialize(session)
            found = session.run(outputs)
        np.testing.assert_array_equal(found.pop("unknown"), [2, 4])
        for key, value in values.items():
            np.testing.assert_array_equal(found[key], value)
            assert np.asarray(found[key]).dtype == value.dtype
