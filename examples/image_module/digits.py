"""Real images: 1,797 handwritten digits of 8 x 8 pixels, which scikit-learn carries.

They are cut into three parts in the order of the data set. Digits of one hand follow one another:
a shuffled cut would put nearly the same image into two parts, and evaluation would flatter. Of the
first part only the digits 0 to 4 are taken, so that a model of all ten needs more than the module
has learned, as it is where modules are used again.
"""

from __future__ import annotations

import logging
import os
from typing import NamedTuple

import numpy as np

from examples.requirements import check_installed
from hub_estimator import files

SIZE = 8  # pixels
NUM_CLASSES = 10
PRETRAIN, TRAIN = 899, 449  # images; what remains, 449, is held out
PRETRAIN_CLASSES = 5

_logger = logging.getLogger("hub_estimator")  # shown like the package's own log


class Digits(NamedTuple):
    """Images and what they show.

    Attributes:
      images: float32 `[N, 8, 8, 1]` in [0, 1].
      labels: int64 `[N]`, 0 to 9.
    """

    images: np.ndarray
    labels: np.ndarray


class Parts(NamedTuple):
    """The data set, cut; no image is in two parts.

    Attributes:
      pretrain: what the module learns from: 0 to 4 only.
      train: what models that use the module learn from.
      test: held out from both.
    """

    pretrain: Digits
    train: Digits
    test: Digits


def load() -> Parts:
    """Loads the digits.

    Raises:
      requirements.NotInstalledError: scikit-learn is not installed.
    """
    check_installed("sklearn", "scikit-learn", "The digits come with")
    from sklearn.datasets import load_digits

    found = load_digits()
    # Pixels are 0 to 16; as 0 to 255 they are what a PNG file of them holds.
    pixels = np.round(found.images * (255 / 16)).astype(np.uint8)[..., np.newaxis]
    images, labels = pixels.astype(np.float32) / 255, found.target.astype(np.int64)
    cuts = (slice(PRETRAIN), slice(PRETRAIN, PRETRAIN + TRAIN), slice(PRETRAIN + TRAIN, None))
    first, train, test = (Digits(images[cut], labels[cut]) for cut in cuts)
    known = first.labels < PRETRAIN_CLASSES
    return Parts(Digits(first.images[known], first.labels[known]), train, test)


def write_folders(folder: files.PathLike) -> str:
    """Writes what the module does not learn from as `train/<digit>/*.png` and `test/<digit>/*.png`.

    Both or neither; a folder that has both is left as it is.

    Args:
      folder: where they go.

    Returns:
      The folder's path.

    Raises:
      requirements.NotInstalledError: scikit-learn is not installed.
    """
    folder = files.as_path(folder)
    if all(files.exists(files.join(folder, name)) for name in ("train", "test")):
        _logger.info("The images are in %s already.", folder)
        return folder
    parts = load()
    with files.whole_folder(folder, last="test") as scratch:
        for name in ("train", "test"):
            _write_classes(files.join(scratch, name), getattr(parts, name))
    given = (len(parts.train.labels), len(parts.test.labels), folder)
    _logger.info("Wrote %d images to train on and %d held-out ones to %s.", *given)
    return folder


def _write_classes(folder: str, digits: Digits) -> None:
    for label in range(NUM_CLASSES):
        files.make_folder(files.join(folder, str(label)))
    for number, (content, label) in enumerate(zip(_as_png(digits), digits.labels, strict=True)):
        files.write_bytes(os.path.join(folder, str(label), f"{number:04d}.png"), content)


def _as_png(digits: Digits) -> list[bytes]:
    import tensorflow as tf

    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        pixels = tf.compat.v1.placeholder(tf.uint8, [SIZE, SIZE, 1])
        png = tf.io.encode_png(pixels)
        values = np.round(digits.images * 255).astype(np.uint8)
        return [session.run(png, {pixels: value}) for value in values]
