"""Reading, decoding and resizing a folder of JPEG files: images per second of processor time.

Ours is what training and evaluation read, `training.ImageFolder`; the other is
`tf.keras.utils.image_dataset_from_directory`. Both resize to 224 pixels; ours averages the pixels
that one stands for, as modules expect it, the other picks among them.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time

import numpy as np
import tensorflow as tf

from benchmarks.programs import common

IMAGES, CLASSES, BATCH, SIZE, LARGE = 400, 4, 32, 224, (375, 500)
READERS = ("hub_estimator", "keras")


def write_images(folder: str, count: int) -> None:
    """Writes JPEG files as large as most of ImageNet's, smooth as photographs are."""
    random = np.random.RandomState(1)
    for number in range(count):
        coarse = random.randint(0, 256, [1, 12, 16, 3])
        pixels = tf.image.resize(coarse, LARGE, "bicubic")[0] + random.normal(0, 4, [*LARGE, 3])
        path = os.path.join(folder, str(number % CLASSES), f"{number:03}.jpg")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        tf.io.write_file(path, tf.io.encode_jpeg(tf.saturate_cast(pixels, tf.uint8)))


def dataset(reader: str, folder: str) -> tf.data.Dataset:
    """Returns batches of images and their classes, each image once, in order."""
    if reader == "keras":
        return tf.keras.utils.image_dataset_from_directory(
            folder, image_size=(SIZE, SIZE), batch_size=BATCH, shuffle=False
        )
    from hub_estimator import training
    from hub_estimator.training import example_spec
    from hub_estimator.training.labels.one_class import OneClass

    spec = example_spec.ExampleSpec(
        {"image": tf.TensorSpec([None, SIZE, SIZE, 3], tf.float32)}, OneClass(CLASSES)
    )
    return training.ImageFolder(folder, batch_size=BATCH).evaluation_fn(spec)()


def measure(reader: str, count: int = IMAGES) -> dict[str, float]:
    """Returns how many images one core reads in a second, but for the first batches."""
    with tempfile.TemporaryDirectory() as folder:
        write_images(folder, count)
        batches = dataset(reader, folder)
        for _ in batches.take(1):  # what is made once
            pass
        start = time.process_time()
        seen = sum(len(images) for images in (_images(batch) for batch in batches))
        return {"images_per_second": seen / (time.process_time() - start)}


def _images(batch: tuple) -> tf.Tensor:
    images, _ = batch
    return images["image"] if isinstance(images, dict) else images


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--reader", required=True, choices=READERS)
    common.report(**measure(parser.parse_args().reader))


if __name__ == "__main__":
    main()
