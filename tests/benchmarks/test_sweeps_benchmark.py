"""The benchmarks of sweeps, on something tiny."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest

from tests import text_data
from tests.sweep.test_sweep_docs import ROOT

pytestmark = pytest.mark.one_tensorflow


def output(program, *arguments):
    ended = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{program}", *arguments],
        check=True, capture_output=True, text=True, cwd=ROOT,
    )  # fmt: skip
    return ended.stdout


def test_it_measures_workers_and_operations(tmp_path):
    given = "--secs=0.1", "--trials=2", "--workers", "2", "--before", "2"
    tables = output("sweeps", f"--folder={tmp_path / 'sweeps'}", *given).split("\n\n")
    assert [len(table.strip().splitlines()) for table in tables] == [3, 5]
    assert tables[0].splitlines()[2].startswith("| SQLite | 2 | ")


def test_it_measures_a_trial_beside_a_run(tmp_path):
    text_data.write_both(tmp_path)
    shutil.copy(tmp_path / "data.csv", tmp_path / "train.csv")
    shutil.copy(tmp_path / "data.csv", tmp_path / "test.csv")
    places = f"--folder={tmp_path / 'out'}", f"--module={tmp_path / 'module'}", f"--data={tmp_path}"
    _, _, *rows = output("sweep_overhead", *places, "--steps=2", "--runs=1").splitlines()
    [[_, name, *figures, _], [_, median, *same, _]] = [row.split("|") for row in rows]
    assert (name, median) == (" 1 ", " median ") and figures == same
    train, trial, sweep, ratio = map(float, figures)
    assert 0 < trial < sweep and ratio == pytest.approx(trial / train, rel=0.05)
