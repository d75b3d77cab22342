"""Modules with one damaged file: a clear error or an output, never a crash, a hang or a traceback.

The format has checksums for the values of variables alone (TensorFlow checks them while it restores,
which is the outcome `tensorflow` here). A changed bit in a constant, a name or a vocabulary may so
give another right program: what counts then is that it runs to an output.
"""

from __future__ import annotations

import collections
import os
import subprocess
import sys

import pytest

# How many damaged copies of each module; more than 500 in all.
COUNTS = {
    "file_table": 140,
    "batch_norm": 140,
    "control_flow_v1": 100,
    "control_flow_v2": 60,
    "ragged": 80,
}
SECS = 240  # for all copies of one module, which take a few


@pytest.mark.parametrize("name", sorted(COUNTS))
def test_damaged_copies(name, tmp_path):
    worker = subprocess.run(
        [sys.executable, "-m", "tests.format.damage", name, str(tmp_path), "0", str(COUNTS[name])],
        check=False,
        capture_output=True,
        text=True,
        timeout=SECS,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(["", *sys.path])},
    )
    lines = [line for line in worker.stdout.splitlines() if " => " in line]
    outcomes = [line.partition(" => ")[2].partition(" ")[0] for line in lines]
    assert worker.returncode == 0, f"crashed at {lines[-1:]}: {worker.stderr[-2000:]}"
    assert [line for line in lines if " => wrong" in line] == []
    assert len(lines) == COUNTS[name]
    # The damage does reach the reader: not all can be outputs.
    assert collections.Counter(outcomes)["error"] > COUNTS[name] / 4


def test_there_are_enough_copies():
    assert sum(COUNTS.values()) >= 500
