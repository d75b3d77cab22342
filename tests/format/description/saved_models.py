"""TF2 and TF1 SavedModels, modules and checkpoints that the tests of descriptions look at."""

from __future__ import annotations

import os
from typing import Any

import tensorflow as tf

import hub_estimator as hub
from tests import modules
from tests.modules import tf1

GOLDENS = os.path.join(os.path.dirname(__file__), "..", "..", "goldens")


def golden(name: str) -> str:
    """Returns the path of a module that an earlier release wrote."""
    return os.path.join(GOLDENS, name, "module")


class Words(tf.Module):
    """Texts to vectors, with all that the reusable interface has."""

    def __init__(self, vocabulary: str, bias: float = 1.0) -> None:
        super().__init__()
        self.table = tf.lookup.StaticHashTable(
            tf.lookup.TextFileInitializer(
                vocabulary, tf.string, 0, tf.int64, tf.lookup.TextFileIndex.LINE_NUMBER
            ),
            0,
        )
        self.seen = tf.lookup.experimental.MutableHashTable(tf.string, tf.int64, -1)
        self.embeddings = tf.Variable(tf.ones([3, 4]), name="w")
        self.bias = tf.Variable(tf.fill([4], bias), name="w")
        self.scale = tf.Variable(2.0, name="scale")
        self.regularization_losses = [tf.function(lambda: self.scale + 1.0, input_signature=[])]

    @tf.function(input_signature=[[tf.TensorSpec([None], tf.string)], tf.TensorSpec([], tf.bool)])
    def split(self, segments: list[tf.Tensor], flag: tf.Tensor) -> dict[str, Any]:
        return {"pieces": tf.strings.split(segments[0]), "flag": flag}

    @tf.function
    def __call__(self, inputs: tf.Tensor, training: bool = False) -> tf.Tensor:
        rows = tf.gather(self.embeddings, self.table.lookup(inputs)) * self.scale + self.bias
        return 2 * rows if training else rows


def save_words(folder: Any, name: str = "words", bias: float = 1.0) -> str:
    """Writes a SavedModel of `Words`; returns its path."""
    path = os.path.join(str(folder), name)

    def make() -> None:
        made = Words(modules.write_lines(str(folder), "vocabulary.txt", ["a", "b", "c"]), bias)
        texts = tf.TensorSpec([None], tf.string)
        made.__call__.get_concrete_function(texts, training=True)
        made.__call__.get_concrete_function(texts, training=False)
        signature = tf.function(lambda words: {"vectors": made(words)}, input_signature=[texts])
        tf.saved_model.save(made, path, signatures={"words": signature})

    modules.in_thread(make)
    return path


def save(path: Any, **attributes: Any) -> str:
    """Writes a SavedModel of an object with attributes, which callables make; returns its path."""

    def make() -> None:
        made = tf.train.Checkpoint()
        for name, attribute in attributes.items():
            setattr(made, name, attribute(made))
        tf.saved_model.save(made, str(path))

    modules.in_thread(make)
    return str(path)


def save_tf1(folder: Any) -> str:
    """Writes a TF1 SavedModel, and a checkpoint of the same graph beside it; returns its path."""
    words = modules.write_lines(str(folder), "words.txt", ["a", "b", "c"])
    path = os.path.join(str(folder), "tf1")
    with tf.Graph().as_default(), tf1.Session() as session:
        texts = tf1.placeholder(tf.string, [None], "texts")
        asset = tf.constant(words)
        tf1.add_to_collection(tf1.GraphKeys.ASSET_FILEPATHS, asset)
        table = tf.lookup.StaticHashTable(
            tf.lookup.TextFileInitializer(
                asset, tf.string, 0, tf.int64, tf.lookup.TextFileIndex.LINE_NUMBER
            ),
            0,
        )
        weight = tf1.get_variable("encoder/w", [4, 3])
        bias = tf1.get_variable("encoder/b", [3], use_resource=False, trainable=False)
        tf1.train.get_or_create_global_step()
        outputs = tf.nn.embedding_lookup(weight, table.lookup(texts)) + bias
        modules.initialize(session)
        builder = tf1.saved_model.Builder(path)
        builder.add_meta_graph_and_variables(
            session,
            ["serve"],
            {
                "serving_default": tf1.saved_model.predict_signature_def(
                    {"x": texts}, {"y": outputs}
                )
            },
            assets_collection=[asset],
            main_op=tf1.tables_initializer(),
        )
        builder.save()
        tf1.train.Saver().save(session, os.path.join(str(folder), "model.ckpt"), global_step=7)
    return path


def export_images(path: Any, size: tuple[int, int] | None, side: int | None, name: str) -> str:
    """Writes a module that takes images; `size` is attached, `side` is in the shape of its input."""

    def module_fn() -> None:
        images = tf1.placeholder(tf.float32, [None, side, side, 3])
        features = tf.reduce_mean(images, [1, 2])
        features.set_shape([None, 3])
        for signature in ("default", name):
            hub.add_signature(signature, inputs={"images": images}, outputs=features)
        if size is not None:
            info = hub.ImageModuleInfo()
            info.default_image_size.height, info.default_image_size.width = size
            hub.attach_image_module_info(info)

    return modules.export(hub, hub.create_module_spec(module_fn), str(path))
