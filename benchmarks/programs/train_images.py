"""Ten epochs of a classifier on a frozen image module: wall time with everything.

Both train a layer of logits with Adagrad on the same 500 images, PNG files in a folder for each
class, and evaluate it once at the end, on the same images. Ours is the loop of the package; the peer
is an Estimator on its `Module`, fed by `tf.data`, which decodes the files in parallel.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

import hub_estimator
from benchmarks.programs import common

tf1 = tf.compat.v1
IMAGES, EPOCHS, BATCH, CLASSES, LEARNING_RATE = 500, 10, 32, 5, 0.01


def write_images(folder: str, size: Sequence[int], count: int) -> None:
    """Writes images of noise, `[height, width]`, a folder for each class."""
    random = np.random.RandomState(1)
    with tf.Graph().as_default(), tf1.Session() as session:
        pixels = tf1.placeholder(tf.uint8, [*size, 3])
        encoded = tf.io.encode_png(pixels)
        for number in range(count):
            path = os.path.join(folder, str(number % CLASSES), f"{number:03}.png")
            os.makedirs(os.path.dirname(path), exist_ok=True)
            noise = random.randint(0, 256, [*size, 3], np.uint8)
            with open(path, "wb") as file:
                file.write(session.run(encoded, {pixels: noise}))


def measure(library: Any, module: str, count: int = IMAGES) -> dict[str, float]:
    """Returns the seconds that training on so many images takes."""
    train = train_ours if library is hub_estimator else train_peer
    steps = -(-count * EPOCHS // BATCH)
    size = library.get_expected_image_size(library.load_module_spec(module))
    clock = common.Clock()
    with tempfile.TemporaryDirectory() as folder:
        images = os.path.join(folder, "images")
        write_images(images, size, count)
        with clock("seconds"):
            train(module, images, folder, steps)
    return clock.seconds


def experiment(module: str, images: str, folder: str, steps: int) -> Any:
    """Returns what ours trains; what is computed once is kept in a folder, where nothing is yet."""
    from hub_estimator import training

    hub_estimator.compat.install()
    given = training.ImageFolder(images, feature="images", batch_size=BATCH)
    return training.Experiment(
        training.Model(
            encoders=[training.Encoder(module, feature="images")],
            head=training.MultiClassHead(CLASSES),
            optimization=training.Optimization(tf1.train.AdagradOptimizer, LEARNING_RATE),
        ),
        train_input=given,
        eval_input=given,
        max_steps=steps,
        eval_every_steps=steps,
        feature_cache=training.FeatureCache(os.path.join(folder, "features")),
    )


def train_ours(module: str, images: str, folder: str, steps: int) -> None:
    from hub_estimator import training

    made = experiment(module, images, folder, steps)
    training.train_and_evaluate(made, os.path.join(folder, "model"))


def train_peer(module: str, images: str, folder: str, steps: int) -> None:
    import tensorflow_hub

    def model_fn(features: Any, labels: Any, mode: str) -> Any:
        made = tensorflow_hub.Module(module)
        logits = tf1.layers.dense(made(features), CLASSES)
        loss = tf1.losses.sparse_softmax_cross_entropy(labels, logits)
        optimizer = tf1.train.AdagradOptimizer(LEARNING_RATE)
        return tf1.estimator.EstimatorSpec(
            mode,
            loss=loss,
            train_op=optimizer.minimize(loss, tf1.train.get_or_create_global_step()),
            eval_metric_ops={"accuracy": tf1.metrics.accuracy(labels, tf.argmax(logits, 1))},
        )

    size = tensorflow_hub.get_expected_image_size(tensorflow_hub.load_module_spec(module))
    estimator = tf1.estimator.Estimator(model_fn, os.path.join(folder, "model"))
    estimator.train(lambda: _batches(images, size).repeat().prefetch(2), max_steps=steps)
    estimator.evaluate(lambda: _batches(images, size).prefetch(2))


def _batches(images: str, size: list[int]) -> Any:
    def load(path: Any) -> tuple[Any, Any]:
        image = tf.image.decode_png(tf.io.read_file(path), 3)
        image = tf.image.resize(tf.image.convert_image_dtype(image, tf.float32), size)
        label = tf.strings.to_number(tf.strings.split([path], os.sep).values[-2], tf.int64)
        return tf.ensure_shape(image, [*size, 3]), label

    dataset = tf.data.Dataset.list_files(os.path.join(images, "*", "*.png"), seed=1)
    return dataset.map(load, num_parallel_calls=tf.data.AUTOTUNE).batch(BATCH)


def main() -> None:
    arguments = common.parser(__doc__).parse_args()
    common.report(**measure(common.load(arguments.library), arguments.module))


if __name__ == "__main__":
    main()
