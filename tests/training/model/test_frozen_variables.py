"""Checkpoints without the variables of frozen modules: smaller, and the same in all else."""

from __future__ import annotations

import os
import shutil
from concurrent import futures

import numpy as np
import pytest
import tensorflow as tf

import hub_estimator as hub
from hub_estimator import estimator
from hub_estimator.training.feature_cache.checkpoints import changed_variables
from hub_estimator.training.model.encoders import Encoder
from hub_estimator.training.model.frozen_variables import frozen_variables, scaffold
from hub_estimator.training.serving import ServingInput
from tests.training.training_data import TWO_CLASSES

serving = ServingInput(TWO_CLASSES)


@pytest.fixture
def train(make_model, examples, tmp_path):
    """Trains a model with and without frozen variables in its checkpoints; gives the Estimator."""

    def train(save_frozen, *steps, keep=5, **changes):
        model = make_model(save_frozen=save_frozen, **changes)
        config = estimator.RunConfig(
            str(tmp_path / f"saved_{save_frozen}"), tf_random_seed=1, keep_checkpoint_max=keep
        )
        for step in steps:
            # A new one for each part, as a new process has.
            made = estimator.Estimator(model.model_fn, config=config, params={})
            start = made.latest_checkpoint() and int(made.get_variable_value("global_step")) or 0
            input_fn = examples.training_fn(TWO_CLASSES, 1, lambda start=start: start)
            made.train(input_fn, max_steps=step)
        return made

    return train


def variables(made):
    return {name: made.get_variable_value(name) for name in made.get_variable_names()}


def assert_same(first, second):
    assert sorted(first) == sorted(second)
    for name, value in first.items():
        np.testing.assert_array_equal(value, second[name])


@pytest.mark.parametrize("optimization", [{}, {"average_decay": 0.5}], ids=["plain", "averages"])
def test_only_the_checkpoint_differs(train, examples, tmp_path, optimization):
    whole = train(True, 2, 4, optimization=optimization)
    small = train(False, 2, 4, optimization=optimization)
    found, expected = variables(small), variables(whole)
    frozen = expected.pop("module/embeddings")
    assert_same(found, expected)
    evaluation = examples.evaluation_fn(TWO_CLASSES)
    assert small.evaluate(evaluation) == whole.evaluate(evaluation)
    predictions = [
        [each["logits"] for each in made.predict(lambda: evaluation().map(lambda x, _: x))]
        for made in (small, whole)
    ]
    np.testing.assert_array_equal(*predictions)
    exporter = hub.LatestModuleExporter("module", serving)
    exported = exporter.export(small, str(tmp_path / "export"))
    reader = tf.train.load_checkpoint(os.path.join(exported, "text", "variables", "variables"))
    np.testing.assert_array_equal(reader.get_tensor("embeddings"), frozen)


def test_a_servable_has_the_frozen_variables(train, text_module, tmp_path):
    handle = str(tmp_path / "handle")
    shutil.copytree(text_module, handle)
    made = train(False, 2, encoder={"handle": handle})
    expected = next(
        made.predict(lambda: tf.data.Dataset.from_tensors({"text": tf.constant(["good"])}))
    )
    path = made.export_saved_model(str(tmp_path / "servables"), serving)
    shutil.rmtree(handle)

    def serve():  # where TensorFlow executes eagerly
        call = tf.saved_model.load(os.fsdecode(path)).signatures["predict"]
        return call(text=tf.constant(["good"]))["logits"].numpy()

    with futures.ThreadPoolExecutor(1) as pool:
        [logits] = pool.submit(serve).result()
    np.testing.assert_allclose(logits, expected["logits"], rtol=1e-6)


def test_a_whole_checkpoint_goes_on_without_frozen_variables(train, tmp_path):
    whole = variables(train(True, 4))
    train(True, 2)
    os.rename(tmp_path / "saved_True", tmp_path / "first")
    train(True, 2)
    os.rename(tmp_path / "saved_True", tmp_path / "saved_False")
    found = variables(train(False, 4))
    del whole["module/embeddings"]
    assert_same(found, whole)


def test_the_feature_cache_goes_on_where_a_checkpoint_lacks_them(train, text_module):
    checkpoint = train(False, 1).latest_checkpoint()
    encoder = Encoder(text_module, export_name="text")
    assert changed_variables([encoder], "train", checkpoint) == [()]


def test_the_number_of_checkpoints(train):
    made = train(False, 1, 2, 3, keep=2)
    names = [name for name in os.listdir(made.model_dir) if name.endswith(".index")]
    assert sorted(names) == ["model.ckpt-2.index", "model.ckpt-3.index"]
    state = tf.train.get_checkpoint_state(made.model_dir)
    assert state.all_model_checkpoint_paths[-1] == made.latest_checkpoint()
    with open(os.path.join(made.model_dir, "checkpoint"), encoding="utf-8") as file:
        assert 'model_checkpoint_path: "model.ckpt-3"' in file.read()


@pytest.mark.parametrize("trainable", [True, "embeddings"])
def test_trained_modules_are_saved(train, trainable):
    made = train(False, 1, encoder={"trainable": trainable})
    assert "module/embeddings" in made.get_variable_names()


def test_a_module_that_is_not_on_disk_is_saved(train):
    def module_fn():
        text = tf.compat.v1.placeholder(tf.string, [None])
        rows = tf.compat.v1.get_variable("rows", [9, 4])
        ids = tf.strings.to_hash_bucket_fast(text, 9)
        hub.add_signature(inputs={"text": text}, outputs=tf.nn.embedding_lookup(rows, ids))

    made = train(False, 1, encoder={"handle": hub.create_module_spec(module_fn)})
    assert "module/rows" in made.get_variable_names()


def test_which_variables_are_frozen(text_module):
    hub.Module(text_module, name="a")
    hub.Module(text_module, name="b", trainable=True)
    hub.Module(text_module, name="c")
    assert [variable.op.name for variable in frozen_variables()] == ["a/embeddings", "c/embeddings"]


def test_without_frozen_variables_nothing_is_special(text_module):
    hub.Module(text_module, trainable=True)
    assert scaffold("train") is None
