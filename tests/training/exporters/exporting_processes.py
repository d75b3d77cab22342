"""Processes that export into one folder, at once or killed at any moment.

exporting_processes.py at_once FOLDER CHECKPOINT COUNT
exporting_processes.py killed FOLDER CHECKPOINT COUNT

What went wrong is printed, a line each. The processes are forks: each would take seconds to start.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import sys
import time

import numpy as np

from hub_estimator import files
from hub_estimator.format.checkpoint import Value, write_checkpoint
from hub_estimator.training.exporters.base import FolderExporter
from hub_estimator.training.exporters.choices import Best, Latest
from hub_estimator.training.objective import Objective

# The files of an export, each with its own name in it so often.
CONTENT = {"saved_model.pb": 10, "variables/index": 1000, "variables/data": 100_000}


class SomeFiles:
    """Writes those files."""

    what = "files"

    @contextlib.contextmanager
    def opened(self, estimator, checkpoint):
        yield self.write

    def write(self, folder):
        for name, times in CONTENT.items():
            path = files.join(folder, name)
            files.make_folder(files.parent(path))
            files.write_text(path, name * times)


def damage(export: str) -> str | None:
    """What is wrong with an export; None where it is whole."""
    for name, times in CONTENT.items():
        path = files.join(export, name)
        if not files.exists(path) or files.read_bytes(path).decode() != name * times:
            return f"{path} is missing or not whole"
    for name in ("global_step", "checkpoint.json"):
        if not files.exists(files.join(export, name)):
            return f"{export} has no {name}"
    return None


def problems(folder: str, link: str) -> list[str]:
    """What is wrong with the exports that a reader of the folder finds, and with the link."""
    names = [name for name in os.listdir(folder) if name.isdecimal()]
    found = [damage(files.join(folder, name)) for name in names]
    if os.path.lexists(files.join(folder, link)):
        found.append(damage(files.join(folder, link)))
    return [each for each in found if each is not None]


def exporter(keep: int | None = 2) -> FolderExporter:
    return FolderExporter("files", SomeFiles(), Latest(), keep, "evaluation", stable_path=True)


def forked(function) -> int:
    """Starts a process that calls a function; it ends with 0 where that returns."""
    process = os.fork()
    if process == 0:
        try:
            function()
            os._exit(0)
        finally:
            os._exit(1)
    return process


def at_once(folder: str, checkpoint: str, count: int) -> list[str]:
    """Exports in several processes that begin at the same moment, into three folders.

    One keeps all exports, one keeps one, and one gets only those that are better than ever.
    """
    ready, go = os.pipe()
    best = FolderExporter(
        "files", SomeFiles(), Best(Objective("a", True)), None, "evaluation", True
    )

    def export(number: int) -> None:
        os.close(go)
        os.read(ready, 1)
        exporter(keep=None).export(None, folder, checkpoint)
        exporter(keep=1).export(None, f"{folder}_kept", checkpoint)
        own = f"{folder}_checkpoints/model.ckpt-{number}"  # one is exported once
        write_checkpoint(own, [Value("global_step", "", np.int64(number))])
        best.export(None, f"{folder}_best", own, {"a": number})

    processes = [forked(lambda number=number: export(number)) for number in range(count)]
    os.close(go)
    failed = [each for each in processes if os.waitpid(each, 0)[1] != 0]
    return [f"{len(failed)} failed"] * bool(failed) + [
        *problems(folder, "latest"),
        *problems(f"{folder}_kept", "latest"),
        *problems(f"{folder}_best", "best"),
    ]


def killed(folder: str, checkpoint: str, count: int) -> list[str]:
    """Kills a process that exports again and again, so often; then exports once more."""
    found: list[str] = []
    moments = random.Random(count)

    def export_for_ever() -> None:
        while True:
            exporter().export(None, folder, checkpoint)

    for _ in range(count):
        process = forked(export_for_ever)
        time.sleep(moments.uniform(0.0, 0.1))
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
        found += problems(folder, "latest") if os.path.exists(folder) else []
    exported = exporter().export(None, folder, checkpoint)
    if not os.path.samefile(files.join(folder, "latest"), exported):
        found.append("the link does not lead to the last export")
    left = [name for name in os.listdir(folder) if not name.isdecimal()]
    if left != ["latest"]:
        found.append(f"left: {left}")
    return found


def main() -> None:
    what, folder, checkpoint, count = sys.argv[1:]
    found = {"at_once": at_once, "killed": killed}[what](folder, checkpoint, int(count))
    print(*found, sep="\n", end="")


if __name__ == "__main__":
    main()
