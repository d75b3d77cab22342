"""Predicting for a file of many short texts: rows per second with everything.

Ours is `predict`, as the command line calls it: it reads a file of CSV or of JSON lines, restores a
checkpoint, embeds and classifies each text, and writes class and probabilities to a file of the same
form. The peer is the loop of `predict.py`, which embeds the same texts, already in memory, and writes
nothing.
"""

from __future__ import annotations

import csv
import json
import os
import tempfile
from typing import Any

import tensorflow as tf

import hub_estimator
from benchmarks.programs import common, predict

tf1 = tf.compat.v1
BATCH = 1024


def measure_ours(module: str, rows: list[str], form: str) -> dict[str, float]:
    """Returns the rows per second of a prediction for a file, and the seconds of the processors."""
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
            os.path.join(folder, name) for name in (f"texts.{form}", f"predictions.{form}", "model")
        )
        _WRITERS[form](source, rows)
        reader = training.TextFile if form == "csv" else training.JsonlFile
        given = reader(source, batch_size=BATCH)
        experiment = training.Experiment(model, given, given, 1, 1, feature_cache=False)
        training.train_and_evaluate(experiment, model_dir)
        before = common.processor_seconds()
        with clock("seconds"):
            done = training.predict(experiment, model_dir, source, target)
        processors = common.processor_seconds() - before
        assert done.num_rows == len(rows)
    speed = len(rows) / clock.seconds["seconds"]
    return {**clock.seconds, "processors": processors, "rows_per_second": speed}


def _write_csv(path: str, rows: list[str]) -> None:
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label"])
        writer.writerows((row, number % 2) for number, row in enumerate(rows))


def _write_json_lines(path: str, rows: list[str]) -> None:
    lines = [json.dumps({"text": row, "label": number % 2}) for number, row in enumerate(rows)]
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(lines))


_WRITERS = {"csv": _write_csv, "jsonl": _write_json_lines}


def measure(library: Any, module: str, rows: list[str], form: str) -> dict[str, float]:
    if library is hub_estimator:
        return measure_ours(module, rows, form)
    return predict.measure(library, module, rows, predict.BATCHES["tensorflow_hub"])


def main() -> None:
    parser = common.parser(__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--form", choices=sorted(_WRITERS), default="csv")
    given = parser.parse_args()
    rows = predict.texts(given.rows)
    common.report(**measure(common.load(given.library), given.module, rows, given.form))


if __name__ == "__main__":
    main()
