"""Feature columns: in input layers, in canned Estimators, exported out of them."""

from __future__ import annotations

from concurrent import futures

import numpy as np
import pytest
import tensorflow as tf

import hub_estimator as hub
from hub_estimator import compat, errors, estimator
from hub_estimator.graph.registration import registered_modules

v1 = tf.compat.v1
compat.silence_deprecations()  # of `tf.feature_column`, which these tests call as programs do

VECTORS = [[1.0, 10.0], [2.0, 20.0], [3.0, 30.0]]


def text_module_fn():
    words = v1.placeholder(tf.string, [None])
    table = tf.lookup.StaticHashTable(
        tf.lookup.KeyValueTensorInitializer(["a", "b"], tf.constant([0, 1], tf.int64)), 2
    )
    vectors = v1.get_variable(
        "vectors", initializer=VECTORS, regularizer=lambda value: 0.01 * tf.reduce_sum(value)
    )
    hub.add_signature(inputs=words, outputs=tf.gather(vectors, table.lookup(words)))


def image_module_fn():
    images = v1.placeholder(tf.float32, [None, 2, 3, 3])
    weight = v1.get_variable("weight", initializer=[2.0])
    sums = tf.reduce_sum(images, [1, 2, 3])[:, None]
    hub.add_signature(inputs={"images": images}, outputs=sums * weight)


def export(module_fn, path):
    with tf.Graph().as_default(), v1.Session() as session:
        module = hub.Module(hub.create_module_spec(module_fn))
        session.run(v1.global_variables_initializer())
        module.export(path, session)
    return str(path)


@pytest.fixture(scope="module")
def text_module(tmp_path_factory):
    return export(text_module_fn, tmp_path_factory.mktemp("text") / "m")


@pytest.fixture(scope="module")
def image_module(tmp_path_factory):
    return export(image_module_fn, tmp_path_factory.mktemp("image") / "m")


def run(fetches):
    with v1.Session() as session:
        session.run([v1.global_variables_initializer(), v1.tables_initializer()])
        return session.run(fetches)


def input_layer(features, columns, **kwargs):
    return v1.feature_column.input_layer(features, columns, **kwargs)


SPARSE = {"indices": [[0, 0], [0, 1], [2, 0]], "values": ["a", "b", "x"], "dense_shape": [4, 2]}


def sparse_texts():
    return tf.SparseTensor(**SPARSE)


# --- input layers ----------------------------------------------------------------------------


@pytest.mark.parametrize("texts", [["b", "x"], [["b"], ["x"]]])
def test_text(text_module, texts):
    column = hub.text_embedding_column("text", text_module)
    output = input_layer({"text": tf.constant(texts)}, [column])
    assert output.shape[1:].as_list() == [2]
    assert run(output).tolist() == [[2, 20], [3, 30]]
    assert not v1.trainable_variables() and not v1.losses.get_regularization_losses()
    names = [variable.name for variable in v1.global_variables()]
    assert names == ["input_layer/text_hub_module_embedding/module/vectors:0"]


@pytest.mark.parametrize(
    "combiner, first", [("sum", [3, 30]), ("mean", [1.5, 15]), ("sqrtn", [3 / 2**0.5, 30 / 2**0.5])]
)
@pytest.mark.parametrize("default, empty", [(None, [0, 0]), ("b", [2, 20])])
def test_sparse_text(text_module, combiner, first, default, empty):
    column = hub.sparse_text_embedding_column("text", text_module, combiner, default)
    output = input_layer({"text": sparse_texts()}, [column])
    assert output.shape.as_list()[1:] == [2]
    assert np.allclose(run(output), [first, empty, [3, 30], empty])


def test_sparse_text_given_as_dense(text_module):
    column = hub.sparse_text_embedding_column("text", text_module, "sum", None)
    output = input_layer({"text": tf.constant([["a", "b"], ["", "a"], ["", ""]])}, [column])
    assert run(output).tolist() == [[3, 30], [1, 10], [0, 0]]


def test_image(image_module):
    column = hub.image_embedding_column("image", image_module)
    output = input_layer({"image": tf.ones([2, 2, 3, 3])}, [column])
    assert run(output).tolist() == [[36], [36]]
    assert hub.get_expected_image_size(column.module_spec) == [2, 3]


