"""How outputs are computed beforehand, and which cannot be."""

from __future__ import annotations

import os

import numpy as np
import pytest
import tensorflow as tf

import hub_estimator as hub
from hub_estimator.training.feature_cache import compute
from hub_estimator.training.inputs.arrays import Arrays

OUTPUT = "encoder_0/output_0"
ALL = "computed outputs of encoder 'module': 64 of 64"


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


def test_rows_of_one_length_that_end_with_zeros(training, make_model, cache):
    rows = np.array([[5, 6, 7], [5, 6, 0], [8, 0, 0], [9, 9, 9]])
    given, model = tokens(make_model, rows, is_masked=False)
    assert not training(given, model, steps=2).spec.features and len(cache.store.entries()) == 1


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
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(4)))
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
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(4)))
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
