"""Which inputs give outputs of encoders, when these are computed, and what of it is told."""

from __future__ import annotations

import errno
import os

import numpy as np
import pytest
import tensorflow as tf

import hub_estimator as hub
from hub_estimator import errors
from hub_estimator.compat import head_class
from hub_estimator.training.feature_cache import FeatureCache
from hub_estimator.training.feature_cache.store import Store, StoredOutputs
from hub_estimator.training.inputs.text_file import TextFile
from hub_estimator.training.model.encoders import Encoder
from tests.training.training_data import write_csv

OUTPUT = "encoder_0/output_0"
ALL = "computed outputs of encoder 'module': 64 of 64"


def features(source, steps=1):
    """The features of the first batches of a training."""
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        dataset = source.input.training_fn(source.spec, 3, lambda: 0)()
        batch = tf.compat.v1.data.make_one_shot_iterator(dataset).get_next()[0]
        return [session.run(batch) for _ in range(steps)]


def encoded(encoder, texts, mode="train"):
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        output = encoder({"text": tf.constant(texts)}, mode).outputs[0]
        session.run(tf.compat.v1.global_variables_initializer())
        return session.run(output)


def test_batches_have_the_outputs_of_the_same_examples(training, make_model, examples, computed):
    source = training()
    assert not source.spec.features and computed() == [ALL]
    plain = features(training(cache=None), 10)
    for given, made in zip(plain, features(source, 10), strict=True):
        assert set(made) == {OUTPUT}
        encoder = make_model().encoders[0]
        assert np.array_equal(made[OUTPUT], encoded(encoder, given["text"]))


def test_other_heads_and_optimizers_share_them(training, make_model, computed):
    training()
    other = make_model(
        {"dropout": 0.5, "export_name": None},
        {"learning_rate": 0.01},
        head=head_class("RegressionHead")(),
        layers=None,
    )
    assert computed() == [ALL]
    assert set(features(training(model=other))[0]) == {OUTPUT}
    assert computed() == []


@pytest.mark.parametrize(
    "change", [{"output": "rows"}, {"tags": "train"}, {"feature": ["text", "text"]}]
)
def test_other_outputs_are_computed(training, computed, change):
    training()
    before = len(computed())
    source = training(**change)
    # Two uses of one feature have the same outputs, which are there already.
    assert len(computed()) == before - ("feature" in change)
    assert len(features(source)[0]) == 1 + ("feature" in change)


def test_a_changed_module_is_run_again(training, text_module, computed, tmp_path):
    module = tmp_path / "module"
    for scale in (1.0, 2.0):
        with tf.Graph().as_default(), tf.compat.v1.Session() as session:
            made = hub.Module(text_module)
            session.run(tf.compat.v1.global_variables_initializer())
            table = made.variable_map["embeddings"]
            session.run(tf.compat.v1.assign(table, scale * session.run(table)))
            if module.exists():
                module.rename(tmp_path / "old")
            made.export(str(module), session)
        source = training(handle=str(module))
        assert computed() == [ALL]
    assert np.array_equal(features(source)[0][OUTPUT], 2 * features(training())[0][OUTPUT])


def test_changed_data_is_run_again(training, data_file, computed, tmp_path):
    rows = [(f"text {number}", number % 2) for number in range(64)]
    path = write_csv(tmp_path / "rows.csv", rows)
    training(TextFile(path, batch_size=8))
    training(TextFile(path, batch_size=16))  # neither batches nor labels matter
    write_csv(path, [(text, 1 - label) for text, label in rows])
    training(TextFile(path, batch_size=8))
    assert computed() == [ALL]
    write_csv(path, [("text", 1), *rows[1:]])
    training(TextFile(path, batch_size=8))
    assert computed() == [ALL]


def test_one_frozen_encoder_of_two(training, make_model, text_module, computed):
    frozen, tuned = Encoder(text_module), Encoder(text_module, trainable=True)
    source = training(model=make_model(encoders=[tuned, frozen]))
    assert computed() == [ALL]
    (batch,) = features(source)
    assert set(batch) == {"text", "encoder_1/output_0"}
    assert np.array_equal(batch["encoder_1/output_0"], encoded(frozen, batch["text"]))


@pytest.mark.parametrize(
    "change",
    [{"trainable": True}, {"tags": {"train": "train"}}, {"steps": 8}, {"cache": None}],
)
def test_where_modules_run_in_each_step(training, computed, change, cache):
    source = training(**change)
    assert set(source.spec.features) == {"text"} and not computed()
    assert not os.path.exists(cache.folder)


def test_what_is_there_is_used_for_few_steps_too(training, computed):
    training()
    assert not training(steps=1).spec.features


def test_augmented_and_other_inputs_stay_as_they_are(training, data_file):
    class Augmented(TextFile):
        is_augmented = True

    given = Augmented(data_file, batch_size=8)
    assert training(given).input is given
    given = object()
    assert training(given).input is given


def test_a_model_of_another_kind_gets_its_features(training, make_model):
    class Special(type(make_model())):
        def represent(self, features, mode):
            return super().represent(features, mode)

    assert set(training(model=Special(**vars(make_model()))).spec.features) == {"text"}


