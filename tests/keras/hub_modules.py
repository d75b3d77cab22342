"""A TF1 Hub module of texts with all that layers train: variables, losses, updates, a table."""

from __future__ import annotations

import pathlib

import tensorflow as tf

import hub_estimator as hub
from tests import modules
from tests.modules import TRAIN, tf1

WORDS = ["a", "b", "c"]
VECTORS = [[0.1, 0.2], [0.3, 0.4], [0.5, 0.6], [0.7, 0.8]]


def texts(folder: pathlib.Path) -> str:
    """Exports a module of texts `[B]` to `[B, 2]` and returns its folder.

    Its train variant adds one, counts its calls in an update operation, and has a loss that depends on
    its inputs: the count of texts divided by a thousand.
    """
    folder.mkdir()
    words = modules.write_lines(str(folder), "words.txt", WORDS)

    def module_fn(is_training=False):
        given = tf1.placeholder(tf.string, [None])
        table = tf1.lookup.StaticVocabularyTable(
            tf.lookup.TextFileInitializer(
                words,
                tf.string,
                tf.lookup.TextFileIndex.WHOLE_LINE,
                tf.int64,
                tf.lookup.TextFileIndex.LINE_NUMBER,
            ),
            1,
        )
        vectors = modules.variable(
            "embedding/vectors",
            [4, 2],
            regularizer=lambda value: 0.1 * tf.reduce_sum(value**2),
            use_resource=False,
        )
        bias = tf1.get_variable("bias", [2], initializer=tf1.zeros_initializer())
        calls = tf1.get_variable(
            "calls", [], tf.int32, tf1.zeros_initializer(), trainable=False, use_resource=False
        )
        tf1.get_variable("words", initializer=tf.constant(WORDS), trainable=False)
        embedded = tf.gather(vectors, table.lookup(given)) + bias
        if is_training:
            embedded += 1.0
            tf1.add_to_collection(tf1.GraphKeys.UPDATE_OPS, tf1.assign_add(calls, 1))
            size = tf.cast(tf.size(given), tf.float32)
            tf1.add_to_collection(tf1.GraphKeys.REGULARIZATION_LOSSES, size / 1000)
        hub.add_signature(inputs=given, outputs={"default": embedded, "calls": calls})
        scale = tf1.placeholder(tf.float32, [])
        hub.add_signature(
            "scaled", {"texts": given, "scale": scale}, {"scaled": embedded * scale, "sum": scale}
        )

    spec = hub.create_module_spec(module_fn, [(set(), {}), (TRAIN, {"is_training": True})])
    path = modules.export(hub, spec, str(folder / "module"), tags=TRAIN)
    pathlib.Path(words).unlink()
    return path


def numbers(folder: pathlib.Path) -> str:
    """Exports a module of `x @ w`, whose train variant keeps a mean of what it gives."""
    folder.mkdir()

    def module_fn(is_training=False):
        given = tf1.placeholder(tf.float32, [None, 3])
        product = given @ modules.variable("w", [3, 2], use_resource=False)
        mean = tf1.get_variable(
            "mean", [2], initializer=tf1.zeros_initializer(), trainable=False, use_resource=False
        )
        if is_training:
            update = tf1.assign(mean, 0.9 * mean + 0.1 * tf.reduce_mean(product, axis=0))
            tf1.add_to_collection(tf1.GraphKeys.UPDATE_OPS, update)
        hub.add_signature(inputs=given, outputs=product)

    spec = hub.create_module_spec(module_fn, [(set(), {}), (TRAIN, {"is_training": True})])
    return modules.export(hub, spec, str(folder / "module"), tags=TRAIN)
