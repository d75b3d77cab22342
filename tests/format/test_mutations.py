"""Modules and SavedModels that say something else: a clear error or an output, never a crash.

A change that is not found before it runs may be found by TensorFlow while it runs; that is an
outcome too, `tensorflow`. The changes are the same in each run.
"""

from __future__ import annotations

import collections
import os
import subprocess
import sys

COUNT = 150
SECS = 600  # it takes some ten; an outcome that never comes is what this is for


def test_changed_copies(tmp_path):
    environment = {
        "PYTHONPATH": os.pathsep.join(["", *sys.path]),
        # What a change made an operation that reads or writes is not run.
        "HUB_ESTIMATOR_REFUSE_SIDE_EFFECTS": "1",
    }
    worker = subprocess.run(
        [sys.executable, "-m", "tests.format.mutations", tmp_path, "0", str(COUNT)],
        check=False,
        capture_output=True,
        text=True,
        timeout=SECS,
        env={**os.environ, **environment},
    )
    lines = [line for line in worker.stdout.splitlines() if " => " in line]
    outcomes = [line.rpartition(" => ")[2].partition(" ")[0] for line in lines]
    assert worker.returncode == 0, f"crashed at {lines[-1:]}: {worker.stderr[-2000:]}"
    assert [line for line in lines if " => wrong" in line] == []
    counts = collections.Counter(outcomes)
    assert set(counts) == {"error", "output", "tensorflow"}
    assert sum(counts.values()) > COUNT * 0.95  # a few changes cannot be stored
    # The changes do reach the reader, and do not all break what they change.
    assert counts["error"] > COUNT / 4 and counts["output"] > COUNT / 8
