"""How sweeps scale: trials an hour by the number of workers, and what a trial costs its storage.

python -m benchmarks.sweeps --folder=out/bench/sweeps [--storage=postgresql://user@host/database]

The trials wait: each writes an evaluation a second, as a training would, and uses no core, so what is
measured is what a sweep adds to its trials. Without --storage it is SQLite in the folder.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import logging
import os
import shutil
import threading
import time
import uuid
from collections.abc import Iterator

from hub_estimator.sweep import study, worker
from hub_estimator.sweep.plan import Plan
from hub_estimator.sweep.runner import Ended, Run
from hub_estimator.sweep.samplers import TPE, RandomSearch, Sampler
from hub_estimator.sweep.space import Choice, LogUniform
from hub_estimator.sweep.supervisor import Supervisor
from hub_estimator.sweep.sweep import Sweep
from hub_estimator.training.objective import Objective

SPACE = (
    Choice("MODULE", [f"/modules/{number}" for number in range(3)]),
    Choice("FINE_TUNE", [False, True]),
    LogUniform("LEARNING_RATE", 0.001, 0.1, when={"FINE_TUNE": True}),
)


@dataclasses.dataclass(frozen=True)
class WaitingRunner:
    """Runs trials that wait.

    Attributes:
      evaluations: how many each has.
      secs: how long it waits for each.
    """

    evaluations: int
    secs: float

    def __call__(self, run: Run, stopping: threading.Event) -> Ended:
        os.makedirs(run.model_dir, exist_ok=True)
        value = float(run.settings.get("LEARNING_RATE", 0.05))
        lines = []
        for step in range(1, self.evaluations + 1):
            stopping.wait(self.secs)
            found = {"step": step, "checkpoint": f"model.ckpt-{step}", "accuracy": value * step}
            lines.append(json.dumps(found))
            path = os.path.join(run.model_dir, "metrics.jsonl")
            with open(f"{path}~", "w", encoding="utf-8") as file:
                file.write("\n".join(lines) + "\n")
            os.replace(f"{path}~", path)
        return Ended(self.evaluations, {"accuracy": value * self.evaluations})


def plan(folder: str, trials: int, runner: WaitingRunner, sampler: Sampler,
         storage: str | None, workers: int = 1) -> Plan:  # fmt: skip
    """Returns a sweep that nobody has begun."""
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    sweep = Sweep(list(SPACE), Objective("accuracy"), sampler, trials=trials,
                  name=f"bench-{uuid.uuid4().hex[:8]}")  # fmt: skip
    return Plan(sweep, runner, os.path.abspath(folder), workers, storage)


def throughput(
    folder: str, storage: str | None, workers: int, secs: float, each: int
) -> Iterator[str]:
    """Measures the trials an hour of some workers; each has so many trials, of so many seconds."""
    evaluations = 5
    runner = WaitingRunner(evaluations, secs / evaluations)
    made = plan(folder, each * workers, runner, RandomSearch(), storage, workers)
    began = time.monotonic()
    found = Supervisor(made, threading.Event()).run()
    wall = time.monotonic() - began
    assert [trial.state for trial in found.trials] == ["complete"] * (each * workers)
    assert len(study.opened(made).records()) == each * workers
    first = min(trial.started for trial in found.trials if trial.started is not None)
    # From the first trial on: starting workers is of the sweep, not of its trials.
    steady = time.time() - first.timestamp()
    hour = 3600 * each * workers / steady
    ideal = 3600 * workers / secs
    spread = sorted(
        sum(trial.worker == name for trial in found.trials)
        for name in {trial.worker for trial in found.trials}
    )
    yield (
        f"| {'PostgreSQL' if storage else 'SQLite'} | {workers} | {hour:,.0f} | {ideal:,.0f} | "
        f"{hour / ideal:.2f} | {wall - steady:.1f} | {spread} |"
    )


class Counter:
    """Counts the statements that this process sends to a database, and the time that they take."""

    def __init__(self) -> None:
        from sqlalchemy import event
        from sqlalchemy.engine import Engine

        self.statements, self.secs, self._began = 0, 0.0, 0.0
        event.listen(Engine, "before_cursor_execute", self._before)
        event.listen(Engine, "after_cursor_execute", self._after)

    def _before(self, *_: object) -> None:
        self._began = time.perf_counter()

    def _after(self, *_: object) -> None:
        self.statements += 1
        self.secs += time.perf_counter() - self._began


def operations(
    folder: str, storage: str | None, sampler: Sampler, evaluations: int, counts: tuple[int, int]
) -> Iterator[str]:
    """Measures what a trial costs the storage, as a worker works at it: between two numbers of trials."""
    counter = Counter()
    made = plan(folder, counts[1], WaitingRunner(evaluations, 0.0), sampler, storage)
    opened = study.opened(made)
    study.describe(opened)
    for number in counts:
        now = study.OpenStudy(dataclasses.replace(made, given_trials=number), opened.study)
        now.fill()
        while now.waiting():
            statements, secs, began = counter.statements, counter.secs, time.monotonic()
            worker.Worker(now.plan, 0, threading.Event()).work()
            now.fill()
    statements, secs = counter.statements - statements, counter.secs - secs
    wall = time.monotonic() - began
    before = counter.statements
    opened.seen()
    trials = counts[1] - counts[0]
    yield (
        f"| {'PostgreSQL' if storage else 'SQLite'} | {type(sampler).__name__} | {evaluations} | "
        f"{counts[0]} to {counts[1]} | {statements / trials:.0f} | {1000 * secs / trials:.0f} | "
        f"{1000 * wall / trials:.0f} | {counter.statements - before} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--folder", required=True)
    parser.add_argument("--storage")
    parser.add_argument("--secs", type=float, default=5.0, help="how long a trial takes")
    parser.add_argument("--trials", type=int, default=8, help="of each worker")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--before", type=int, nargs="+", default=[10, 100],
                        help="how many trials there are before those whose operations are counted")  # fmt: skip
    given = parser.parse_args()
    logging.getLogger("hub_estimator").setLevel(logging.WARNING)
    print("| storage | workers | trials an hour | ideal | share | s to start | trials by worker |")
    print("|---|---|---|---|---|---|---|")
    for workers in given.workers:
        for line in throughput(given.folder, given.storage, workers, given.secs, given.trials):
            print(line, flush=True)
    print("\n| storage | sampler | evaluations | trials | statements a trial | ms in them | ms | "
          "statements of a look |")  # fmt: skip
    print("|---|---|---|---|---|---|---|---|")
    for sampler, evaluations in ((RandomSearch(), 5), (RandomSearch(), 10), (TPE(), 5)):
        for count in given.before:
            counts = count, count + given.trials
            for line in operations(given.folder, given.storage, sampler, evaluations, counts):
                print(line, flush=True)


if __name__ == "__main__":
    main()
