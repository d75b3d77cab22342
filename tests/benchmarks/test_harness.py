"""The harness of the benchmarks, on programs that take no time."""

from __future__ import annotations

import dataclasses
import json
import sys

import pytest

from benchmarks import harness, modules, run
from benchmarks.harness import NEWEST, OURS, PEER, Benchmark, Figure, ProgramError
from benchmarks.registry import benchmarks
from benchmarks.table import table

PYTHONS = {OURS: sys.executable, PEER: sys.executable}


def _prints(*values):
    """The arguments of a program that prints one of the values after another, run by run."""
    code = (
        "import json, pathlib, sys; counter = pathlib.Path(sys.argv[1]); "
        "done = len(counter.read_text()) if counter.exists() else 0; "
        "counter.write_text('.' * (done + 1)); print('noise'); "
        f"print(json.dumps({{'x': {list(values)!r}[done]}}))"
    )
    return ["-c", code.replace("{", "{{").replace("}", "}}")]


def _benchmark(tmp_path, ours, peer, **kwargs):
    return Benchmark(
        "some/thing",
        [*_prints(*ours), str(tmp_path / "ours")],
        peer and [*_prints(*peer), "{modules}/peer"],
        [Figure("x", "size", **kwargs)],
    )


def _measure(benchmark, tmp_path, runs, pythons=None, **kwargs):
    folders = {"modules": str(tmp_path), "data": str(tmp_path)}
    return harness.measure(benchmark, pythons or PYTHONS, folders, runs, **kwargs)


def test_medians_and_ratios(tmp_path):
    benchmark = _benchmark(tmp_path, [1, 5, 2], [10, 10, 40], goal=0.2)
    told = []
    [row] = _measure(benchmark, tmp_path, runs=3, progress=told.append)
    assert row.medians == {OURS: 2, PEER: 10}
    assert row.ratio == 0.2 and row.ratios == [0.05, 0.1, 0.5] and row.reached is True
    assert told[:2] == ["some/thing: ours 1/3", "some/thing: peer 1/3"] and len(told) == 6


def test_both_on_the_newest(tmp_path):
    benchmark = dataclasses.replace(_benchmark(tmp_path, [4], [2], goal=2.0), on_newest=True)
    [row] = _measure(
        benchmark, tmp_path, 1, {OURS: "absent", PEER: "absent", NEWEST: sys.executable}
    )
    assert row.medians == {OURS: 4, PEER: 2}


def test_one_that_needs_the_newest_is_not_run_without(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["run", "--only=keras/text/loop"])
    with pytest.raises(SystemExit) as raised:
        run.main()
    assert str(raised.value) == (
        "error: a benchmark runs on the newest TensorFlow: give --newest_python"
    )


@pytest.mark.parametrize(
    ("ours", "peer", "goal", "more_is_better", "reached"),
    [
        (3, 10, 0.2, False, False),
        (10, 3, 3.0, True, True),
        (10, 5, 3.0, True, False),
        (10, 5, None, False, None),
        (0, None, 0.0, False, True),
        (1, None, 0.0, False, False),
        (1, 0, 1.0, False, None),
    ],
)
def test_goals(tmp_path, ours, peer, goal, more_is_better, reached):
    peer_runs = None if peer is None else [peer]
    benchmark = _benchmark(tmp_path, [ours], peer_runs, goal=goal, more_is_better=more_is_better)
    [row] = _measure(benchmark, tmp_path, runs=1)
    assert row.reached is reached


def test_the_table_and_the_json(tmp_path):
    benchmark = _benchmark(tmp_path, [0.123456, 1234.5], [2], goal=0.25)
    rows = _measure(benchmark, tmp_path, runs=1, pythons={**PYTHONS, NEWEST: sys.executable})
    assert table(rows).splitlines() == [
        "| what             | ours  | peer | ratio | goal    |         | newest |",
        "| ---------------- | ----- | ---- | ----- | ------- | ------- | ------ |",
        "| some/thing: size | 0.123 | 2    | 0.062 | <= 0.25 | reached | 1234   |",
    ]
    assert json.loads(json.dumps(harness.as_json(rows))) == [
        {
            "what": "size",
            "goal": 0.25,
            "more_is_better": False,
            "medians": {"ours": 0.123456, "peer": 2, "newest": 1234.5},
            "ratio": 0.061728,
            "ratios": [0.061728],
            "reached": True,
        }
    ]


def test_programs_that_fail():
    with pytest.raises(ProgramError, match="raise SystemExit.'no'. failed:\nno"):
        harness.run([sys.executable, "-c", "raise SystemExit('no')"])
    with pytest.raises(ProgramError, match="printed no figures: 'hello"):
        harness.run([sys.executable, "-c", "print('hello')"])


def test_every_benchmark_can_be_run():
    names = [benchmark.name for benchmark in benchmarks()]
    assert len(set(names)) == len(names)
    for benchmark in benchmarks():
        assert set(benchmark.modules) <= set(modules.NAMES)
        for arguments in (benchmark.ours, benchmark.peer or benchmark.ours):
            formatted = [argument.format(modules="m", data="d") for argument in arguments]
            path = harness.ROOT.joinpath(*formatted[1].split(".")).with_suffix(".py")
            assert formatted[0] == "-m" and path.is_file()


def test_a_whole_run(tmp_path, monkeypatch, capsys):
    benchmark = _benchmark(tmp_path, [1], [2])
    monkeypatch.setattr(run, "benchmarks", lambda: [benchmark])
    (tmp_path / "modules").mkdir()
    (tmp_path / "results.json").write_text('{"before": []}')
    argv = ["run", f"--out={tmp_path}", "--only=some", "--runs=1"]
    monkeypatch.setattr(sys, "argv", argv)
    run.main()
    assert "| some/thing: size | 1    | 2    | 0.500 |" in capsys.readouterr().out
    results = json.loads((tmp_path / "results.json").read_text())
    assert results["before"] == [] and results["some/thing"][0]["ratio"] == 0.5
    monkeypatch.setattr(sys, "argv", [*argv, "--only=other"])
    with pytest.raises(SystemExit, match="error: no benchmark's name holds 'other'"):
        run.main()
