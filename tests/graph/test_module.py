"""`Module`: applying in graphs, asking, exporting."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

import hub_estimator as hub
from hub_estimator import errors
from tests import modules
from tests.modules import TRAIN, X23, tf1


@pytest.fixture
def path(tmp_path):
    return modules.export(hub, modules.define(hub, "several", ""), str(tmp_path / "module"))


@pytest.mark.parametrize("convert", [str, os.fsencode, pathlib.Path, hub.load_module_spec])
def test_handles_of_every_kind(path, convert):
    module = hub.Module(convert(path))
    assert module.get_signature_names() == ["default", "second", "with:colon"]
    assert module.graph is tf1.get_default_graph()
    assert module.spec.source == f"The module {path}"


@pytest.mark.parametrize("tags", [None, [], set(), (), frozenset()])
def test_no_tags(path, tags):
    module = hub.Module(path, tags=tags)
    assert repr(module) == f"<hub.Module 'module' of The module {path}, tags set()>"


def test_unknown_tags():
    spec = modules.define(hub, "batch_norm", "")
    for ask in (
        lambda: hub.Module(spec, tags={"eval"}),
        lambda: spec.get_signature_names(tags=["eval"]),
        lambda: spec.get_input_info_dict(tags={"eval"}),
        lambda: spec.get_output_info_dict(tags={"eval"}),
        lambda: spec.get_attached_message("k", hub.ImageModuleInfo, tags={"eval"}),
        lambda: hub.Module(spec).variant({"eval"}),
    ):
        with pytest.raises(errors.TagsNotFoundError) as raised:
            ask()
        assert isinstance(raised.value, KeyError) and isinstance(raised.value, ValueError)
        assert str(raised.value) == (
            "The module of batch_norm.<locals>.module_fn has no graph variant with the tags "
            "{'eval'}. It has: set(), {'train'}."
        )


def test_unknown_signatures(path):
    module = hub.Module(path)
    for ask in (
        lambda: module(X23, signature="third"),
        lambda: module.get_input_info_dict("third"),
        lambda: module.get_output_info_dict(signature="third"),
        lambda: module.spec.get_input_info_dict("third"),
    ):
        with pytest.raises(errors.SignatureNotFoundError) as raised:
            ask()
        assert isinstance(raised.value, KeyError) and isinstance(raised.value, ValueError)
        assert str(raised.value) == (
            f"The module {path} has no signature 'third' for the tags set(). It has: 'default', "
            "'second', 'with:colon'."
        )


def test_infos(path):
    module = hub.Module(path)
    inputs = module.get_input_info_dict()
    assert list(inputs) == ["a", "b"]
    assert inputs["a"].dtype == tf.float32
    assert inputs["a"].get_shape().as_list() == [None, 3]
    assert inputs["a"].type_spec == tf.TensorSpec([None, 3])
    assert not inputs["a"].is_sparse
    assert repr(inputs["a"]) == "<dtype=float32 shape=(None, 3)>"
    outputs = module.get_output_info_dict(signature="second")
    assert {key: info.dtype for key, info in outputs.items()} == {
        "text": tf.string,
        "positive": tf.bool,
    }
    sparse = hub.Module(modules.define(hub, "sparse", "")).get_input_info_dict()["default"]
    assert sparse.is_sparse and not sparse.is_composite
    assert repr(sparse) == "<SparseTensorSpec dtype=float32 shape=(None, 3)>"
    ragged = hub.Module(modules.define(hub, "ragged", "")).get_output_info_dict()["default"]
    assert ragged.is_composite and not ragged.is_sparse
    assert ragged.type_spec == tf.RaggedTensorSpec([None, None], tf.float32, 1)


def test_names_of_calls(path):
    module = hub.Module(path, name="m")
    inputs = {"a": X23, "b": X23}
    with tf1.name_scope("scope"):
        one = module(inputs)
        two = module(inputs)
    assert one.op.name.startswith("scope/m_apply_default/")
    assert two.op.name.startswith("scope/m_apply_default_1/")
    with tf1.variable_scope("other"):
        three = module({"only": 1}, signature="with:colon", as_dict=True)["negative"]
    assert three.op.name.startswith("other/m_apply_with_colon/")


def test_another_graph(path):
    module = hub.Module(path, name="m")
    message = (
        f"<hub.Module 'm' of The module {path}, tags set()> is applied in another graph than the "
        "one that holds its variables. Make a module in each graph."
    )

    def apply():
        with pytest.raises(errors.WrongGraphError) as raised:
            module({"a": X23, "b": X23})
        assert isinstance(raised.value, RuntimeError)
        assert str(raised.value) == message

    with tf.Graph().as_default():
        apply()
    modules.in_thread(apply)


def test_executing_eagerly(path):
    def program():
        with pytest.raises(errors.EagerModeError) as raised:
            hub.Module(path)
        assert isinstance(raised.value, RuntimeError)
        assert str(raised.value) == (
            "hub.Module works in a graph, but TensorFlow executes eagerly here. Use it inside of "
            "a model_fn or of `with tf.Graph().as_default():`, or use hub.load."
        )

    modules.in_thread(program)


def test_two_modules_with_functions_of_one_name_and_different_bodies(tmp_path):
    paths = []
    for factor in (2.0, 3.0):

        def module_fn(factor=factor):
            x = tf1.placeholder(tf.float32, [None, 3])

            @tf.function(autograph=False)
            def work(value):
                return factor * value

            call = work.get_concrete_function(tf.TensorSpec([None, 3]))
            hub.add_signature(inputs=x, outputs=call(x))

        path = modules.export(
            hub, hub.create_module_spec(module_fn), str(tmp_path / f"module_{factor}")
        )
        paths.append(_rename_functions(path))
    values = [hub.Module(path)(X23) for path in [*paths, *paths]]
    with tf1.Session() as session:
        found = session.run(values)
    for value, factor in zip(found, (2, 3, 2, 3), strict=True):
        np.testing.assert_array_equal(value, factor * X23)


def _rename_functions(path):
    """Gives the one function of a module the name `work_1`, whatever number it has."""
    from tensorflow.core.protobuf import saved_model_pb2

    file = pathlib.Path(path, "saved_model.pb")
    saved_model = saved_model_pb2.SavedModel.FromString(file.read_bytes())
    graph_def = saved_model.meta_graphs[0].graph_def
    [function] = graph_def.library.function
    for node in graph_def.node:
        for attr in node.attr.values():
            if attr.func.name == function.signature.name:
                attr.func.name = "work_1"
    function.signature.name = "work_1"
    file.write_bytes(saved_model.SerializeToString())
    return path


# --- another variant on the same variables -----------------------------------------------------


def test_variants_share_variables():
    spec = modules.define(hub, "batch_norm", "")
    train = hub.Module(spec, trainable=True, tags=TRAIN)
    serve = train.variant()
    assert serve.variable_map == train.variable_map
    assert len(tf1.global_variables()) == 2
    assert serve.variant({"train"}).variable_map == train.variable_map
    with tf1.Session() as session:
        modules.initialize(session)
        for module, mean in ((train, X23.mean(0)), (serve, np.float32([0.1, 0.2, 0.3]))):
            w = session.run(module.variable_map["w"])
            np.testing.assert_allclose(session.run(module(X23)), (X23 - mean) @ w, rtol=1e-5)


def test_a_variant_in_another_graph():
    module = hub.Module(modules.define(hub, "batch_norm", ""))
    with tf.Graph().as_default(), pytest.raises(errors.WrongGraphError) as raised:
        module.variant(TRAIN)
    assert str(raised.value) == (
        f"Another variant of {module!r} is made in another graph than the one that holds its "
        "variables. Make it in that graph."
    )


# --- exporting -------------------------------------------------------------------------------


def _session():
    session = tf1.Session()
    modules.initialize(session)
    return session


@pytest.mark.parametrize("convert", [str, os.fsencode, pathlib.Path])
def test_paths_of_every_kind(path, tmp_path, convert):
    module = hub.Module(path)
    with _session() as session:
        module.export(convert(str(tmp_path / "again")), session)
    assert sorted(os.listdir(tmp_path)) == ["again", "module"]
    assert sorted(os.listdir(tmp_path / "again")) == [
        "saved_model.pb",
        "tfhub_module.pb",
        "variables",
    ]


def test_a_module_is_never_overwritten(path):
    module = hub.Module(path)
    with _session() as session, pytest.raises(tf.errors.AlreadyExistsError) as raised:
        module.export(path, session)
    assert isinstance(raised.value, errors.Error)
    assert str(raised.value) == (
        f"There is a module at {path} already, and it is never overwritten. Export to another "
        "folder, or remove that one first."
    )


def test_into_a_folder_that_exists(path, tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "foreign.txt").write_text("mine")
    module = hub.Module(path)
    with _session() as session:
        module.export(str(folder), session)
    assert (folder / "foreign.txt").read_text() == "mine"
    assert hub.load_module_spec(folder).get_signature_names() == module.get_signature_names()


def test_a_session_of_another_graph(path, tmp_path):
    module = hub.Module(path)
    with (
        tf1.Session(graph=tf.Graph()) as session,
        pytest.raises(errors.WrongGraphError) as raised,
    ):
        module.export(str(tmp_path / "again"), session)
    assert str(raised.value) == (
        f"{module!r} is exported with a session of another graph. Give a session of the graph "
        "that holds its variables: tf.compat.v1.Session(graph=module.graph)."
    )
    assert os.listdir(tmp_path) == ["module"]


@pytest.mark.parametrize("name", ["dense", "ref_variables", "partitioned"])
def test_variables_without_values(name, tmp_path):
    module = hub.Module(modules.define(hub, name, ""))
    with tf1.Session() as session, pytest.raises(errors.ExportError) as raised:
        module.export(str(tmp_path / "module"), session)
    assert str(raised.value).startswith(
        f"{module!r} cannot be exported: a variable has no value in the session. Run "
        "tf.compat.v1.global_variables_initializer() first. ("
    )
    assert os.listdir(tmp_path) == []


def test_variables_that_were_only_assigned(tmp_path):
    module = hub.Module(modules.define(hub, "dense", ""))
    with tf1.Session() as session:
        session.run([tf1.assign(v, tf.ones(v.shape)) for v in module.variables])
        module.export(str(tmp_path / "module"), session)
    assert modules.outputs(hub, tmp_path / "module", modules.CASES["dense"].calls) == [
        {"default": [[4.0, 4.0], [13.0, 13.0]]}
    ]


def test_a_missing_asset(tmp_path):
    sources = tmp_path / "sources"
    module = hub.Module(modules.define(hub, "asset_content", str(sources)))
    (sources / "data.txt").unlink()
    with tf1.Session() as session, pytest.raises(errors.ExportError) as raised:
        module.export(str(tmp_path / "module"), session)
    file = sources / "data.txt"
    assert str(raised.value) == (
        f"The module's asset 'data.txt' cannot be copied from {file}: [Errno 2] No such file or "
        f"directory: '{file}'. Its file must be there until the module is exported."
    )
    assert os.listdir(tmp_path) == ["sources"]


def test_other_filesystems(tmp_path):
    spec = modules.define(hub, "file_table", str(tmp_path))
    source = f"ram://{tmp_path.name}/words.txt"
    tf.io.gfile.makedirs(f"ram://{tmp_path.name}")
    tf.io.gfile.copy(str(tmp_path / "words/vocabulary.txt"), source)
    path = modules.export(hub, spec, f"ram://{tmp_path.name}/module")
    calls = modules.CASES["file_table"].calls
    assert modules.outputs(hub, path, calls)[0]["rows"] == [1, -1, 0]
    with pytest.raises(tf.errors.AlreadyExistsError):
        modules.export(hub, spec, path)
    again = str(tmp_path / "local")
    hub.load_module_spec(path).export(again, checkpoint_path=f"{path}/variables/variables")
    assert modules.outputs(hub, again, calls) == modules.outputs(hub, path, calls)


def test_sharing_nothing_with_what_the_module_was_fine_tuned_in(path, tmp_path):
    module = hub.Module(path, trainable=True)
    loss = tf.reduce_sum(module({"a": X23, "b": X23}))
    train = tf1.train.AdamOptimizer(0.1).minimize(
        loss, global_step=tf1.train.get_or_create_global_step()
    )
    with _session() as session:
        session.run(train)
        module.export(str(tmp_path / "tuned"), session)
        expected = session.run(module.variable_map["scope/w"])
    reader = tf.train.load_checkpoint(str(tmp_path / "tuned" / "variables" / "variables"))
    assert list(reader.get_variable_to_shape_map()) == ["scope/w"]
    np.testing.assert_array_equal(reader.get_tensor("scope/w"), expected)


def test_after_disabling_v2_behavior(path, tmp_path):
    program = f"""
