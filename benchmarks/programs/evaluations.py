"""What evaluations during training cost: a run with many of them beside one with the last alone.

A classifier of reviews on a frozen text module, whose features are computed before; each evaluation
is of all reviews for testing, and has its checkpoint.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from typing import Any

import tensorflow as tf

import hub_estimator
from benchmarks.programs import common

STEPS = 100  # from one evaluation to the next
UNITS, BATCH, LEARNING_RATE = (500, 100), 128, 0.003


def experiment(module: str, data: str, steps: int, eval_every_steps: int, features: str) -> Any:
    from hub_estimator import training

    model = training.Model(
        encoders=[training.Encoder(module)],
        head=training.BinaryClassHead(),
        optimization=training.Optimization(tf.compat.v1.train.AdagradOptimizer, LEARNING_RATE),
        layers=training.DenseLayers(UNITS),
    )
    return training.Experiment(
        model,
        train_input=training.TextFile(os.path.join(data, "train.csv"), batch_size=BATCH),
        eval_input=training.TextFile(os.path.join(data, "test.csv"), batch_size=BATCH),
        max_steps=steps,
        eval_every_steps=eval_every_steps,
        feature_cache=training.FeatureCache(features),
    )


def measure(module: str, data: str, evaluations: int, steps: int = STEPS) -> dict[str, float]:
    """Returns the seconds of an evaluation: wall time, everything included but training."""
    from hub_estimator import training

    hub_estimator.compat.install()
    clock, last = common.Clock(), steps * (1 + evaluations)
    with tempfile.TemporaryDirectory() as folder:
        # The first computes the features, and loads what TensorFlow loads late.
        for name, every in (("first", last), ("one", last), ("many", steps)):
            made = experiment(module, data, last, every, os.path.join(folder, "features"))
            with clock(name):
                training.train_and_evaluate(made, os.path.join(folder, name))
    seconds = clock.seconds
    return {"evaluation": (seconds["many"] - seconds["one"]) / evaluations}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--module", required=True)
    parser.add_argument("--data", required=True, help="the folder of train.csv and test.csv")
    parser.add_argument("--evaluations", type=int, default=10)
    given = parser.parse_args()
    common.report(**measure(given.module, given.data, given.evaluations))


if __name__ == "__main__":
    main()
