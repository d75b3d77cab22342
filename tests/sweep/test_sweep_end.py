"""What a sweep of real processes leaves in its folder, and says, at its end and before."""

from __future__ import annotations

import csv
import threading

import pytest

from hub_estimator.sweep import finishing
from hub_estimator.sweep.supervisor import Supervisor
from tests.sweep.light_runs import plan

pytestmark = pytest.mark.one_tensorflow


def test_the_end_of_a_sweep(tmp_path):
    made = plan(tmp_path / "sweep", 0.25, 0.5, "it is nan", keep_best=1)
    for number in range(2):  # a worker's trial may find what an earlier one left
        (tmp_path / "sweep" / "trials" / str(number)).mkdir(parents=True)
        (tmp_path / "sweep" / "trials" / str(number) / "model.ckpt-20.index").write_bytes(b"")
    found = Supervisor(made, threading.Event()).run()
    before = finishing.leaderboard(made)
    with open(tmp_path / "sweep" / "leaderboard.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["number"], row["state"], row["VALUE"]) for row in rows] == [
        ("1", "complete", "0.5"), ("0", "complete", "0.25"), ("2", "failed", "'it is nan'"),
    ]  # fmt: skip
    assert not (tmp_path / "sweep" / "report").exists()
    said = finishing.finish(made, found, threading.Event())
    assert said == before
    assert said.startswith(
        "Trials of the sweep sweep: 2 complete, 1 failed; by accuracy (higher is better), * is the "
        "best:\n     trial  state     VALUE        accuracy  seconds\n  *  1      complete  0.5 "
    )
    assert "\nBest by search:   trial 1: VALUE=0.5 (accuracy 0.52)\n" in said
    assert (tmp_path / "sweep" / "report" / "report.md").exists()
    kept = [path.parent.name for path in tmp_path.glob("sweep/trials/*/model.ckpt-20.index")]
    assert kept == ["1"]


def test_asking_for_the_leaderboard_writes_nothing(tmp_path):
    made = plan(tmp_path, 0.25)
    Supervisor(made, threading.Event()).run()
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    finishing.leaderboard(made)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before