def test_another_column_as_the_key(image_module):
    pixels = tf.feature_column.numeric_column("image", shape=(2, 3, 3))
    column = hub.image_embedding_column(pixels, image_module, [2, 3])
    assert column.name == "image_hub_module_embedding"
    assert run(input_layer({"image": tf.ones([1, 2, 3, 3])}, [column])).tolist() == [[36]]
    spec = v1.feature_column.make_parse_example_spec([column])
    assert spec == {"image": tf.io.FixedLenFeature((2, 3, 3), tf.float32)}


def test_several_columns_and_trainable_ones(text_module, image_module):
    columns = [
        hub.text_embedding_column("text", text_module, trainable=True),
        hub.text_embedding_column("other", text_module),
        hub.image_embedding_column("image", image_module, trainable="weight"),
    ]
    features = {
        "text": tf.constant(["b"]),
        "other": tf.constant(["a"]),
        "image": tf.ones([1, 2, 3, 3]),
    }
    assert run(input_layer(features, columns)).tolist() == [[36, 1, 10, 2, 20]]
    assert [variable.name for variable in v1.trainable_variables()] == [
        "input_layer/image_hub_module_embedding/module/weight:0",
        "input_layer/text_hub_module_embedding/module/vectors:0",
    ]
    assert len(v1.losses.get_regularization_losses()) == 1


def test_a_layer_that_is_not_trained(text_module):
    column = hub.text_embedding_column("text", text_module, trainable=True)
    input_layer({"text": tf.constant(["b"])}, [column], trainable=False)
    assert not v1.trainable_variables()


def test_parse_examples(text_module, image_module):
    columns = [
        hub.text_embedding_column("text", text_module),
        hub.sparse_text_embedding_column("words", text_module, "mean", "a"),
        hub.image_embedding_column("image", image_module),
    ]
    spec = tf.feature_column.make_parse_example_spec(columns)
    assert spec == v1.feature_column.make_parse_example_spec(columns)
    assert spec == {
        "text": tf.io.FixedLenFeature([1], tf.string),
        "words": tf.io.VarLenFeature(tf.string),
        "image": tf.io.FixedLenFeature([2, 3, 3], tf.float32),
    }
    example = tf.train.Example()
    example.features.feature["text"].bytes_list.value.append(b"b")
    example.features.feature["words"].bytes_list.value.extend([b"a", b"b"])
    example.features.feature["image"].float_list.value.extend([1.0] * 18)
    features = tf.io.parse_example([example.SerializeToString()], spec)
    assert run(input_layer(features, columns)).tolist() == [[36, 2, 20, 1.5, 15]]


def test_columns_are_values(text_module):
    first, second = (hub.text_embedding_column("text", text_module) for _ in range(2))
    assert first == second and len({first, second}) == 1
    assert first != hub.text_embedding_column("text", text_module, trainable=True)
    config = first.get_config()
    assert type(first).from_config(config) == first
    spec = hub.load_module_spec(text_module)
    with pytest.raises(NotImplementedError) as caught:
        hub.text_embedding_column("text", spec).get_config()
    assert str(caught.value) == (
        "The column 'text_hub_module_embedding' was made of a ModuleSpec, which cannot be stored "
        "in a configuration. Make it of the module's handle."
    )


# --- canned Estimators -----------------------------------------------------------------------


def batches():
    features = {"text": [["a"], ["b"]], "image": np.ones([2, 2, 3, 3], np.float32)}
    return tf.data.Dataset.from_tensors((features, [[0], [1]])).repeat()


def one_batch():
    return batches().take(1)


def serving():
    text = v1.placeholder(tf.string, [None, 1])
    image = v1.placeholder(tf.float32, [None, 2, 3, 3])
    features = {"text": text, "image": image}
    return estimator.export.ServingInputReceiver(features, features)


def values_of(path):
    with tf.Graph().as_default():
        module = hub.Module(path)
        (value,) = run(list(module.variable_map.values()))
    return value


def make_dnn(columns, folder, module=estimator):
    config = estimator.RunConfig(tf_random_seed=1)
    return module.DNNClassifier([9], columns, folder, optimizer="SGD", config=config)


