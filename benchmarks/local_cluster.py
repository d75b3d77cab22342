"""A cluster of processes on this machine: starts its tasks, watches them, and ends all of them."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import json
import os
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from typing_extensions import Self

from benchmarks.harness import ROOT, environment

Task = tuple[str, int]  # its type and its index, as in TF_CONFIG
TRAINERS = ("chief", "worker")
# Has Linux kill a program when the one that started it is gone, however that ended.
_END_WITH_PARENT = "setpriv", "--pdeathsig", "KILL"
_LOG_BYTES = 3000  # of the end of a log, in messages
_POLL_SECS = 0.2


class TaskError(Exception):
    """A task of the cluster ended, or has not come far enough in time."""


@dataclasses.dataclass(frozen=True)
class Counters:
    """What the machine has counted so far.

    Attributes:
      time: seconds of the machine's monotonic clock.
      sent: bytes through the loopback interface, of whichever program.
      processor: seconds that the processors have worked for the tasks.
    """

    time: float
    sent: int
    processor: float


class LocalCluster:
    """The tasks of a cluster, each the same program with a `TF_CONFIG` of its own.

    A context manager: at its end no task is left, nor after a kill of the program that has it.

    Args:
      folder: where logs, and what tasks write of their steps, are to be.
      command: the program, given where to write down its steps.
      tasks: how many tasks there are of each type; `{}` is one that is in no cluster, a `"chief"`.
    """

    def __init__(
        self, folder: str, command: Callable[[str], Sequence[str]], tasks: Mapping[str, int]
    ) -> None:
        self._folder, self._command = folder, command
        addresses = iter(free_addresses(sum(tasks.values())))
        self._addresses = {
            name: list(itertools.islice(addresses, count)) for name, count in tasks.items()
        }
        self._processes: dict[Task, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes.values():
            process.kill()
        for process in self._processes.values():
            process.wait()

    def start(self, name: str, index: int = 0) -> None:
        """Starts a task."""
        env = environment()
        env.pop("TF_CONFIG", None)
        if self._addresses:
            task = {"type": name, "index": index}
            env["TF_CONFIG"] = json.dumps({"cluster": self._addresses, "task": task})
        with open(self._path((name, index), "log"), "wb") as log:
            self._processes[name, index] = subprocess.Popen(
                [*_END_WITH_PARENT, *self._command(self._path((name, index), "steps"))],
                env=env, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT,
            )  # fmt: skip

    def wait_until(self, is_so: Callable[[], Any], what: str, secs: float) -> None:
        """Waits until something is so.

        Args:
          is_so: whether it is.
          what: what messages call it.
          secs: how long to wait for it.

        Raises:
          TaskError: a task ended meanwhile, or it is not so in time.
        """
        end = time.monotonic() + secs
        while not is_so():
            self._check()
            if time.monotonic() > end:
                logs = "\n".join(map(self._log, self._processes))
                raise TaskError(f"After {secs:g} seconds there is no {what}.\n{logs}")
            time.sleep(_POLL_SECS)

    def sleep(self, secs: float) -> None:
        """Lets the tasks work for so long.

        Raises:
          TaskError: a task ended meanwhile.
        """
        end = time.monotonic() + secs
        while (left := end - time.monotonic()) > 0:
            self._check()
            time.sleep(min(left, _POLL_SECS))
        self._check()

    def steps(self, after: float = 0.0, until: float = float("inf")) -> dict[Task, int]:
        """Returns how many steps each task that trains has made between two times."""
        return {
            task: sum(after < moment <= until for moment in self._moments(task))
            for task in self._processes
            if task[0] in TRAINERS
        }

    def counters(self) -> Counters:
        """Returns what the machine has counted so far."""
        processor = sum(_processor_seconds(process.pid) for process in self._processes.values())
        return Counters(time.monotonic(), _sent_bytes(), processor)

    def _check(self) -> None:
        for task, process in self._processes.items():
            status = process.poll()
            if status is not None:
                raise TaskError(f"A task ended, with status {status}.\n{self._log(task)}")

    def _moments(self, task: Task) -> list[float]:
        path = self._path(task, "steps")
        if not os.path.exists(path):
            return []
        with open(path, encoding="utf-8") as file:
            # The last one may be half written.
            return [float(line) for line in file if line.endswith("\n")]

    def _log(self, task: Task) -> str:
        path = self._path(task, "log")
        with open(path, "rb") as file:
            file.seek(max(0, os.path.getsize(path) - _LOG_BYTES))
            text = file.read().decode("utf-8", "replace")
        return f"The end of the log of {task[0]} {task[1]}, {path}:\n{text}"

    def _path(self, task: Task, suffix: str) -> str:
        return os.path.join(self._folder, f"{task[0]}{task[1]}.{suffix}")


def free_addresses(count: int) -> list[str]:
    """Returns addresses of this machine that nobody listens at."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for listener in sockets:
            listener.bind(("127.0.0.1", 0))
        return [f"127.0.0.1:{listener.getsockname()[1]}" for listener in sockets]


def _sent_bytes() -> int:
    with open("/proc/net/dev", encoding="ascii") as file:
        [counts] = [line.partition(":")[2].split() for line in file if line.strip()[:3] == "lo:"]
    return int(counts[8])  # after eight numbers of what was received


def _processor_seconds(pid: int) -> float:
    with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
        # The name of the program, in parentheses, may have anything in it.
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
