"""The benchmark of sweeps, on something tiny."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.sweep.test_sweep_docs import ROOT

pytestmark = pytest.mark.one_tensorflow


def test_it_measures_workers_and_operations(tmp_path):
    ended = subprocess.run(
        [sys.executable, "-m", "benchmarks.sweeps", f"--folder={tmp_path / 'sweeps'}", "--secs=0.1",
         "--trials=2", "--workers", "2", "--before", "2"],
        check=True, capture_output=True, text=True, cwd=ROOT,
    )  # fmt: skip
    tables = ended.stdout.split("\n\n")
    assert [len(table.strip().splitlines()) for table in tables] == [3, 5]
    assert tables[0].splitlines()[2].startswith("| SQLite | 2 | ")
