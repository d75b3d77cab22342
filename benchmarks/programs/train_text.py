"""Training a classifier of reviews on a text module: wall time with everything, steps per second.

Both train a network with layers of 500 and 100 units with Adagrad on batches of 128 reviews from a
CSV file, and evaluate it once at the end. Ours is the loop of the package; the peer is a
`DNNClassifier` on its `text_embedding_column`, fed by `tf.data`, as its tutorial has it.
"""

from __future__ import annotations

import csv
import os
import tempfile
from typing import Any

import tensorflow as tf

import hub_estimator
from benchmarks.programs import common

tf1 = tf.compat.v1
MODEL = "model"  # the model folder
UNITS, BATCH, LEARNING_RATE = (500, 100), 128, 0.003


def experiment(
    module: str, data: str, steps: int, eval_every_steps: int, fine_tune: bool, folder: str
) -> Any:
    """Returns what ours trains; what is computed once is kept in a folder."""
    from hub_estimator import training

    hub_estimator.compat.install()
    model = training.Model(
        encoders=[training.Encoder(module, trainable=fine_tune)],
        head=training.BinaryClassHead(),
        optimization=training.Optimization(tf1.train.AdagradOptimizer, LEARNING_RATE),
        layers=training.DenseLayers(UNITS),
    )
    return training.Experiment(
        model,
        train_input=training.TextFile(os.path.join(data, "train.csv"), batch_size=BATCH),
        eval_input=training.TextFile(os.path.join(data, "test.csv"), batch_size=BATCH),
        max_steps=steps,
        eval_every_steps=eval_every_steps,
        feature_cache=training.FeatureCache(os.path.join(folder, "features")),
    )


def train_ours(module: str, data: str, steps: int, fine_tune: bool, folder: str) -> None:
    from hub_estimator import training

    made = experiment(module, data, steps, steps, fine_tune, folder)
    training.train_and_evaluate(made, os.path.join(folder, MODEL))


def train_peer(module: str, data: str, steps: int, fine_tune: bool, folder: str) -> None:
    import tensorflow_hub

    column = tensorflow_hub.text_embedding_column("text", module, trainable=fine_tune)
    estimator = tf1.estimator.DNNClassifier(
        UNITS,
        [column],
        os.path.join(folder, MODEL),
        optimizer=tf1.train.AdagradOptimizer(LEARNING_RATE),
        loss_reduction=tf1.losses.Reduction.SUM_OVER_BATCH_SIZE,
    )
    estimator.train(_input_fn(data, "train.csv", is_training=True), max_steps=steps)
    estimator.evaluate(_input_fn(data, "test.csv", is_training=False))


def _input_fn(data: str, name: str, is_training: bool) -> Any:
    with open(os.path.join(data, name), encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    texts, labels = [row["text"] for row in rows], [int(row["label"]) for row in rows]

    def input_fn() -> Any:
        dataset = tf.data.Dataset.from_tensor_slices(({"text": texts}, labels))
        if is_training:
            dataset = dataset.shuffle(len(labels)).repeat()
        return dataset.batch(BATCH).prefetch(1)

    return input_fn


def measure(
    library: str, module: str, data: str, steps: int, fine_tune: bool, folder: str
) -> dict[str, float]:
    """Returns the wall time; of fine-tuning the steps per second too, of 102 steps at least."""
    clock = common.Clock()
    train = train_ours if library == "hub_estimator" else train_peer
    with clock("seconds"):
        train(module, data, steps, fine_tune, folder)
    speed = (
        {"steps_per_second": common.steps_per_second(os.path.join(folder, MODEL))}
        if fine_tune
        else {}
    )
    return {**speed, **clock.seconds}


def main() -> None:
    parser = common.parser(__doc__)
    parser.add_argument("--data", required=True, help="the folder of train.csv and test.csv")
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--fine_tune", action="store_true")
    given = parser.parse_args()
    common.load(given.library)
    with tempfile.TemporaryDirectory() as folder:
        found = measure(
            given.library, given.module, given.data, given.steps, given.fine_tune, folder
        )
    common.report(**found)


if __name__ == "__main__":
    main()
