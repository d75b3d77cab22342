"""TF2 SavedModels as encoders."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
import tensorflow as tf

from hub_estimator import errors, estimator
from hub_estimator.training.model.encoders import Encoder
from hub_estimator.training.model.interactions import pair_comparison
from tests.format.editing import edited

TEXTS = ["a", "b", "c"]
VALUES = np.arange(32, dtype=np.float32).reshape(8, 4) / 10


class Embeddings(tf.train.Checkpoint):
    """Texts to rows of a table; training counts its calls. With the reusable interface."""

    def __init__(self, trains_table=True):
        super().__init__()
        self.table = tf.Variable(VALUES, name="table")
        self.calls = tf.Variable(0.0, trainable=False, name="calls")
        self.variables = [self.table, self.calls]
        self.trainable_variables = [self.table] if trains_table else []
        self.regularization_losses = [self.size]

    @tf.function
    def __call__(self, texts, training=False):
        if training:
            self.calls.assign_add(1.0)
        rows = tf.nn.embedding_lookup(self.table, tf.strings.to_hash_bucket_fast(texts, 8))
        return {"default": rows, "double": 2 * rows}

    @tf.function(input_signature=[])
    def size(self):
        return tf.reduce_sum(self.table)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "texts")])
    def serve(self, texts):
        return {"tripled": 3 * self(texts)["default"]}


def save(path, **settings):
    with tf.init_scope():
        made = Embeddings(**settings)
        texts = tf.TensorSpec([None], tf.string, "texts")
        for training in (True, False):
            made.__call__.get_concrete_function(texts, training=training)
        tf.saved_model.save(made, str(path), signatures={"serve": made.serve})
    return str(path)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return save(tmp_path_factory.mktemp("saved") / "model")


@pytest.fixture(scope="module")
def nothing_to_train(tmp_path_factory):
    return save(tmp_path_factory.mktemp("saved") / "model", trains_table=False)


def outputs(encoder, mode="infer"):
    found = encoder({"text": tf.constant(TEXTS)}, mode).outputs[0]
    with tf.compat.v1.Session() as session:
        session.run(tf.compat.v1.global_variables_initializer())
        return session.run(found)


def expected():
    rows = tf.strings.to_hash_bucket_fast(TEXTS, 8)
    with tf.compat.v1.Session() as session:
        return VALUES[session.run(rows)]


def test_the_call_is_the_default_signature(folder):
    assert outputs(Encoder(folder)) == pytest.approx(expected())
    assert [each.op.name for each in tf.compat.v1.global_variables()][:2] == [
        "module/table",
        "module/calls",
    ]
    assert tf.compat.v1.trainable_variables() == []


def test_another_output_and_another_signature(folder):
    assert outputs(Encoder(folder, output="double")) == pytest.approx(2 * expected())
    tripled = Encoder(folder, signature="serve", output="tripled", name="other")
    assert outputs(tripled) == pytest.approx(3 * expected())


def test_two_have_their_own_variables(folder):
    features = {"text": tf.constant(TEXTS)}
    for _ in range(2):
        Encoder(folder)(features, "infer")
    names = {each.op.name for each in tf.compat.v1.global_variables()}
    assert {"module/table", "module_1/table"} <= names


def test_what_it_takes(folder):
    assert Encoder(folder).feature_specs() == {"text": tf.TensorSpec([None], tf.string, "text")}
    Encoder(folder, trainable=True).check("train", ["text"])


def test_it_is_fine_tuned_by_an_estimator(folder, make_model, tmp_path):
    copy = str(tmp_path / "copy")
    shutil.copytree(folder, copy)
    encoder = Encoder(copy, feature=["a", "b"], trainable=True, learning_rate_multiplier=0.5)
    model = make_model(encoders=[encoder], interaction=pair_comparison, regularization_scale=0.01)

    def input_fn():
        features = {"a": TEXTS, "b": TEXTS[::-1]}
        return tf.data.Dataset.from_tensors((features, np.array([0, 1, 0]))).repeat()

    config = estimator.RunConfig(tf_random_seed=1)
    trained = estimator.Estimator(model.model_fn, str(tmp_path / "model"), config, params={})
    trained.train(input_fn, max_steps=3)
    assert trained.get_variable_value("module/calls") == 6  # two uses in each of three steps
    assert not np.array_equal(trained.get_variable_value("module/table"), VALUES)
    metrics = trained.evaluate(input_fn, steps=1)
    assert metrics["regularization_loss"] > 0
    assert trained.get_variable_value("module/calls") == 6


def test_it_is_trained_without_variables_to_train(nothing_to_train, make_model, tmp_path):
    encoder = Encoder(nothing_to_train, trainable=True)
    model = make_model(encoders=[encoder], regularization_scale=0.0)

    def input_fn():
        features = {"text": TEXTS}
        return tf.data.Dataset.from_tensors((features, np.array([0, 1, 0]))).repeat()

    trained = estimator.Estimator(model.model_fn, str(tmp_path / "model"), params={})
    trained.train(input_fn, max_steps=3)
    assert trained.get_variable_value("module/calls") == 3
    assert np.array_equal(trained.get_variable_value("module/table"), VALUES)


def message(error_type, **settings):
    with pytest.raises(error_type) as caught:
        encoder = Encoder(**settings)
        encoder.check("train", ["text"])
        encoder({"text": tf.constant(TEXTS)}, "train")
    return str(caught.value)


def test_tags(folder):
    assert message(errors.TagsNotFoundError, handle=folder, tags="train") == (
        f"Encoder.tags has 'train', but {folder} is a TF2 SavedModel, which has no graph variants. "
        "Leave Encoder.tags out."
    )


def test_no_such_signature(folder):
    assert message(errors.SignatureNotFoundError, handle=folder, signature="x") == (
        f"The SavedModel {folder} has no signature 'x'. It has: 'default', 'serve'."
    )


def test_a_module_for_export(folder):
    assert message(errors.ModelError, handle=folder, export_name="x") == (
        f"Encoder.export_name is 'x', but {folder} is a TF2 SavedModel, which is not exported as a "
        "module. Set it to None; the whole model can be exported by @LatestExporter."
    )


def test_some_variables(folder):
    assert message(errors.ModelError, handle=folder, trainable="table") == (
        f"Encoder.trainable is 'table', but {folder} is a TF2 SavedModel, which is trained as a "
        "whole. Give True or False."
    )


def test_nothing_to_train(tmp_path):
    path = str(tmp_path / "model")
    with tf.init_scope():
        made = tf.Module()
        made.length = tf.function(
            lambda texts: {"default": tf.cast(tf.strings.length(texts), tf.float32)[:, None]},
            input_signature=[tf.TensorSpec([None], tf.string, "texts")],
        )
        tf.saved_model.save(made, path, signatures={"default": made.length})
    assert message(errors.ModelError, handle=path, trainable=True) == (
        f"{path} cannot be trained: the SavedModel has no `trainable_variables`. Set "
        "Encoder.trainable = False."
    )


def test_one_that_cannot_be_called(tmp_path):
    path = str(tmp_path / "model")
    with tf.init_scope():
        tf.saved_model.save(tf.Module(), path)
    assert message(errors.SignatureNotFoundError, handle=path) == (
        f"The SavedModel {path} has no signature 'default'. It has: none."
    )


def test_a_function_that_was_bound_to_too_much(folder, tmp_path):
    copy = shutil.copytree(folder, tmp_path / "copy")
    with edited(copy) as meta_graph:
        for name, function in meta_graph.object_graph_def.concrete_functions.items():
            if "call" in name:
                function.bound_inputs.append(function.bound_inputs[0])
    encoder = Encoder(str(copy))
    with pytest.raises(errors.GraphImportError) as caught:
        encoder({"text": tf.constant(TEXTS)}, "infer")
    message = str(caught.value)
    assert message.startswith(
        "TensorFlow cannot add a module's operations to the graph as 'module': "
    )
    assert message.endswith("or the module is damaged: then fetch it again.")


def test_a_call_without_functions(folder, tmp_path):
    copy = shutil.copytree(folder, tmp_path / "copy")
    with edited(copy) as meta_graph:
        for node in meta_graph.object_graph_def.nodes:
            if node.HasField("function"):
                del node.function.concrete_functions[:]
    with pytest.raises(errors.BrokenModuleError) as caught:
        Encoder(str(copy))({"text": tf.constant(TEXTS)}, "infer")
    assert str(caught.value).startswith(f"The SavedModel {copy} is damaged (")