def make_linear(columns, folder):
    return estimator.LinearClassifier(columns, folder, optimizer="SGD")


CANNED = {"dnn": make_dnn, "linear": make_linear}


@pytest.mark.parametrize("make", CANNED.values(), ids=CANNED)
def test_canned_estimators_train_and_export_what_they_tuned(
    make, text_module, image_module, tmp_path
):
    columns = [
        hub.text_embedding_column("text", text_module, trainable=True, export_name="text"),
        hub.image_embedding_column("image", image_module, export_name="image"),
    ]
    made = make(columns, str(tmp_path / "model"))
    made.train(batches, max_steps=3)
    assert "accuracy" in made.evaluate(one_batch)
    assert len(list(made.predict(one_batch))) == 2
    names = [name for name in made.get_variable_names() if "hub_module" in name]
    (tuned,) = (made.get_variable_value(name) for name in names if name.endswith("vectors"))
    (frozen,) = (made.get_variable_value(name) for name in names if name.endswith("weight"))
    assert not np.allclose(tuned, VECTORS) and frozen == [2.0]
    exporter = hub.LatestModuleExporter("modules", serving)
    path = exporter.export(made, str(tmp_path / "export"))
    assert np.array_equal(values_of(f"{path}/text"), tuned)
    assert np.array_equal(values_of(f"{path}/image"), frozen)


def test_a_sparse_column_in_a_canned_estimator(text_module, tmp_path):
    def sparse_batches():
        texts = tf.SparseTensor([[0, 0], [0, 1], [1, 0]], ["a", "b", "b"], [2, 2])
        return tf.data.Dataset.from_tensors(({"text": texts}, [[0], [1]])).repeat()

    column = hub.sparse_text_embedding_column("text", text_module, "mean", "x", trainable=True)
    made = make_dnn([column], str(tmp_path))
    made.train(sparse_batches, max_steps=2)
    (name,) = [name for name in made.get_variable_names() if name.endswith("vectors")]
    assert not np.allclose(made.get_variable_value(name), VECTORS)


def test_the_second_apis_canned_estimators_train_modules_too(text_module, tmp_path):
    column = hub.text_embedding_column("text", text_module, trainable=True, export_name="text")
    made = make_dnn([column], str(tmp_path / "model"), compat.estimator_module("v2"))
    made.train(batches, max_steps=2)
    (name,) = [name for name in made.get_variable_names() if name.endswith("vectors")]
    tuned = made.get_variable_value(name)
    assert not np.allclose(tuned, VECTORS)
    path = hub.LatestModuleExporter("modules", serving).export(made, str(tmp_path / "export"))
    assert np.array_equal(values_of(f"{path}/text"), tuned)


@pytest.mark.parametrize("api", [None, "v2"])
def test_one_column_in_both_parts_of_a_combined_estimator(text_module, tmp_path, caplog, api):
    column = hub.text_embedding_column("text", text_module, trainable=True, export_name="text")
    made = (compat.estimator_module(api) if api else estimator).DNNLinearCombinedClassifier(
        str(tmp_path / "model"), [column], dnn_feature_columns=[column], dnn_hidden_units=[9]
    )
    made.train(batches, max_steps=2)
    names = [name for name in made.get_variable_names() if name.endswith("vectors")]
    deep, linear = sorted(names, key=lambda name: name.startswith("linear"))
    messages = set(caplog.messages)
    assert (
        f"The feature column 'text_hub_module_embedding' is used twice, and each use has variables "
        f"of its own: <hub.Module {deep.removesuffix('/vectors')!r} of The module {text_module}, "
        f"tags set()> is exported as 'text', and <hub.Module {linear.removesuffix('/vectors')!r} "
        f"of The module {text_module}, tags set()> is not exported."
    ) in messages
    path = hub.LatestModuleExporter("modules", serving).export(made, str(tmp_path / "export"))
    tuned, other = (made.get_variable_value(name) for name in (deep, linear))
    assert np.array_equal(values_of(f"{path}/text"), tuned) and not np.array_equal(tuned, other)


