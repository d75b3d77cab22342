"""`hub.load` and `hub.resolve` on modules and SavedModels, in eager mode and in graphs."""

from __future__ import annotations

import gc
import weakref
from concurrent import futures

import numpy as np
import pytest
import tensorflow as tf

import hub_estimator as hub
from hub_estimator import errors
from tests.format.editing import edited

v1 = tf.compat.v1


def in_eager_mode(function):
    """Returns what a function returns where TensorFlow executes eagerly: in a new thread."""
    with futures.ThreadPoolExecutor(1) as pool:
        return pool.submit(function).result()


def module_fn(vocabulary, scale=1.0):
    words = v1.placeholder(tf.string, [None])
    initializer = tf.lookup.TextFileInitializer(
        vocabulary, tf.string, 0, tf.int64, tf.lookup.TextFileIndex.LINE_NUMBER
    )
    table = tf.lookup.StaticHashTable(initializer, 2)
    vectors = v1.get_variable(
        "vectors",
        initializer=[[1.0], [2.0], [3.0]],
        regularizer=lambda value: 0.5 * tf.reduce_sum(value),
    )
    v1.get_variable("fixed", initializer=4.0, trainable=False)
    hub.add_signature(inputs=words, outputs=tf.gather(vectors, table.lookup(words)) * scale)


@pytest.fixture
def module(tmp_path):
    vocabulary = tmp_path / "words.txt"
    vocabulary.write_text("a\nb\n")
    args = {"vocabulary": str(vocabulary)}
    variants = [(set(), args), ({"loud"}, {**args, "scale": 10.0})]
    with tf.Graph().as_default(), v1.Session() as session:
        made = hub.Module(hub.create_module_spec(module_fn, variants))
        session.run(v1.global_variables_initializer())
        made.export(tmp_path / "module", session)
    vocabulary.unlink()
    return str(tmp_path / "module")


@pytest.fixture
def saved_model(tmp_path):
    def save():
        made = tf.Module()
        made.weight = tf.Variable([2.0, 3.0])
        call = tf.function(lambda x: x * made.weight)
        made.__call__ = call.get_concrete_function(tf.TensorSpec([None, 2], tf.float32))
        tf.saved_model.save(made, str(tmp_path / "saved"))

    in_eager_mode(save)
    return str(tmp_path / "saved")


def test_programs_can_tell_modules_from_saved_models(module, saved_model):
    def run():
        return [hub.load(path)._is_hub_module_v1 for path in (module, saved_model)]

    assert in_eager_mode(run) == run() == [True, False]


def test_a_module_in_eager_mode(module):
    def run():
        loaded = hub.load(module)
        loud = hub.load(module, tags=["loud"])
        words = tf.constant(["b", "x", "a"])
        results = [variant.signatures["default"](words)["default"] for variant in (loaded, loud)]
        with tf.GradientTape() as tape:
            output = tf.reduce_sum(loaded.signatures["default"](words)["default"])
        gradient = tape.gradient(output, loaded.trainable_variables)
        return (
            [result.numpy().ravel().tolist() for result in results],
            sorted(variable.name for variable in loaded.variables),
            [variable.name for variable in loaded.trainable_variables],
            [loss().numpy() for loss in loaded.regularization_losses],
            tf.convert_to_tensor(gradient[0]).numpy().ravel().tolist(),
        )

    results, names, trainable, losses, gradient = in_eager_mode(run)
    assert results == [[2, 3, 1], [20, 30, 10]]
    assert names == ["fixed:0", "vectors:0"] and trainable == ["vectors:0"]
    assert losses == [3.0] and gradient == [1, 1, 1]


def test_a_module_in_a_graph(module):
    loaded = hub.load(module)
    output = loaded.signatures["default"](tf.constant(["b", "x"]))["default"]
    losses = [loss() for loss in loaded.regularization_losses]
    with v1.Session() as session:
        session.run([v1.global_variables_initializer(), v1.tables_initializer()])
        assert session.run(output).ravel().tolist() == [2, 3]
        assert session.run(losses) == [3.0]


def test_a_saved_model_in_eager_mode(saved_model):
    loaded, output = in_eager_mode(
        lambda: (loaded := hub.load(saved_model), loaded(tf.ones([1, 2])).numpy())
    )
    assert output.tolist() == [[2, 3]]
    assert len(loaded.trainable_variables if hasattr(loaded, "trainable_variables") else [1]) == 1


def test_a_saved_model_in_a_graph(saved_model):
    loaded = hub.load(saved_model, tags=["serve"])
    output = loaded(tf.ones([1, 2]))
    with v1.Session() as session:
        session.run(v1.global_variables_initializer())
        assert session.run(output).tolist() == [[2, 3]]


def test_what_a_graph_uses_lives_as_long_as_the_graph(saved_model):
    loaded = weakref.ref(hub.load(saved_model))
    gc.collect()
    assert loaded() is not None
    assert not v1.train.export_meta_graph().collection_def.keys() & {"loaded"}