import hub_estimator as hub, tensorflow.compat.v1 as tf
tf.disable_v2_behavior()
m = hub.Module({path!r})
assert m.get_input_info_dict()["a"].get_shape()[1].value == 3
assert m.get_output_info_dict()["default"].get_shape()[0].value is None
y = m({{"a": [[1., 2., 3.]], "b": [[0., 0., 0.]]}}, as_dict=True)["sum"]
def module_fn():
    x = tf.placeholder(tf.float32, [None, 3])
    w = tf.get_variable("w", [3], initializer=tf.ones_initializer())
    y = tf.while_loop(lambda i, y: i < 2, lambda i, y: (i + 1, y * w * 2), [0, x])[1]
    hub.add_signature(inputs=x, outputs=y)
n = hub.Module(hub.create_module_spec(module_fn), trainable=True)
z = tf.cond(tf.placeholder_with_default(True, []), lambda: n(y), lambda: y)
g = tf.gradients(z, tf.trainable_variables())[0]
with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    print(session.run([y, z, g]))
    n.export({str(tmp_path / "n")!r}, session)
assert isinstance(n.variables[0], type(tf.get_variable("x", [], use_resource=True)))
print("done")
"""
    result = subprocess.run(
        [sys.executable, "-c", program],
        check=False,
        capture_output=True,
        text=True,
        cwd=os.getcwd(),
    )
    assert result.stdout.endswith("done\n"), result.stderr