def test_a_frozen_column_that_is_used_twice_is_exported_without_a_word(text_module, caplog):
    columns = [hub.text_embedding_column("text", text_module, export_name="text") for _ in range(2)]
    for column in columns:
        input_layer({"text": tf.constant(["b"])}, [column])
    assert list(registered_modules()) == ["text"]
    assert not [message for message in caplog.messages if "is used twice" in message]


def test_two_columns_of_one_export_name(text_module):
    columns = [hub.text_embedding_column(key, text_module, export_name="x") for key in "ab"]
    with pytest.raises(errors.ModelError) as caught:
        input_layer({key: tf.constant(["b"]) for key in "ab"}, columns)
    assert str(caught.value) == (
        "Two feature columns are exported as 'x': 'a_hub_module_embedding' and "
        "'b_hub_module_embedding'. Give each an export_name of its own."
    )


def test_a_servable_model_keeps_the_modules_assets(tmp_path):
    def module_fn():
        words = v1.placeholder(tf.string, [None])
        initializer = tf.lookup.TextFileInitializer(
            str(tmp_path / "words.txt"), tf.string, 0, tf.int64, tf.lookup.TextFileIndex.LINE_NUMBER
        )
        table = tf.lookup.StaticHashTable(initializer, 2)
        vectors = v1.get_variable("vectors", initializer=VECTORS)
        hub.add_signature(inputs=words, outputs=tf.gather(vectors, table.lookup(words)))

    (tmp_path / "words.txt").write_text("a\nb\n")
    column = hub.text_embedding_column("text", export(module_fn, tmp_path / "m"), trainable=True)
    made = make_linear([column], str(tmp_path / "model"))
    made.train(batches, max_steps=2)
    predicted = [prediction["logits"].tolist() for prediction in made.predict(one_batch)]
    path = made.export_saved_model(str(tmp_path / "export"), serving)
    for file in ("words.txt", "m/assets/words.txt"):
        (tmp_path / file).unlink()
    spec = hub.create_module_spec_from_saved_model(path, drop_collections=["summaries"])
    with hub.eval_function_for_module(spec, ["serve"]) as evaluate:
        features = {"text": [["a"], ["b"]], "image": np.ones([2, 2, 3, 3])}
        assert np.allclose(evaluate(features, "predict", as_dict=True)["logits"], predicted)


# --- TF2 SavedModels -------------------------------------------------------------------------


def embedder(as_dict):
    made = tf.train.Checkpoint()
    made.table = tf.lookup.StaticHashTable(
        tf.lookup.KeyValueTensorInitializer(["a", "b"], tf.constant([0, 1], tf.int64)), 2
    )
    made.vectors = tf.Variable(VECTORS)
    made.trainable_variables = [made.vectors]

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def call(texts):
        output = tf.gather(made.vectors, made.table.lookup(texts))
        return {"vectors": output} if as_dict else output

    made.__call__ = call
    return made


def save_tf2(path, as_dict=False):
    # In a new thread TensorFlow executes eagerly.
    with futures.ThreadPoolExecutor(1) as pool:
        pool.submit(lambda: tf.saved_model.save(embedder(as_dict), str(path))).result()
    return str(path)


def test_a_saved_model(tmp_path):
    column = hub.text_embedding_column_v2("text", save_tf2(tmp_path / "s"))
    assert column.variable_shape.as_list() == [2]
    assert run(input_layer({"text": tf.constant([["b"], ["x"]])}, [column])).tolist() == [
        [2, 20],
        [3, 30],
    ]
    assert not v1.trainable_variables()
    assert tf.feature_column.make_parse_example_spec([column]) == {
        "text": tf.io.FixedLenFeature([1], tf.string)
    }


@pytest.mark.parametrize("make", CANNED.values(), ids=CANNED)
def test_a_trained_saved_model_with_several_outputs(make, tmp_path):
    path = save_tf2(tmp_path / "s", as_dict=True)
    column = hub.text_embedding_column_v2("text", path, "vectors", trainable=True)
    made = make([column], str(tmp_path / "model"))
    made.train(batches, max_steps=2)
    (name,) = [name for name in made.get_variable_names() if name.endswith("Variable")]
    assert not np.allclose(made.get_variable_value(name), VECTORS)
    assert len(list(made.predict(one_batch))) == 2


