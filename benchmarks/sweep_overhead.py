"""What a sweep adds to a run: a trial beside the same run by the command `train`, taking turns.

python -m benchmarks.sweep_overhead --folder=out/bench/overhead --module=out/bench/modules/text \
    --data=out/bench/data/reviews

The data is a folder with train.csv and test.csv. A trial is timed from when a worker takes it until it
is complete, a run from the start of its command to its end; a sweep of one trial has both ends as well.
"""

from __future__ import annotations

import argparse
import csv
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence

COLUMNS = ("train", "trial", "sweep")


def seconds(command: Sequence[str]) -> float:
    """Returns how long a command takes."""
    began = time.monotonic()
    subprocess.run([sys.executable, "-m", *command], check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - began


def measure(folder: str, experiment: Sequence[str]) -> tuple[float, float, float]:
    """Returns the seconds of a run, of the same run as a trial, and of the sweep of that trial."""
    shutil.rmtree(folder, ignore_errors=True)
    model_dir, sweep_dir = os.path.join(folder, "model"), os.path.join(folder, "sweep")
    text = ["--gin_file=text_classification.gin", "--gin_file=sweep.gin"]
    values = [value for binding in experiment for value in ("--gin_bindings", binding)]
    one = ["FINE_TUNES = [False]", "LEARNING_RATES = [0.05]", "MODULES = [%MODULE]"]
    # What sweep.gin sets for trials; `train` has no sweep to set it for.
    same = ["Experiment.report = None", "Experiment.exporters = [@BestModuleExporter]"]
    of_train = [value for binding in same for value in ("--gin_bindings", binding)]
    of_sweep = [value for binding in one for value in ("--gin_bindings", binding)]
    train = seconds(
        ["hub_estimator.train", text[0], *values, *of_train, f"--model_dir={model_dir}"]
    )
    sweep = seconds(["hub_estimator.sweep", *text, *values, *of_sweep, f"--sweep_dir={sweep_dir}"])
    with open(os.path.join(sweep_dir, "leaderboard.csv"), encoding="utf-8", newline="") as file:
        [trial] = csv.DictReader(file)
    return train, float(trial["seconds"]), sweep


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--folder", required=True)
    parser.add_argument("--module", required=True)
    parser.add_argument("--data", required=True)
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--runs", type=int, default=5)
    given = parser.parse_args()
    experiment = [
        f"MODULE = {os.path.abspath(given.module)!r}",
        f"TRAIN_DATA = {os.path.abspath(os.path.join(given.data, 'train.csv'))!r}",
        f"EVAL_DATA = {os.path.abspath(os.path.join(given.data, 'test.csv'))!r}",
        f"MAX_STEPS = {given.steps}",
    ]
    print("| run | " + " | ".join(f"{name}, s" for name in COLUMNS) + " | trial / train |")
    print("|---|---|---|---|---|")
    rows = []
    for number in range(given.runs):
        rows.append(measure(given.folder, experiment))
        _show(str(number + 1), rows[-1])
    _show("median", [statistics.median(column) for column in zip(*rows, strict=True)])


def _show(name: str, row: Sequence[float]) -> None:
    figures = " | ".join(f"{value:.1f}" for value in row)
    print(f"| {name} | {figures} | {row[1] / row[0]:.3f} |", flush=True)


if __name__ == "__main__":
    main()
