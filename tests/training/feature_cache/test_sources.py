"""Which inputs give outputs of encoders, when these are computed, and what of it is told."""

from __future__ import annotations

import errno
import os

import numpy as np
import pytest
import tensorflow as tf
from training_data import write_csv

import hub_estimator as hub
from hub_estimator import errors
from hub_estimator.training.feature_cache import FeatureCache, Sources, compute
from hub_estimator.training.feature_cache.store import Entry, Store
from hub_estimator.training.inputs.arrays import Arrays
from hub_estimator.training.inputs.text_file import TextFile
from hub_estimator.training.model.encoders import Encoder
from hub_estimator.training.model.heads import head_class

OUTPUT = "encoder_0/output_0"
ALL = "computed outputs of encoder 'module': 64 of 64"


@pytest.fixture
def training(make_model, examples, cache):
    """Returns the source of a training of ten steps; keyword arguments are those of the encoder."""

    def make(given=examples, model=None, checkpoint=None, steps=10, cache=cache, **encoder):
        model = model or make_model(encoder)
        sources = Sources(cache, model, model.example_spec(), checkpoint)
        return sources.training(given, steps)

    return make


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
        pass

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


def chance_fn():
    text = tf.compat.v1.placeholder(tf.string, [None], name="text")
    hub.add_signature(inputs={"text": text}, outputs=tf.random.uniform([tf.size(text), 3]))


def test_a_module_with_chance_runs_in_each_step(training, caplog):
    caplog.set_level("INFO", "hub_estimator")
    source = training(handle=hub.create_module_spec(chance_fn), export_name=None)
    assert set(source.spec.features) == {"text"}
    assert (
        "Encoder 'module' runs in each step: it gives other outputs each time." in caplog.messages
    )


def tokens_fn(is_masked=False):
    """Token ids `[B, T]` to `[B, T, 3]`, or their mean `[B, 3]` where the mask is 1."""
    ids = tf.compat.v1.placeholder(tf.int64, [None, None], name="ids")
    vectors = tf.stack([tf.cast(ids, tf.float32) + number for number in range(3)], axis=2)
    inputs = {"ids": ids}
    if is_masked:
        inputs["mask"] = tf.compat.v1.placeholder(tf.float32, [None, None], name="mask")
        weights = inputs["mask"][:, :, tf.newaxis]
        vectors = tf.reduce_sum(weights * vectors, 1) / tf.reduce_sum(weights, 1)
    hub.add_signature(inputs=inputs, outputs=vectors)


DEPENDS = "Encoder 'module' runs in each step: its outputs depend on the other examples of a batch."
# Only the last batch of four has rows of several lengths.
IDS = [[5, 0, 7]] * 8 + [[5, 6, 7], [5, 6, 0], [8], [9, 9, 9]]


def tokens(make_model, rows, is_masked):
    spec = hub.create_module_spec(lambda: tokens_fn(is_masked))
    changes = {"handle": spec, "export_name": None, "pool": None if is_masked else "mean"}
    names = {"ids": "ids", "mask": "mask"} if is_masked else {"ids": "ids"}
    given = {"ids": rows, "mask": [[1.0] * len(row) for row in rows]}
    model = make_model({**changes, "feature": names})
    labels = [0] * len(rows)
    return Arrays({name: given[name] for name in names}, labels, batch_size=4), model


@pytest.mark.parametrize(
    ("rows", "is_masked", "is_stored"),
    [(IDS, False, False), (IDS[::-1], False, False), (IDS[:8], False, True), (IDS, True, True)],
)
def test_a_mean_over_what_fills_a_batch_up(
    training, make_model, caplog, rows, is_masked, is_stored, cache
):
    caplog.set_level("INFO", "hub_estimator")
    given, model = tokens(make_model, rows, is_masked)
    source = training(given, model)
    assert (not source.spec.features) == is_stored
    assert (DEPENDS in caplog.messages) != is_stored
    assert len(cache.store.entries()) == is_stored


def centered_fn():
    text = tf.compat.v1.placeholder(tf.string, [None], name="text")
    numbers = tf.cast(tf.strings.to_hash_bucket_fast(text, 99), tf.float32)
    rows = tf.stack([numbers] * 3, axis=1)
    hub.add_signature(inputs={"text": text}, outputs=rows - tf.reduce_mean(rows, 0))


def test_statistics_of_a_batch(training, caplog):
    caplog.set_level("INFO", "hub_estimator")
    source = training(handle=hub.create_module_spec(centered_fn), export_name=None)
    assert set(source.spec.features) == {"text"} and caplog.messages[-1] == DEPENDS


