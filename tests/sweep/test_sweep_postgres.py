"""Sweeps in a database that several machines share: the real PostgreSQL."""

from __future__ import annotations

import collections
import threading
import time

import pytest

from hub_estimator import errors
from hub_estimator.sweep import study
from hub_estimator.sweep.supervisor import Supervisor
from tests.sweep import postgres
from tests.sweep.light_runs import LightRunner, plan, starts

pytestmark = pytest.mark.one_tensorflow
VALUES = [number / 100 for number in range(1, 21)]


@pytest.fixture(scope="module")
def server():
    with postgres.server() as found:
        yield found


@pytest.fixture
def url(server):
    return server.url


def test_two_machines_share_the_trials_each_once_and_evenly(url, tmp_path):
    """A supervisor each, started at once on an empty database, with a folder each."""
    found = {}

    def run(name):
        made = plan(
            tmp_path / name, *VALUES, storage=url, name="shared", runner=LightRunner(0.2),
            heartbeat_secs=30,
        )  # fmt: skip
        found[name] = Supervisor(made, threading.Event()).run()

    threads = [threading.Thread(target=run, args=(name,)) for name in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found["one"] == found["two"]
    assert [trial.number for trial in found["one"].trials] == list(range(20))
    assert [trial.values for trial in found["one"].trials] == [
        (pytest.approx(value + 0.02),) for value in VALUES
    ]
    by_worker = collections.Counter(trial.worker for trial in found["one"].trials)
    assert len(by_worker) == 2 and min(by_worker.values()) >= 7
    of = {name: starts(tmp_path / name) for name in ("one", "two")}
    assert sorted([*of["one"], *of["two"]]) == list(range(20))
    assert all(each == [0] for run in of.values() for each in run.values())


def test_machines_that_add_trials_at_once_begin_at_different_ones(url, tmp_path, monkeypatch):
    added = {}
    for machine in ("one", "two"):
        monkeypatch.setattr("socket.gethostname", lambda machine=machine: machine)
        # A study each: neither sees what the other one adds.
        values = [number / 100 for number in range(1, 100)]
        opened = study.opened(plan(tmp_path / machine, *values, storage=url, name=f"add {machine}"))
        opened.fill()
        added[machine] = [record.user_attrs["slot"] for record in opened.records()]
        assert len(set(added[machine])) == 32
    assert added["one"][0] != added["two"][0]


def test_what_is_there_is_read_by_its_name(url, tmp_path):
    made = plan(tmp_path, 0.5, storage=url, name="one")
    found = Supervisor(made, threading.Event()).run()
    assert study.read(url, "one") == found and found.trials[0].state == "complete"
    with pytest.raises(errors.SweepStorageError) as caught:
        study.read(url, "other")
    assert str(caught.value) == f"The storage {url!r} has no sweep 'other'."


def test_a_server_that_is_started_again_costs_nothing(server, tmp_path):
    made = plan(
        tmp_path, 0.25, 0.5, storage=server.url, name="crash", runner=LightRunner(0.4, 60),
        heartbeat_secs=30,
    )  # fmt: skip

    def crash():
        while not (tmp_path / "trials" / "0" / "metrics.jsonl").exists():
            time.sleep(0.05)
        server.stop()
        time.sleep(4)  # the trial comes to its end meanwhile
        server.start()

    thread = threading.Thread(target=crash)
    thread.start()
    found = Supervisor(made, threading.Event()).run()
    thread.join()
    assert [trial.values for trial in found.trials] == [(0.31,), (0.56,)]
    assert list(found.trials[0].reports) == [10, 20, 30, 40, 50, 60]
    assert starts(tmp_path) == {0: [0], 1: [0]}


def test_no_server(tmp_path):
    made = plan(tmp_path, 0.5, storage="postgresql://me:secret@127.0.0.1:1/x")
    with pytest.raises(errors.SweepStorageError) as caught:
        Supervisor(made, threading.Event()).run()
    message = str(caught.value)
    assert message.startswith("The storage 'postgresql://me:***@127.0.0.1:1/x' cannot be used: ")
    assert "Connection refused" in message and "secret" not in message
    assert message.endswith("Once that is solved, run the same command again; it goes on.")


def test_no_url(tmp_path):
    with pytest.raises(errors.SweepStorageError) as caught:
        Supervisor(plan(tmp_path, 0.5, storage="here"), threading.Event()).run()
    assert str(caught.value) == (
        "The storage 'here' is no URL. Give one like 'postgresql://user@host/database', or leave it "
        "out: then it is a file in the sweep's folder."
    )


def test_no_driver(tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(errors.MissingExtraError) as caught:
        study.opened(plan(tmp_path, 0.5, storage="postgresql://me@host/x"))
    assert str(caught.value) == (
        "A storage in PostgreSQL needs what talks to it: pip install 'psycopg[binary]'."
    )