def test_an_eager_layer_trains_a_saved_model_and_is_saved(tmp_path):
    path = save_tf2(tmp_path / "s")

    def train():
        column = hub.text_embedding_column_v2("text", path, trainable=True)
        keras = compat.legacy_keras()
        layer = keras.layers.DenseFeatures([column])
        model = keras.Sequential([layer, keras.layers.Dense(1)])
        model.compile("sgd", "mse")
        model.fit({"text": tf.constant([["a"], ["b"]])}, np.zeros([2, 1]), verbose=0)
        (tuned,) = layer.trainable_variables
        model.save(str(tmp_path / "saved"), save_format="tf")
        return tuned.numpy()

    with futures.ThreadPoolExecutor(1) as pool:
        tuned = pool.submit(train).result()
    assert not np.allclose(tuned, VECTORS)
    assert (tmp_path / "saved" / "saved_model.pb").is_file()


def test_a_saved_model_that_is_not_called(tmp_path):
    def save():
        made = tf.train.Checkpoint()
        made.f = tf.function(lambda x: x, input_signature=[tf.TensorSpec([None], tf.string)])
        tf.saved_model.save(made, str(tmp_path / "s"))

    with futures.ThreadPoolExecutor(1) as pool:
        pool.submit(save).result()
    column = hub.text_embedding_column_v2("text", tmp_path / "s")
    with pytest.raises(errors.ColumnError) as caught:
        input_layer({"text": tf.constant(["b"])}, [column])
    assert str(caught.value) == (
        f"{tmp_path / 's'} cannot be called. Give a SavedModel with a function `__call__` that "
        "takes strings [B]."
    )


def test_a_module_in_a_saved_models_column(text_module):
    column = hub.text_embedding_column_v2("text", text_module)
    assert run(input_layer({"text": tf.constant(["b"])}, [column])).tolist() == [[2, 20]]
    with pytest.raises(errors.ColumnError) as caught:
        trained = hub.text_embedding_column_v2("text", text_module, trainable=True)
        input_layer({"text": tf.constant(["b"])}, [trained])
    assert str(caught.value) == (
        f"{text_module} cannot be trained in a column: it lacks `__call__` or "
        "`trainable_variables`. For a TF1 Hub module, use hub.text_embedding_column; for other "
        "SavedModels, pass trainable=False."
    )


def test_a_saved_model_that_does_not_fit(tmp_path):
    column = hub.text_embedding_column_v2("text", save_tf2(tmp_path / "s", as_dict=True))
    with pytest.raises(errors.ColumnError) as caught:
        _ = column.variable_shape
    assert str(caught.value) == (
        f"{tmp_path / 's'} returns ['vectors'], not one tensor. Choose one: output_key=..."
    )
    column = hub.text_embedding_column_v2("text", tmp_path / "s", "other")
    with pytest.raises(errors.ColumnError) as caught:
        _ = column.variable_shape
    assert str(caught.value) == (
        f"{tmp_path / 's'} returns ['vectors'], not one tensor. Choose one: output_key=..."
    )


# --- modules that do not fit -----------------------------------------------------------------


def spec_of(inputs, outputs, source="make"):
    def make():
        given = {name: v1.placeholder(*args) for name, args in inputs.items()}
        made = {name: tf.zeros(shape, dtype) for name, (dtype, shape) in outputs.items()}
        hub.add_signature(inputs=given, outputs=made)

    return hub.create_module_spec(make)


def test_modules_that_do_not_embed_texts():
    spec = spec_of({"x": (tf.float32, [None])}, {"y": (tf.float32, [2, 3])})
    with pytest.raises(errors.ColumnError) as caught:
        hub.text_embedding_column("text", spec)
    assert str(caught.value) == (
        f"{spec.source} cannot embed texts in a feature column: it takes "
        "{'x': <dtype=float32 shape=(None,)>}, not one dense string input [None]; it has the "
        "outputs 'y', but none named 'default'. Choose another module, or define one with such a "
        "default signature."
    )
    spec = spec_of({"x": (tf.string, [None])}, {"default": (tf.int32, [2, 3])})
    with pytest.raises(ValueError) as caught:
        hub.sparse_text_embedding_column("text", spec, "mean", None)
    assert str(caught.value) == (
        f"{spec.source} cannot embed texts in a feature column: its output is int32 (2, 3), not "
        "float32 [None, D] with a known D. Choose another module, or define one with such a "
        "default signature."
    )


