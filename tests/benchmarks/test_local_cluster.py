"""Clusters of the benchmarks, of processes that train nothing."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import time

import pytest

from benchmarks.harness import ROOT
from benchmarks.local_cluster import LocalCluster, TaskError, free_addresses

pytestmark = pytest.mark.one_tensorflow
# Writes a step each 10 ms, after its process, and what it knows of the cluster.
STEPS = """
import os, sys, time
print(os.getpid(), os.environ.get("TF_CONFIG"), flush=True)
with open(sys.argv[1], "a", buffering=1) as file:
    while True:
        time.sleep(0.01)
        file.write(f"{time.monotonic()}\\n")
"""
FAILS = "import sys; print('no such module'); sys.exit(3)"


def running(code):
    return lambda steps_path: [sys.executable, "-c", code, steps_path]


def is_there(process):
    try:
        with open(f"/proc/{process}/stat") as file:  # one that nobody asked after is dead, too
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def first_word(path):
    deadline = time.monotonic() + 60
    while not (path.exists() and path.read_text()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return path.read_text().split()[0]


def test_tasks_are_told_of_the_cluster_watched_and_ended(tmp_path):
    with LocalCluster(str(tmp_path), running(STEPS), {"chief": 1, "ps": 1}) as cluster:
        for name in ("ps", "chief"):
            cluster.start(name)
        cluster.wait_until(lambda: cluster.steps()["chief", 0] >= 2, "step 2", 60)
        before, made = cluster.counters(), cluster.steps()["chief", 0]
        cluster.sleep(0.1)
        cluster.wait_until(lambda: cluster.steps()["chief", 0] > made, "further step", 60)
        after = cluster.counters()
        assert set(cluster.steps()) == {("chief", 0)}  # a ps makes none
        most = (after.time - before.time) / 0.01 + 1
        assert 0 < cluster.steps(before.time, after.time)["chief", 0] <= most
        processes = [int(first_word(tmp_path / f"{name}0.log")) for name in ("chief", "ps")]
    assert 0.1 <= after.time - before.time < 60
    assert after.sent >= before.sent and after.processor >= before.processor > 0
    assert not any(map(is_there, processes))
    told = (tmp_path / "chief0.log").read_text()
    assert re.search(
        r'{"cluster": {"chief": \["127.0.0.1:\d+"\], "ps": \["127.0.0.1:\d+"\]}, '
        r'"task": {"type": "chief", "index": 0}}', told,
    )  # fmt: skip


def test_what_is_sent_is_counted(tmp_path):
    with LocalCluster(str(tmp_path), running(STEPS), {}) as cluster:
        before = cluster.counters()
        [address] = free_addresses(1)
        host, _, port = address.partition(":")
        place = host, int(port)
        with socket.create_server(place) as server, socket.create_connection(place) as client:
            client.sendall(bytes(100_000))
            with server.accept()[0] as received:
                left = 100_000
                while left:
                    left -= len(received.recv(left))
        assert cluster.counters().sent - before.sent >= 100_000


def test_alone_there_is_no_cluster(tmp_path, monkeypatch):
    monkeypatch.setenv("TF_CONFIG", "{}")
    with LocalCluster(str(tmp_path), running(STEPS), {}) as cluster:
        cluster.start("chief")
        cluster.wait_until(lambda: cluster.steps()["chief", 0], "step", 60)
    assert (tmp_path / "chief0.log").read_text().split()[1] == "None"


def test_a_task_that_ends(tmp_path):
    with LocalCluster(str(tmp_path), running(FAILS), {}) as cluster:
        cluster.start("chief")
        with pytest.raises(TaskError) as raised:
            cluster.sleep(60)
    assert str(raised.value) == (
        f"A task ended, with status 3.\nThe end of the log of chief 0, {tmp_path}/chief0.log:\n"
        "no such module\n"
    )


def test_tasks_that_do_not_come_far_enough(tmp_path):
    code = "import time; print('waiting', flush=True); time.sleep(60)"
    with LocalCluster(str(tmp_path), running(code), {}) as cluster:
        cluster.start("chief")
        first_word(tmp_path / "chief0.log")
        with pytest.raises(TaskError) as raised:
            cluster.wait_until(lambda: False, "step 10 of each worker", 0.1)
    assert str(raised.value) == (
        "After 0.1 seconds there is no step 10 of each worker.\nThe end of the log of chief 0, "
        f"{tmp_path}/chief0.log:\nwaiting\n"
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_kill_of_the_program_ends_its_tasks(tmp_path, number):
    program = f"""
import sys
from benchmarks import harness
from benchmarks.local_cluster import LocalCluster
harness.end_on_signals()
code = {STEPS!r}
command = lambda path: [sys.executable, "-c", code, path]
with LocalCluster({str(tmp_path)!r}, command, {{}}) as cluster:
    cluster.start("chief")
    cluster.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", program], cwd=ROOT) as started:
        task = int(first_word(tmp_path / "chief0.log"))
        started.send_signal(number)
    deadline = time.monotonic() + 60
    while is_there(task):
        assert time.monotonic() < deadline
        time.sleep(0.01)
