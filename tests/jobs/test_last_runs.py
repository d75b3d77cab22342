"""When jobs are due by their last runs: pauses that grow, clocks that are put back, lost files."""

from __future__ import annotations

import pathlib

import pytest

from hub_estimator.jobs.runs import LastRun, LastRuns
from hub_estimator.jobs.schedules import Every, OnNewCheckpoint

NOW = 1_000_000.0


@pytest.mark.parametrize(
    ("failures", "pause"),
    [(1, 60), (2, 120), (3, 240), (6, 1920), (7, 3600), (100, 3600), (10**6, 3600)],
)
def test_pauses_grow(failures, pause):
    run = LastRun(NOW - 100, NOW - 50, NOW, "failed", failures=failures)
    assert run.due(OnNewCheckpoint()) == NOW + pause == run.due(Every(1000))


def test_without_a_failure_the_schedule_decides():
    run = LastRun(NOW - 100, NOW - 50, NOW, "published")
    assert run.due(Every(1)) == NOW + 10 and run.due(OnNewCheckpoint()) is None
    assert LastRun(NOW).due(Every(1)) == NOW


def test_a_clock_that_was_put_back():
    ahead = LastRun(NOW + 5000, NOW + 6000, NOW + 6001, failures=1)
    assert ahead.settled(NOW) == LastRun(NOW, NOW, NOW, failures=1)
    near = LastRun(NOW - 1, NOW + 30, NOW + 31)
    assert near.settled(NOW) == near


def test_what_is_settled_is_kept(tmp_path):
    path = str(tmp_path / "runs.json")
    LastRuns(path).set("a", LastRun(NOW + 5000, NOW + 5000))
    assert LastRuns(path).get("a", NOW).due(Every(1)) == NOW + 60
    # Time goes on: it is due then, and not put off again.
    assert LastRuns(path).get("a", NOW + 61).due(Every(1)) == NOW + 60


def test_it_lasts(tmp_path):
    path = str(tmp_path / "runs.json")
    assert LastRuns(path).peek("a") is None
    run = LastRun(NOW, NOW + 1, NOW + 2, "failed", "why", "key", 3, True, 1.5)
    runs = LastRuns(path)
    runs.set("a", run)
    assert runs.get("b", NOW) == LastRun(NOW)
    again = LastRuns(path)
    assert again.peek("a") == run and again.peek("b") == LastRun(NOW)


@pytest.mark.parametrize(
    "content",
    [
        *("", "{", "[]", '{"a": {"x": 1}}', '{"a": 5}'),
        *('{"a": {"first": "1"}}', '{"a": {"first": null}}', '{"a": {"first": true}}'),
        *('{"a": {"first": NaN}}', '{"a": {"first": 1, "ended": "x"}}'),
        *('{"a": {"first": 1, "failures": 0.5}}', '{"a": {"first": 1, "failures": null}}'),
        *('{"a": {"first": 1, "said": 3}}', '{"a": {"first": 1, "key": []}}'),
        '{"a": {"first": 1, "has_folder": 1}}',
    ],
)
def test_a_damaged_file_is_forgotten(tmp_path, content, caplog):
    path = tmp_path / "runs.json"
    path.write_text(content)
    assert LastRuns(str(path)).get("a", NOW) == LastRun(NOW)
    assert f"{path} cannot be read, so jobs look once more: " in caplog.text
    assert LastRuns(str(path)).peek("a") == LastRun(NOW)


def test_a_disk_that_refuses_it(tmp_path, caplog):
    path = pathlib.Path(tmp_path / "away" / "runs.json")
    runs = LastRuns(str(path))
    runs.set("a", LastRun(NOW))
    assert runs.peek("a") == LastRun(NOW) and f"{path} cannot be written: " in caplog.text
