"""The images of the worst mistakes, as the model takes them, as small PNG files."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from hub_estimator import errors
from hub_estimator.training import images, parsing
from hub_estimator.training.inputs import batches
from hub_estimator.training.inputs.base import InputFn
from hub_estimator.training.inputs.failures import clear_errors, reason
from hub_estimator.training.running.trained_model import TrainedModel

MOST = 20
"""Of how many mistakes the images are shown."""

_LONGEST_SIDE = 128  # pixels; a PNG has at most 66 KB then

_logger = logging.getLogger("hub_estimator")

# The images of one example, by feature name: `[H, W, C]`.
_Example = Mapping[str, np.ndarray]


def draw(trained: TrainedModel, input_fn: InputFn, rows: Sequence[int]) -> dict[int, list[bytes]]:
    """Returns the images of some examples.

    Args:
      trained: the model, which says what is an image.
      input_fn: gives the examples.
      rows: which of them, from 0.

    Returns:
      PNG files for each row, one of each feature that is an image; nothing where none is, or where
      the data cannot be read any more.
    """
    names = [name for name, spec in trained.spec.features.items() if _is_image(spec)]
    if not names or not rows:
        return {}
    try:
        with clear_errors(), _session() as session:
            encode = _encoder(session)
            found = _examples(trained, input_fn, names, rows)
            return {row: [encode(example[name]) for name in names] for row, example in found}
    except (errors.Error, OSError) as error:
        _logger.warning("The report does not show the images of the worst mistakes: %s", error)
    except tf.errors.OpError as error:
        _logger.warning(
            "The report does not show the images of the worst mistakes: %s.", reason(error)
        )
    return {}


def _is_image(spec: tf.TensorSpec) -> bool:
    """Whether a feature is a batch of images, in real numbers of 0 to 1 or in bytes."""
    is_shown = spec.shape.rank == 4 and spec.shape[3] in images.CHANNELS
    return is_shown and (parsing.is_image(spec) or spec.dtype == tf.uint8)


def _examples(
    trained: TrainedModel, input_fn: InputFn, names: Sequence[str], rows: Sequence[int]
) -> Iterator[tuple[int, _Example]]:
    """Yields the images of each row; of what is in memory only these are decoded."""
    source = trained.eval_input
    if hasattr(source, "rows_fn"):
        for row in rows:
            alone = source.rows_fn(trained.spec, names, row, 1)
            yield row, _rows(alone, names, [0])[0]
        return
    wanted = sorted(rows)
    yield from zip(wanted, _rows(input_fn, names, wanted), strict=False)


def _rows(input_fn: InputFn, names: Sequence[str], wanted: Sequence[int]) -> list[_Example]:
    """Returns the images of rows in ascending order; of what is before them nothing is held."""
    found: list[_Example] = []
    first = 0
    with _session() as session:
        with session.graph.as_default():
            examples = batches.of(input_fn)
            features = examples.next[0] if isinstance(examples.next, tuple) else examples.next
            chosen = {name: features[name] for name in names}
            tables = tf.compat.v1.tables_initializer()
        session.run(tables)
        examples.begin(session)
        while len(found) < len(wanted):
            batch = session.run(chosen)
            size = len(batch[names[0]])
            found += [
                {name: column[row - first] for name, column in batch.items()}
                for row in wanted
                if first <= row < first + size
            ]
            first += size
    return found


@contextlib.contextmanager
def _session() -> Iterator[tf.compat.v1.Session]:
    """Gives a session of a new graph, neither of which is the default one."""
    session = tf.compat.v1.Session(graph=tf.Graph())
    try:
        yield session
    finally:
        session.close()


def _encoder(session: tf.compat.v1.Session) -> Callable[[np.ndarray], bytes]:
    """Returns what makes a small PNG file of an image."""
    with session.graph.as_default():
        given = tf.compat.v1.placeholder(tf.float32, [None, None, None])
        size = tf.cast(tf.shape(given)[:2], tf.float32)
        scale = tf.minimum(1.0, _LONGEST_SIDE / tf.reduce_max(size))
        wanted = tf.cast(tf.maximum(1.0, scale * size), tf.int32)
        smaller = tf.image.resize(given, wanted, antialias=True)
        whole = tf.cast(tf.round(tf.clip_by_value(smaller, 0.0, images.WHITE)), tf.uint8)
        png = tf.io.encode_png(whole)

    def encode(image: np.ndarray) -> bytes:
        values: Any = image if image.dtype == np.uint8 else images.WHITE * image.astype(np.float32)
        return bytes(session.run(png, {given: values}))

    return encode
