"""Small modules of which a part comes before all that is trained."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

import hub_estimator as hub

tf1 = tf.compat.v1
WORDS, WIDTH = ("good", "bad", "fine", "poor", "and", "what"), 4


def words_fn() -> None:
    """Texts `[B]` to the mean of their words' vectors, `[B, 4]`; zeros for texts without words."""
    text = tf1.placeholder(tf.string, [None], name="text")
    keys = tf.lookup.KeyValueTensorInitializer(WORDS, np.arange(len(WORDS)), tf.string, tf.int64)
    table = tf.lookup.StaticVocabularyTable(keys, num_oov_buckets=3)
    words = tf1.string_split(text)
    ids = tf.SparseTensor(words.indices, table.lookup(words.values), words.dense_shape)
    vectors = tf1.get_variable(
        "vectors",
        [len(WORDS) + 3, WIDTH],
        initializer=tf1.random_uniform_initializer(-1, 1, seed=1),
    )
    means = tf.nn.safe_embedding_lookup_sparse(vectors, ids, combiner="mean")
    hub.add_signature(inputs={"text": text}, outputs=tf.ensure_shape(means, [None, WIDTH]))


def layers_fn(is_training: bool = False, tokens: int | None = None) -> None:
    """Ids `[B, T]`, 0 where they are filled up, through three layers `[B, T, 4]` to a mean `[B, 4]`.

    Each token is mixed with the mean of all; the train variant drops before the first layer.
    """
    ids = tf1.placeholder(tf.int64, [None, tokens], name="ids")
    mask = 1 - tf.cast(tf.equal(ids, 0), tf.float32)[:, :, tf.newaxis]
    values = tf.gather(variable("table", [9, WIDTH], 7), ids % 9)
    outputs = {"layer_0": values}
    if is_training:
        values = tf.nn.dropout(values, rate=0.5, seed=3)
    for number in range(1, 4):
        mean = _mean(values, mask)[:, tf.newaxis]
        kernel = variable(f"layer_{number}/kernel", [WIDTH, WIDTH], number)
        values = tf.tanh(tf.einsum("btd,de->bte", values + mean, kernel))
        outputs[f"layer_{number}"] = values
    hub.add_signature(inputs={"ids": ids}, outputs={"default": _mean(values, mask), **outputs})


def _mean(values: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
    return tf.reduce_sum(mask * values, 1) / tf.maximum(tf.reduce_sum(mask, 1), 1)


def variable(name: str, shape: list[int], seed: int) -> tf.Tensor:
    initializer = tf1.random_uniform_initializer(-1, 1, seed=seed)
    return tf.convert_to_tensor(tf1.get_variable(name, shape, initializer=initializer))


TRAIN = ((set(), {}), ({"train"}, {"is_training": True}))
