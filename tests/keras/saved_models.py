"""Small TF2 SavedModels for layers, and the Kerases that there are."""

from __future__ import annotations

import pathlib
from typing import Any

import numpy as np
import tensorflow as tf

from hub_estimator import compat

X = np.arange(6, dtype=np.float32).reshape([2, 3])
WORDS = ["a", "b", "c"]


def kerases() -> list[str]:
    """The names of the Kerases there are: modules of `hub_estimator.keras`."""
    return ["legacy"] if compat.ships_estimator() else ["keras_3", "legacy"]


def keras_of(name: str) -> Any:
    """The API of a Keras."""
    return compat.import_keras_3() if name == "keras_3" else compat.legacy_keras()


def set_policy(keras: Any, policy: Any) -> None:
    """Sets the policy of types for all layers that are made from now on."""
    if hasattr(keras, "config"):
        keras.config.set_dtype_policy(policy)
    else:
        keras.mixed_precision.set_global_policy(policy)


def numbers(folder: pathlib.Path) -> str:
    """Saves `x @ w + [training]`, where training counts its calls; returns the folder.

    It has all of the interface: `w` is trained and regularized, the count and words are not.
    """
    root: Any = tf.train.Checkpoint()
    root.w = tf.Variable(np.full([3, 2], 0.5, np.float32), name="linear/w")
    root.count = tf.Variable(0, name="count", trainable=False)
    root.words = tf.Variable(WORDS, name="words", trainable=False)
    root.variables = [root.count, root.w, root.words]
    root.trainable_variables = [root.w]

    @tf.function(input_signature=[tf.TensorSpec([None, 3], tf.float32), tf.TensorSpec([], tf.bool)])
    def call(x, training):
        root.count.assign_add(tf.cast(training, tf.int32))
        return x @ root.w + tf.cast(training, tf.float32)

    def default(x, training=False):
        return call(x, training)

    root.__call__ = tf.function(default)
    for training in (False, True):
        root.__call__.get_concrete_function(tf.TensorSpec([None, 3], tf.float32), training)
    root.regularization_losses = [
        tf.function(lambda: 0.1 * tf.reduce_sum(root.w**2), input_signature=[])
    ]

    @tf.function(input_signature=[tf.TensorSpec([None, 3], tf.float32, name="x")])
    def parts(x):
        return {"product": x @ root.w, "input": x}

    @tf.function(
        input_signature=[tf.TensorSpec([None, 3], name="x"), tf.TensorSpec([None, 1], name="y")]
    )
    def pair(x, y):
        return {"sum": x @ root.w + y}

    tf.saved_model.save(root, str(folder), signatures={"parts": parts, "pair": pair})
    return str(folder)


def text(folder: pathlib.Path) -> str:
    """Saves a text embedding, `[B]` strings to `[B, 2]`, with a table from a file of words."""
    words = folder.parent / f"{folder.name}-words.txt"
    words.write_text("\n".join(WORDS))
    root: Any = tf.train.Checkpoint()
    root.table = tf.lookup.StaticVocabularyTable(
        tf.lookup.TextFileInitializer(
            str(words),
            tf.string,
            tf.lookup.TextFileIndex.WHOLE_LINE,
            tf.int64,
            tf.lookup.TextFileIndex.LINE_NUMBER,
        ),
        num_oov_buckets=1,
    )
    root.vectors = tf.Variable(np.arange(8, dtype=np.float32).reshape([4, 2]), name="vectors")
    root.variables = root.trainable_variables = [root.vectors]
    root.__call__ = tf.function(
        lambda texts: tf.gather(root.vectors, root.table.lookup(texts)),
        input_signature=[tf.TensorSpec([None], tf.string)],
    )
    tf.saved_model.save(root, str(folder))
    words.unlink()
    return str(folder)


def nested(folder: pathlib.Path) -> str:
    """Saves a function of a dict with a ragged and a sparse input; it gives a dict."""
    root: Any = tf.train.Checkpoint()
    taken = {
        "ragged": tf.RaggedTensorSpec([None, None], tf.int64),
        "sparse": tf.SparseTensorSpec([None, 4], tf.float32),
        "dense": tf.TensorSpec([None, 2], tf.float32),
    }

    @tf.function(input_signature=[taken])
    def call(inputs):
        lengths = tf.cast(inputs["ragged"].row_lengths(), tf.float32)[:, tf.newaxis]
        summed = tf.sparse.reduce_sum(inputs["sparse"], axis=1, keepdims=True)
        return {
            "lengths": lengths,
            "sum": tf.ensure_shape(summed, [None, 1]),
            "ragged": inputs["ragged"],
            "sparse": inputs["sparse"],
            "dense": inputs["dense"],
        }

    root.__call__ = call
    tf.saved_model.save(root, str(folder))
    return str(folder)