def test_options(saved_model):
    options = tf.saved_model.LoadOptions(experimental_io_device="/cpu:0")
    assert in_eager_mode(lambda: hub.load(saved_model, options=options)) is not None


def test_handles(module, saved_model, tmp_path):
    for handle in (module, module.encode(), tmp_path / "module"):
        assert hub.resolve(handle) == module
        assert in_eager_mode(lambda handle=handle: hub.load(handle)).signatures
    assert hub.resolve(saved_model) == saved_model


def save_tf1(folder, *all_tags):
    builder = v1.saved_model.Builder(str(folder))
    x = v1.placeholder(tf.float32, [None])
    v = v1.get_variable("v", initializer=1.0)
    signature = v1.saved_model.signature_def_utils.predict_signature_def({"x": x}, {"y": x + v})
    with v1.Session() as session:
        session.run(v1.global_variables_initializer())
        builder.add_meta_graph_and_variables(session, list(all_tags[0]), {"default": signature})
        for tags in all_tags[1:]:
            builder.add_meta_graph(list(tags), {"default": signature})
    builder.save()
    return str(folder)


def test_a_tf1_saved_model(tmp_path):
    path = save_tf1(tmp_path / "s", ["serve"], ["serve", "gpu"])

    def run(tags):
        loaded = hub.load(path, tags=tags)
        return loaded.signatures["default"](tf.constant([1.0]))["y"].numpy().tolist()

    assert in_eager_mode(lambda: run({"gpu", "serve"})) == [2]
    assert in_eager_mode(lambda: run("serve")) == [2]
    with pytest.raises(errors.TagsNotFoundError) as caught:
        in_eager_mode(lambda: run(None))
    assert str(caught.value) == (
        f"The SavedModel {path} has several graphs. Pass tags=..., one of: {{'gpu', 'serve'}}, "
        "{'serve'}."
    )
    with pytest.raises(errors.TagsNotFoundError) as caught:
        in_eager_mode(lambda: run(["tpu"]))
    assert str(caught.value) == (
        f"The SavedModel {path} has no graph with the tags {{'tpu'}}. It has: {{'gpu', 'serve'}}, "
        "{'serve'}."
    )


def test_tags_that_a_module_lacks(module):
    with pytest.raises(errors.TagsNotFoundError) as caught:
        hub.load(module, tags=["train"])
    assert str(caught.value) == (
        f"The module {module} has no graph variant with the tags {{'train'}}. It has: set(), "
        "{'loud'}."
    )


def test_folders_that_hold_neither(tmp_path):
    with pytest.raises(errors.HandleNotFoundError):
        hub.load(tmp_path / "none")
    (tmp_path / "folder").mkdir()
    for name in ("", "a.txt"):
        if name:
            (tmp_path / "folder" / name).touch()
        with pytest.raises(ValueError) as caught:
            hub.load(tmp_path / "folder")
        assert isinstance(caught.value, tf.errors.NotFoundError)
        assert str(caught.value) == (
            f"{tmp_path / 'folder'} is neither a SavedModel nor a TF1 Hub module: it has no "
            f"saved_model.pb. It holds: {name or 'nothing'}. Give the folder that has the "
            "saved_model.pb."
        )


def test_what_to_call_instead(saved_model, module):
    with pytest.raises(errors.NotAModuleError) as caught:
        hub.Module(saved_model)
    assert str(caught.value) == (
        f"{saved_model} is not a TF1 Hub module: it has no tfhub_module.pb. It is a TF2 "
        "SavedModel: use hub.load, which reads both formats."
    )


def test_a_damaged_module(module):
    with open(f"{module}/saved_model.pb", "wb") as file:
        file.write(b"\xff")
    with pytest.raises(errors.BrokenModuleError):
        hub.load(module)


@pytest.mark.peer
def test_the_peer_loads_the_same(module, saved_model):
    import tensorflow_hub

    def run(library):
        loaded = library.load(module)
        output = loaded.signatures["default"](tf.constant(["b", "x"]))["default"].numpy()
        return (
            output,
            sorted(variable.name for variable in loaded.variables),
            sorted(loaded.signatures),
        )

    ours, theirs = (in_eager_mode(lambda lib=lib: run(lib)) for lib in (hub, tensorflow_hub))
    assert np.array_equal(ours[0], theirs[0]) and ours[1:] == theirs[1:]


# --- damage ----------------------------------------------------------------------------------


def save_with_asset(tmp_path):
    (tmp_path / "words.txt").write_text("a\n")

    def save():
        made = tf.Module()
        made.weight = tf.Variable(2.0)
        made.asset = tf.saved_model.Asset(str(tmp_path / "words.txt"))
        made.__call__ = tf.function(
            lambda x: x * made.weight, input_signature=[tf.TensorSpec([], tf.float32)]
        )
        tf.saved_model.save(made, str(tmp_path / "saved"))

    in_eager_mode(save)
    return str(tmp_path / "saved")