def test_modules_that_do_not_embed_images(text_module):
    end = "Choose another module, or define one with such a default signature."
    with pytest.raises(errors.ColumnError) as caught:
        hub.image_embedding_column("image", text_module)
    assert str(caught.value) == (
        f"The module {text_module} cannot embed images in a feature column: it takes "
        "{'default': <dtype=string shape=(None,)>}, not one float32 input 'images'. " + end
    )
    spec = spec_of(
        {"images": (tf.float32, [None, None, None, 3])}, {"default": (tf.float32, [1, 1])}
    )
    with pytest.raises(errors.ColumnError) as caught:
        hub.image_embedding_column("image", spec)
    assert str(caught.value) == (
        f"{spec.source} cannot embed images in a feature column: it does not tell the size of the "
        "images, so give image_size (The images that the module takes have the shape "
        "(None, None, None, 3); known height and width are needed: [batch, height, width, "
        "channels]. The publisher may also attach them with hub.attach_image_module_info.). " + end
    )
    column = hub.image_embedding_column("image", spec, image_size=[4, 5])
    assert column.parse_example_spec["image"].shape == [4, 5, 3]


def test_other_misuses(text_module, tmp_path):
    with pytest.raises(errors.ColumnError) as caught:
        hub.sparse_text_embedding_column("text", text_module, "max", None)
    assert str(caught.value) == "combiner is 'max'; it must be 'mean', 'sqrtn' or 'sum'."
    with pytest.raises(errors.InvalidPathNameError) as caught:
        hub.text_embedding_column("text", text_module, export_name="a/b")
    assert str(caught.value) == (
        "The export name is 'a/b', which cannot be the name of a file or folder: it holds a slash. "
        "Choose a name of letters, digits, '_' and '-'."
    )
    with pytest.raises(errors.NotAModuleError, match="use hub.load"):
        hub.text_embedding_column("text", save_tf2(tmp_path / "s"))


# --- the peer --------------------------------------------------------------------------------


def columns_of(library, text_module, image_module):
    return [
        library.text_embedding_column("text", text_module, True),
        library.sparse_text_embedding_column("words", text_module, "sqrtn", "a", True),
        library.image_embedding_column("image", image_module, (2, 3)),
    ]


def peer_batches():
    features = {
        "text": [["a"], ["b"]],
        "words": tf.SparseTensor([[0, 0], [0, 1]], ["a", "b"], [2, 2]),
        "image": np.ones([2, 2, 3, 3], np.float32),
    }
    return tf.data.Dataset.from_tensors((features, [[0], [1]])).repeat()


@pytest.mark.peer
def test_input_layers_are_the_peers(text_module, image_module):
    import tensorflow_hub

    found = []
    for library in (hub, tensorflow_hub):
        with tf.Graph().as_default():
            features, _ = v1.data.make_one_shot_iterator(peer_batches()).get_next()
            columns = columns_of(library, text_module, image_module)
            output = run(input_layer(features, columns))
            names = [sorted(variable.name for variable in v1.get_collection(key)) for key in (
                "variables", "trainable_variables", "model_variables",
            )]  # fmt: skip
            specs = [column.parse_example_spec for column in columns]
            found.append((output, names, specs, [column.name for column in columns]))
    assert np.allclose(found[0][0], found[1][0])
    assert found[0][1:] == found[1][1:]


@pytest.mark.peer
@pytest.mark.parametrize("make", CANNED.values(), ids=CANNED)
def test_checkpoints_of_canned_estimators_are_the_peers(make, text_module, image_module, tmp_path):
    import tensorflow_hub

    theirs = make(columns_of(tensorflow_hub, text_module, image_module), str(tmp_path))
    theirs.train(peer_batches, max_steps=1)
    ours = make(columns_of(hub, text_module, image_module), str(tmp_path))
    ours.train(peer_batches, max_steps=2)  # goes on from the peer's checkpoint
    assert ours.get_variable_names() == theirs.get_variable_names()
