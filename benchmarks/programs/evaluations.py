"""What evaluations during training cost: a run with many of them beside one with the last alone.

A classifier of reviews on a frozen text module, whose features are computed before; each evaluation
is of all reviews for testing, and has its checkpoint.
"""

from __future__ import annotations

import argparse
import os
import tempfile

from benchmarks.programs import common, train_text

STEPS = 100  # from one evaluation to the next


def measure(module: str, data: str, evaluations: int, steps: int = STEPS) -> dict[str, float]:
    """Returns the seconds of an evaluation: wall time, everything included but training."""
    from hub_estimator import training

    clock, last = common.Clock(), steps * (1 + evaluations)
    with tempfile.TemporaryDirectory() as folder:
        # The first computes the features, and loads what TensorFlow loads late.
        for name, every in (("first", last), ("one", last), ("many", steps)):
            made = train_text.experiment(module, data, last, every, False, folder)
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