def test_values_that_training_changed(training, text_module, computed, tmp_path):
    """A module that an earlier run in the folder trained has other outputs now."""
    paths = []
    for change in (0.0, 1.0):
        with tf.Graph().as_default(), tf.compat.v1.Session() as session:
            made = hub.Module(text_module, name="module")
            session.run(tf.compat.v1.global_variables_initializer())
            session.run(
                tf.compat.v1.assign_add(made.variable_map["embeddings"], [[change] * 4] * 16)
            )
            saver = tf.compat.v1.train.Saver()
            paths.append(saver.save(session, str(tmp_path / f"model-{change}")))
    assert not training(checkpoint=paths[0]).spec.features
    assert set(training(checkpoint=paths[1]).spec.features) == {"text"}


def parts_fn():
    text = tf.compat.v1.placeholder(tf.string, [None], name="text")
    with tf.compat.v1.variable_scope(
        "", partitioner=tf.compat.v1.fixed_size_partitioner(2), use_resource=False
    ):
        table = tf.compat.v1.get_variable("table", [4, 3])
    rows = tf.strings.to_hash_bucket_fast(text, 4)
    hub.add_signature(inputs={"text": text}, outputs=tf.gather(tf.convert_to_tensor(table), rows))


def test_values_of_a_partitioned_variable_that_training_changed(training, tmp_path):
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        made = hub.Module(hub.create_module_spec(parts_fn))
        session.run(tf.compat.v1.global_variables_initializer())
        made.export(str(tmp_path / "module"), session)
    module = str(tmp_path / "module")
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        hub.Module(module, name="module", trainable=True)
        other = tf.compat.v1.get_variable("other", [1])
        session.run(tf.compat.v1.global_variables_initializer())
        trained = tf.compat.v1.train.Saver().save(session, str(tmp_path / "trained"))
        frozen = tf.compat.v1.train.Saver([other]).save(session, str(tmp_path / "frozen"))
    assert set(training(checkpoint=trained, handle=module).spec.features) == {"text"}
    assert not training(checkpoint=frozen, handle=module).spec.features


def variable_fn():
    text = tf.compat.v1.placeholder(tf.string, [None], name="text")
    row = tf.compat.v1.get_variable("row", [1, 3])
    hub.add_signature(inputs={"text": text}, outputs=tf.tile(row, [tf.size(text), 1]))


def test_values_that_are_nowhere_stored(training, computed):
    source = training(handle=hub.create_module_spec(variable_fn), export_name=None)
    assert set(source.spec.features) == {"text"} and not computed()


def test_too_large(training, caplog, tmp_path):
    caplog.set_level("INFO", "hub_estimator")
    small = FeatureCache(tmp_path / "features", max_gigabytes=1e-6)
    assert set(training(cache=small).spec.features) == {"text"}
    assert caplog.messages[-1] == (
        "Encoder 'module' runs in each step: its outputs have 1.02e-06 GB, and "
        "FeatureCache.max_gigabytes is 1e-06."
    )


def test_a_folder_that_cannot_be_made(training, caplog, tmp_path):
    (tmp_path / "file").write_text("")
    source = training(cache=FeatureCache(tmp_path / "file" / "features"))
    assert set(source.spec.features) == {"text"}
    assert caplog.messages[-1].startswith(
        "Encoder 'module' runs in each step: the feature cache cannot be used ("
    )


def test_a_damaged_shard_is_computed_again(training, cache, computed):
    whole = features(training())[0][OUTPUT]
    (entry,) = cache.store.entries()
    with open(f"{entry.folder}/00000.npy", "r+b") as file:
        file.truncate(200)
    computed()
    assert np.array_equal(features(training())[0][OUTPUT], whole)
    assert computed() == [ALL]


def test_a_full_disk(training, cache, caplog, monkeypatch):
    def write(self, number, values):
        written(self, number, values)
        raise OSError(errno.ENOSPC, "No space left on device")

    written = StoredOutputs.write_shard
    monkeypatch.setattr(StoredOutputs, "write_shard", write)
    assert set(training().spec.features) == {"text"}
    assert caplog.messages[-1] == (
        "Encoder 'module' runs in each step: the feature cache cannot be used ([Errno 28] No space "
        "left on device)."
    )
    assert cache.store.entries() == []


def test_a_run_that_was_killed_before_it_said_complete(training, cache, computed):
    whole = features(training())[0][OUTPUT]
    (entry,) = cache.store.entries()
    os.remove(f"{entry.folder}/entry.json")
    computed()
    assert np.array_equal(features(training())[0][OUTPUT], whole)
    assert computed() == [ALL] and entry.is_complete


def test_the_users_cache_folder_is_the_default(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert FeatureCache().store == Store(f"{tmp_path}/hub_estimator/features", 10_000_000_000)


def test_wrong_settings():
    with pytest.raises(errors.ModelError) as caught:
        FeatureCache("gs://bucket/features")
    assert str(caught.value) == (
        "FeatureCache.folder is 'gs://bucket/features'; it must be a folder on this machine."
    )
    with pytest.raises(errors.ModelError) as caught:
        FeatureCache(max_gigabytes=-1)
    assert str(caught.value) == "FeatureCache.max_gigabytes is -1; it must be at least 0."