def large_fn():
    text = tf.compat.v1.placeholder(tf.string, [None], name="text")
    large = tf.fill([2**40 * tf.size(text, tf.int64)], 1.0)
    hub.add_signature(inputs={"text": text}, outputs=tf.ones([tf.size(text), 3]) * large[:3])


def test_too_little_memory(training, caplog):
    caplog.set_level("INFO", "hub_estimator")
    source = training(handle=hub.create_module_spec(large_fn), export_name=None)
    assert set(source.spec.features) == {"text"}
    assert caplog.messages[-1] == (
        "Encoder 'module' runs in each step: there is too little memory to run it beforehand."
    )


def test_memory_for_one_batch_at_a_time(training, computed, monkeypatch):
    def too_much_at_once(self, entry, run=compute.Computation._compute):
        asked.append(self._workers)
        if self._workers > 1:
            raise tf.errors.ResourceExhaustedError(None, None, "OOM")
        run(self, entry)

    asked: list[int] = []
    monkeypatch.setattr(compute, "_cores", lambda: 4)
    monkeypatch.setattr(compute.Computation, "_compute", too_much_at_once)
    assert not training().spec.features and computed() == [ALL]
    assert asked == [4, 1]


class BatchSizes(Arrays):
    """Keeps the sizes of the batches that it is asked for."""

    asked: int = 0

    def rows_fn(self, spec, names, first, batch_size):
        self.asked = batch_size
        return super().rows_fn(spec, names, first, batch_size)


@pytest.mark.parametrize(
    ("dtype", "shape", "size"),
    [
        (tf.float32, [None, 512], 256),
        (tf.int64, [None], 256),
        (tf.int64, [None, 128], 2),
        (tf.int64, [None, None], 2),
        (tf.float32, [None, 4, 4, 3], 2),
    ],
)
def test_how_many_examples_run_at_once(training, make_model, dtype, shape, size):
    def module_fn():
        values = tf.compat.v1.placeholder(dtype, shape, name="values")
        rows = tf.reshape(tf.cast(values, tf.float32), [tf.shape(values)[0], -1])
        outputs = tf.ensure_shape(tf.tile(rows[:, :1], [1, 3]), [None, 3])
        hub.add_signature(inputs={"values": values}, outputs=outputs)

    model = make_model(
        {"handle": hub.create_module_spec(module_fn), "feature": "values", "export_name": None}
    )
    values = np.ones([6, *(each or 5 for each in shape[1:])], dtype.as_numpy_dtype)
    given = BatchSizes({"values": values}, [0, 1] * 3, batch_size=2)
    assert not training(given, model).spec.features
    assert given.asked == size


def length_fn():
    text = tf.compat.v1.placeholder(tf.string, [None], name="text")
    letters = tf.strings.unicode_decode(text, "UTF-8").to_tensor()  # takes longer for longer texts
    lengths = tf.reduce_sum(tf.cast(letters > 0, tf.float32), axis=1, keepdims=True)
    hub.add_signature(inputs={"text": text}, outputs=tf.ensure_shape(lengths, [None, 1]))


def test_batches_that_end_before_earlier_ones_stay_in_order(training, monkeypatch):
    monkeypatch.setattr(compute, "_cores", lambda: 4)
    # One batch of long texts, then some of short ones, and so on.
    lengths = np.where(np.arange(4096) // 256 % 4 == 0, 20_000, 1) + np.arange(4096) % 7
    texts = np.array(["a" * length for length in lengths], object)
    given = Arrays({"text": texts}, [0] * len(texts), batch_size=256)
    handle = hub.create_module_spec(length_fn)
    source = training(given, steps=17, handle=handle, export_name=None)
    dataset = source.input.evaluation_fn(source.spec)()
    batch = tf.compat.v1.data.make_one_shot_iterator(dataset).get_next()[0][OUTPUT]
    with tf.compat.v1.Session() as session:
        found = np.concatenate([session.run(batch) for _ in range(16)])
    assert np.array_equal(found[:, 0], lengths)


def one_row_fn():
    text = tf.compat.v1.placeholder(tf.string, [None], name="text")
    hub.add_signature(inputs={"text": text}, outputs=tf.ones([1, 3]))


def test_a_module_that_gives_too_few_outputs(training, caplog):
    caplog.set_level("INFO", "hub_estimator")
    source = training(handle=hub.create_module_spec(one_row_fn), export_name=None)
    assert set(source.spec.features) == {"text"}
    assert caplog.messages[-1] == (
        "Encoder 'module' runs in each step: it gives another number of outputs than there are "
        "examples."
    )


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

    written = Entry.write_shard
    monkeypatch.setattr(Entry, "write_shard", write)
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
