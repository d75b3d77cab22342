"""From the start of the command `train` to its first step, beside importing TensorFlow alone.

The command is that of the README, with `text_classification.gin` on reviews. What it computes once
(the feature cache) is there, of a run before with the same settings. The first step is over when its
loss is written for TensorBoard. The import is the mean of one before and one after it.
"""

from __future__ import annotations

import argparse
import glob
import os
import statistics
import subprocess
import sys
import tempfile
import time

from benchmarks.programs import common

STEPS = 160  # a few more than an epoch of 20,000 reviews: so that features are stored


def measure(module: str, data: str, steps: int = STEPS) -> dict[str, float]:
    """Returns the seconds to the first step and of the import, wall time, and how they compare."""
    from hub_estimator import train

    with tempfile.TemporaryDirectory() as folder:
        first, second = (os.path.join(folder, name) for name in ("first", "second"))
        status = train.run(["train", *_flags(module, data, steps, folder, first)])
        if status:
            raise SystemExit(f"error: the run that stores features ended with {status}")
        imports = [_import_seconds()]
        start = time.time()
        command = [sys.executable, "-m", "hub_estimator.train"]
        subprocess.run(
            [*command, *_flags(module, data, steps, folder, second)],
            stdout=subprocess.DEVNULL,  # ours is for the figures
            check=True,
        )
        seconds = _first_step_at(second) - start
        imports.append(_import_seconds())
    alone = statistics.mean(imports)
    return {"import": alone, "first_step": seconds, "ratio": seconds / alone}


def _import_seconds() -> float:
    clock = common.Clock()
    with clock("import"):
        subprocess.run([sys.executable, "-c", "import tensorflow"], check=True)
    return clock.seconds["import"]


def _flags(module: str, data: str, steps: int, folder: str, model_dir: str) -> list[str]:
    """Returns the flags of a run with two evaluations, so that those have features stored too."""
    settings = {
        "MODULE": module,
        "TRAIN_DATA": os.path.join(data, "train.csv"),
        "EVAL_DATA": os.path.join(data, "test.csv"),
        "MAX_STEPS": steps,
        "Experiment.eval_every_steps": steps // 2,
        "FeatureCache.folder": os.path.join(folder, "features"),
    }
    bindings = [f"{name}={value!r}" for name, value in settings.items()]
    bindings.append("Experiment.feature_cache=@FeatureCache()")
    return [
        "--gin_file=text_classification.gin",
        *(f"--gin_bindings={binding}" for binding in bindings),
        f"--model_dir={model_dir}",
    ]


def _first_step_at(model_dir: str) -> float:
    """Returns when the loss of the first step was written, in seconds as of `time.time`."""
    import tensorflow as tf

    return min(
        event.wall_time
        for path in glob.glob(os.path.join(model_dir, "events.*"))
        for event in tf.compat.v1.train.summary_iterator(path)
        if event.step == 1 and any(value.tag == "loss" for value in event.summary.value)
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--module", required=True)
    parser.add_argument("--data", required=True, help="the folder of train.csv and test.csv")
    given = parser.parse_args()
    common.report(**measure(given.module, given.data))


if __name__ == "__main__":
    main()
