"""Trials that are real processes, with evaluations in real files, but train nothing."""

from __future__ import annotations

import dataclasses
import json
import pathlib
import subprocess
import sys
import threading

from hub_estimator import errors
from hub_estimator.sweep.plan import Plan
from hub_estimator.sweep.runner import Ended, Run
from hub_estimator.sweep.samplers import Grid
from hub_estimator.sweep.space import Choice
from hub_estimator.sweep.sweep import Sweep
from hub_estimator.training.objective import Objective

# As a training it evaluates every ten steps, goes on from its last evaluation, and ends at a signal or
# where who started it has gone. Each start leaves a line in starts.txt; parent.txt says who did.
_PROGRAM = """
import json, os, sys, threading, time
folder, value, secs, steps = sys.argv[1], float(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])
def end():
    sys.stdin.read()
    os._exit(3)
threading.Thread(target=end, daemon=True).start()
os.makedirs(folder, exist_ok=True)
path = os.path.join(folder, "metrics.jsonl")
lines = open(path).read().splitlines() if os.path.exists(path) else []
with open(os.path.join(folder, "starts.txt"), "a") as file:
    file.write(f"{10 * len(lines)}\\n")
with open(os.path.join(folder, "parent.txt"), "w") as file:
    file.write(str(os.getppid()))
for step in range(10 * len(lines) + 10, steps + 1, 10):
    time.sleep(secs)
    found = {"step": step, "checkpoint": f"model.ckpt-{step}", "accuracy": value + step / 1000, "loss": 1 - value}
    lines.append(json.dumps(found))
    with open(path + "~", "w") as file:
        file.write("\\n".join(lines) + "\\n")
    os.replace(path + "~", path)
"""


@dataclasses.dataclass(frozen=True)
class LightRunner:
    """Runs trials that do next to nothing.

    What they set as VALUE is their accuracy, but for what the step adds; a text is that of the error
    that they fail with.

    Attributes:
      secs: seconds from one evaluation to the next.
      steps: the last step.
    """

    secs: float = 0.01
    steps: int = 20

    def __call__(self, run: Run, stopping: threading.Event) -> Ended:
        value = run.settings["VALUE"]
        if not value.replace(".", "").isdigit():
            raise errors.FreshProcessError(value)
        process = subprocess.Popen(
            [
                sys.executable,
                "-S",
                "-c",
                _PROGRAM,
                run.model_dir,
                value,
                str(self.secs),
                str(self.steps),
            ],
            stdin=subprocess.PIPE,
            start_new_session=True,
        )
        with process:
            while process.poll() is None:
                if stopping.wait(0.02):
                    process.kill()
                    raise errors.InterruptedRunError("It was stopped.", 15)
        last = evaluations(pathlib.Path(run.model_dir))[-1]
        return Ended(last["step"], {"accuracy": last["accuracy"], "loss": last["loss"]})


@dataclasses.dataclass(frozen=True)
class BusyAtFirst(LightRunner):
    """Finds somebody else at work in the model folder once, as after a kill."""

    def __call__(self, run: Run, stopping: threading.Event) -> Ended:
        if not pathlib.Path(run.model_dir).exists():
            pathlib.Path(run.model_dir).mkdir(parents=True)
            raise errors.LockHeldError("Somebody else trains here.")
        return super().__call__(run, stopping)


def evaluations(model_dir: pathlib.Path) -> list[dict[str, float]]:
    """Returns the evaluations of a trial."""
    lines = (model_dir / "metrics.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def starts(folder: pathlib.Path) -> dict[int, list[int]]:
    """Returns the steps from which each trial of a sweep was started, by its number."""
    found = folder.glob("trials/*/starts.txt")
    return {int(path.parent.name): list(map(int, path.read_text().split())) for path in found}


def choice(*values: object) -> Choice:
    """Returns what trials of light runs choose."""
    return Choice("VALUE", values)


def plan(folder: pathlib.Path, *values: object, workers: int = 1, **given: object) -> Plan:
    """Returns a sweep of light runs, by default a grid of some values."""
    runner = given.pop("runner", LightRunner())
    storage = given.pop("storage", None)
    given.setdefault("space", [choice(*values)] if values else None)
    settings = {
        "objective": Objective("accuracy"),
        "sampler": Grid(),
        "heartbeat_secs": 1,
        **given,
    }
    return Plan(Sweep(**settings), runner, str(folder), workers, storage)