@pytest.mark.parametrize("name", ["../words.txt", "/etc/hostname", "a/../../words.txt", ""])
def test_assets_that_lead_out_of_a_saved_model(tmp_path, name):
    path = save_with_asset(tmp_path)
    with edited(path) as meta_graph:
        meta_graph.asset_file_def[0].filename = name
    with pytest.raises(errors.UnsafeAssetError) as caught:
        in_eager_mode(lambda: hub.load(path))
    assert str(caught.value) == (
        f"The module in {path} names an asset {name!r}, which is not a file below its assets/ folder. "
        "Do not use this module: ask its publisher."
    )


def test_an_asset_that_a_saved_model_lacks(tmp_path):
    path = save_with_asset(tmp_path)
    file = tmp_path / "saved" / "assets" / "words.txt"
    file.unlink()
    with pytest.raises(errors.BrokenModuleError) as caught:
        in_eager_mode(lambda: hub.load(path))
    assert str(caught.value) == (
        f"The SavedModel {path} lacks its asset 'words.txt' ({file}). Fetch the module again."
    )


def test_a_module_that_says_that_it_is_a_tf2_saved_model(module, tmp_path):
    """TensorFlow's loader looks at other parts of it than a module has."""
    with edited(module) as meta_graph:
        meta_graph.object_graph_def.nodes.add().user_object.identifier = "x"
        meta_graph.asset_file_def.add(filename="../x").tensor_info.name = "x:0"
    with pytest.raises(errors.UnsafeAssetError):
        in_eager_mode(lambda: hub.load(module))


def test_an_operation_that_tensorflow_does_not_know(saved_model):
    with edited(saved_model) as meta_graph:
        for function in meta_graph.graph_def.library.function:
            for node in function.node_def:
                node.op = "OfAnotherLibrary" if node.op == "Mul" else node.op
    with pytest.raises(errors.UnsupportedModuleError) as caught:
        in_eager_mode(lambda: hub.load(saved_model))
    assert str(caught.value) == (
        f"TensorFlow {tf.__version__} knows no operation 'OfAnotherLibrary', which the module uses. "
        "Where a library defines it, load that with tf.load_op_library, or import its package first."
    )


def _outside(objects):
    objects.nodes[0].children[0].node_id = 99


def _no_function(objects):
    objects.concrete_functions.clear()


def _too_much_bound(objects):
    for function in objects.concrete_functions.values():
        function.bound_inputs.extend([99, 99])


@pytest.mark.parametrize("damage", [_outside, _no_function, _too_much_bound])
def test_objects_that_contradict_one_another(saved_model, damage):
    with edited(saved_model) as meta_graph:
        damage(meta_graph.object_graph_def)
    with pytest.raises(errors.BrokenModuleError) as caught:
        in_eager_mode(lambda: hub.load(saved_model))
    message = str(caught.value)
    assert message.startswith(
        (f"TensorFlow cannot load {saved_model} (", f"The SavedModel {saved_model} is damaged (")
    )
    assert message.endswith(("fetch or save it again.", "Fetch or export the module again."))


def test_an_initializer_that_is_none(tmp_path):
    path = save_tf1(tmp_path / "s", ["serve"])
    with edited(path) as meta_graph:
        meta_graph.collection_def["saved_model_main_op"].float_list.value.append(1.0)
    with pytest.raises(errors.BrokenModuleError) as caught:
        in_eager_mode(lambda: hub.load(path))
    assert str(caught.value) == (
        f"TensorFlow cannot load {path} (RuntimeError: Expected exactly one SavedModel init op. Found "
        "0: [].). It is damaged, or of a kind that this TensorFlow does not read: fetch or save it "
        "again."
    )


def test_a_regularization_loss_that_is_no_tensor(module):
    with edited(module) as meta_graph:
        meta_graph.collection_def["regularization_losses"].node_list.value.append("vectors")
    with pytest.raises(errors.BrokenModuleError) as caught:
        in_eager_mode(lambda: hub.load(module))
    assert str(caught.value).startswith(f"The module {module} is damaged (ValueError: ")


def test_a_saved_model_whose_values_are_damaged(saved_model):
    prefix = f"{saved_model}/variables/variables"
    with open(f"{prefix}.data-00000-of-00001", "r+b") as file:
        length = file.seek(0, 2)
        file.truncate(3)
    for load in (hub.load, lambda path: in_eager_mode(lambda: hub.load(path))):
        with pytest.raises(errors.BrokenModuleError) as caught:
            load(saved_model)
        message = str(caught.value)
        assert message.startswith(
            f"The SavedModel {saved_model} lacks values of its variables: the data files beside "
            f"{prefix}.index have 3 bytes and should have "
        )
        assert length > 3 and message.endswith(" or more. Fetch the module again.")
    with open(f"{prefix}.index", "wb") as file:
        file.write(b"words")
    with pytest.raises(errors.BrokenModuleError) as caught:
        hub.load(saved_model)
    assert str(caught.value).startswith(
        f"The checkpoint {prefix} of the SavedModel {saved_model} is damaged ("
    )
