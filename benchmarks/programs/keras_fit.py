"""Training a Keras model on a text module: steps per second of `model.fit`.

Both train layers of 500 and 100 units and the module with Adagrad on batches of 128 reviews. Ours
is `hub.KerasLayer` on the TF1 module, the peer's on what `convert` makes of that for TensorFlow 2:
it cannot train the module itself.
"""

from __future__ import annotations

import csv
import os
import time
from typing import Any

from benchmarks.programs import common

UNITS, BATCH, LEARNING_RATE = (500, 100), 128, 0.003
WARM = 20  # steps before the clock starts


def make_model(layer: Any) -> Any:
    """Returns the compiled model on a layer that embeds texts."""
    import tensorflow as tf

    layers = [tf.keras.layers.Dense(units, activation="relu") for units in UNITS]
    model = tf.keras.Sequential([layer, *layers, tf.keras.layers.Dense(1)])
    model.compile(
        optimizer=tf.keras.optimizers.Adagrad(LEARNING_RATE),
        loss=tf.keras.losses.BinaryCrossentropy(from_logits=True),
    )
    return model


def measure(library: Any, module: str, data: str, steps: int) -> dict[str, float]:
    """Returns the steps per second, without the first ones."""
    import tensorflow as tf

    with open(os.path.join(data, "train.csv"), encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    columns = ([row["text"] for row in rows], [int(row["label"]) for row in rows])
    batches = tf.data.Dataset.from_tensor_slices(columns).shuffle(len(rows), seed=1).repeat()
    batches = batches.batch(BATCH).prefetch(1)
    model = make_model(library.KerasLayer(module, input_shape=[], dtype=tf.string, trainable=True))
    model.fit(batches, steps_per_epoch=WARM, verbose=0)
    start = time.perf_counter()
    model.fit(batches, steps_per_epoch=steps, verbose=0)
    return {"steps_per_second": steps / (time.perf_counter() - start)}


def main() -> None:
    parser = common.parser(__doc__)
    parser.add_argument("--data", required=True, help="the folder of train.csv and test.csv")
    parser.add_argument("--steps", type=int, required=True)
    given = parser.parse_args()
    library = common.load(given.library)
    common.report(**measure(library, given.module, given.data, given.steps))


if __name__ == "__main__":
    main()
