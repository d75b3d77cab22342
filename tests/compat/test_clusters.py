"""Clusters of real processes on this machine, described by `TF_CONFIG`."""

from __future__ import annotations

import contextlib
import json
import pathlib
import socket
import subprocess
import sys
import time

import pytest

from hub_estimator import compat
from tests.compat.programs import environment

pytestmark = pytest.mark.slow
TASK = pathlib.Path(__file__).parent / "cluster_task.py"
DEADLINE_SECS = 90
DONE = "done at step 60 with w = 2.00"


def _free_addresses(count):
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for listener in sockets:
            listener.bind(("127.0.0.1", 0))
        return [f"127.0.0.1:{listener.getsockname()[1]}" for listener in sockets]


class _Cluster:
    """Starts tasks, waits for them, and ends all of them whatever happens."""

    def __init__(self, folder, strategy, tasks):
        self._folder, self._strategy = folder, strategy
        self._addresses = {name: _free_addresses(count) for name, count in tasks.items()}
        self._processes = {}
        self._deadline = time.monotonic() + DEADLINE_SECS

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in self._processes.values():
            process.kill()
            process.wait()

    def _log(self, task):
        return self._folder / f"{task[0]}{task[1]}.log"

    def start(self, name, index=0):
        tf_config = {"cluster": self._addresses, "task": {"type": name, "index": index}}
        with open(self._log((name, index)), "w") as log:
            self._processes[name, index] = subprocess.Popen(
                [sys.executable, str(TASK), str(self._folder / "model"), self._strategy],
                env=environment(TF_CONFIG=json.dumps(tf_config)),
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def wait_for_checkpoint(self):
        while not (self._folder / "model" / "checkpoint").exists():
            assert time.monotonic() < self._deadline, "no checkpoint appeared"
            time.sleep(0.1)

    def result(self, name, index=0):
        """Waits for a task; returns its last line, or all it said where it failed."""
        process = self._processes[name, index]
        try:
            status = process.wait(max(0.0, self._deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            status = "still running"
        output = self._log((name, index)).read_text()
        return output.splitlines()[-1] if status == 0 else f"{status}: {output}"


def test_parameter_server_with_chief_worker_and_evaluator(tmp_path):
    with _Cluster(tmp_path, "none", {"chief": 1, "worker": 1, "ps": 1}) as cluster:
        for name in ("ps", "chief", "evaluator"):
            cluster.start(name)
        # A worker that finds the model not yet initialized waits for half a minute.
        cluster.wait_for_checkpoint()
        cluster.start("worker")
        for name in ("chief", "worker", "evaluator"):
            assert cluster.result(name) == DONE
    assert list((tmp_path / "model" / "eval").glob("events.*"))


def test_multi_worker_mirrored_strategy(tmp_path):
    with _Cluster(tmp_path, "multi_worker", {"chief": 1, "worker": 1}) as cluster:
        cluster.start("chief")
        cluster.start("worker")
        assert cluster.result("chief") == DONE
        assert cluster.result("worker") == DONE


@pytest.mark.skipif(compat.ships_estimator(), reason="fails there in TensorFlow's own code")
def test_a_strategy_for_one_machine_in_a_cluster_of_one_trainer(tmp_path):
    tasks = {"chief": 1, "evaluator": 1}
    with _Cluster(tmp_path, "mirrored", tasks) as cluster:
        for name in tasks:
            cluster.start(name)
        for name in tasks:
            assert cluster.result(name) == DONE


def test_parameter_server_strategy(tmp_path):
    with _Cluster(tmp_path, "parameter_server", {"chief": 1, "ps": 1}) as cluster:
        cluster.start("ps")
        cluster.start("chief")
        assert cluster.result("chief") == DONE
