"""Predicting for a file of many short texts: rows per second with everything.

Ours is `predict`, as the command line calls it: it reads a CSV file, restores a checkpoint, embeds
and classifies each text, and writes class and probabilities to a CSV file. The peer is the loop of
`predict.py`, which embeds the same texts, already in memory, and writes nothing.
"""

from __future__ import annotations

import csv
import os
import tempfile
from typing import Any

import tensorflow as tf

import hub_estimator
from benchmarks.programs import common, predict

tf1 = tf.compat.v1
BATCH = 1024


def measure_ours(module: str, rows: list[str]) -> dict[str, float]:
    """Returns the rows per second of a prediction for a file."""
    from hub_estimator import training

    hub_estimator.compat.install()
    model = training.Model(
        [training.Encoder(module)],
        training.BinaryClassHead(),
        training.Optimization(tf1.train.AdagradOptimizer, 0.01),
    )
    clock = common.Clock()
    with tempfile.TemporaryDirectory() as folder:
        source, target, model_dir = (
            os.path.join(folder, name) for name in ("texts.csv", "predictions.csv", "model")
        )
        _write(source, rows)
        given = training.TextFile(source, batch_size=BATCH)
        experiment = training.Experiment(model, given, given, 1, 1, feature_cache=False)
        training.train_and_evaluate(experiment, model_dir)
        with clock("seconds"):
            done = training.predict(experiment, model_dir, source, target)
        assert done.num_rows == len(rows)
    return {**clock.seconds, "rows_per_second": len(rows) / clock.seconds["seconds"]}


def _write(path: str, rows: list[str]) -> None:
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label"])
        writer.writerows((row, number % 2) for number, row in enumerate(rows))


def measure(library: Any, module: str, rows: list[str]) -> dict[str, float]:
    if library is hub_estimator:
        return measure_ours(module, rows)
    return predict.measure(library, module, rows, predict.BATCHES["tensorflow_hub"])


def main() -> None:
    parser = common.parser(__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    arguments = parser.parse_args()
    library = common.load(arguments.library)
    common.report(**measure(library, arguments.module, predict.texts(arguments.rows)))


if __name__ == "__main__":
    main()
