"""How training scales in a cluster by `TF_CONFIG`: examples per second, and what it sends.

python -m benchmarks.clusters --folder=out/bench/clusters

The steps wait, and all tasks are on this machine: what is measured is what a cluster adds to a step. The
bytes are those of the loopback interface, of whichever program; in a network of its own they are of the
cluster alone:

    unshare --map-root-user --net sh -c 'ip link set lo up && python -m benchmarks.clusters ...'
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import shutil
import sys

from benchmarks import harness
from benchmarks.local_cluster import LocalCluster, TaskError

BATCH = 32  # examples of a step of each worker
MIB = 1 << 20


@dataclasses.dataclass(frozen=True)
class Case:
    """One cluster.

    Attributes:
      strategy: `"alone"`, which is none; `"multi_worker"`; `"parameter_server"`.
      workers: how many tasks train; the first one is the chief.
      kind: the kind of the model: `"text"`, `"dense"`, or `"frozen"`, which is a dense one of which
        only the head is trained.
      megabytes: how large its module is, in MiB.
    """

    strategy: str
    workers: int
    kind: str
    megabytes: float

    @property
    def tasks(self) -> dict[str, int]:
        """How many tasks there are of each type."""
        if self.strategy == "alone":
            return {}
        servers = {"ps": 1} if self.strategy == "parameter_server" else {}
        workers = {"worker": self.workers - 1} if self.workers > 1 else {}
        return {**servers, "chief": 1, **workers}


@dataclasses.dataclass(frozen=True)
class Measured:
    """What a cluster does.

    Attributes:
      examples: per second, by all workers.
      step_secs: of a step of a worker.
      sent: MiB that all tasks send, for each step of each worker.
      processor_secs: that processors work for it, in all tasks.
    """

    examples: float
    step_secs: float
    sent: float
    processor_secs: float


@dataclasses.dataclass(frozen=True)
class Times:
    """How long everything takes, in seconds.

    Attributes:
      wait: a step waits.
      measured: the cluster is watched.
      longest: it may take to begin.
      first_steps: how many steps each worker makes before it is watched.
    """

    wait: float
    measured: float
    longest: float
    first_steps: int = 10


def measure(case: Case, folder: str, times: Times) -> Measured:
    """Runs a cluster for a while.

    Args:
      case: the cluster.
      folder: where modules, logs and model folders are to be.
      times: how long.

    Raises:
      TaskError: a task ended, or the cluster does not begin.
      ProgramError: the module cannot be made.
    """
    module = _module(case, folder)
    work = os.path.join(folder, "work")
    shutil.rmtree(work, ignore_errors=True)
    os.makedirs(work)
    model_dir = os.path.join(work, "model")

    def command(steps_path: str) -> list[str]:
        return [
            sys.executable, "-m", "benchmarks.programs.cluster_task", f"--module={module}",
            *(["--frozen"] if case.kind == "frozen" else []), f"--strategy={case.strategy}",
            f"--wait={times.wait}", f"--batch={BATCH}", f"--model_dir={model_dir}",
            f"--steps_path={steps_path}",
        ]  # fmt: skip

    with LocalCluster(work, command, case.tasks) as cluster:
        _begin(case, cluster, model_dir, times)
        before = cluster.counters()
        cluster.sleep(times.measured)
        after = cluster.counters()
        steps = sum(cluster.steps(before.time, after.time).values())
    secs = after.time - before.time
    if not steps:
        raise TaskError(f"no worker made a step in {secs:.0f} seconds")
    return Measured(
        examples=steps * BATCH / secs,
        step_secs=secs * case.workers / steps,
        sent=(after.sent - before.sent) / MIB / steps,
        processor_secs=(after.processor - before.processor) / steps,
    )


def _begin(case: Case, cluster: LocalCluster, model_dir: str, times: Times) -> None:
    """Starts all tasks, and waits until each worker has made its first steps."""
    if "ps" in case.tasks:
        cluster.start("ps")
    cluster.start("chief")
    if "ps" in case.tasks:
        # A worker that finds the model not yet initialized waits for half a minute.
        checkpoint = os.path.join(model_dir, "checkpoint")
        cluster.wait_until(lambda: os.path.exists(checkpoint), "checkpoint", times.longest)
    for index in range(case.workers - 1):
        cluster.start("worker", index)
    cluster.wait_until(
        lambda: min(cluster.steps().values()) >= times.first_steps,
        f"step {times.first_steps} of each worker", times.longest,
    )  # fmt: skip


def _module(case: Case, folder: str) -> str:
    """Returns the folder of the module, made once."""
    kind = "dense" if case.kind == "frozen" else case.kind
    path = os.path.join(folder, f"{kind}_{case.megabytes:g}")
    if not os.path.exists(path):
        program = [sys.executable, "-m", "benchmarks.programs.cluster_models"]
        size = f"--megabytes={case.megabytes}"
        harness.run([*program, f"--kind={kind}", size, f"--path={path}"])
    return path


def _models(text: str) -> tuple[str, float]:
    kind, _, megabytes = text.partition(":")
    return kind, float(megabytes)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--folder", required=True)
    parser.add_argument("--strategies", nargs="+", default=["multi_worker", "parameter_server"])
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--models", type=_models, nargs="+", metavar="KIND:MIB",
                        default=[("text", 31), ("dense", 10), ("frozen", 10)],
                        help="text, dense or frozen, and the size of the module")  # fmt: skip
    parser.add_argument("--wait", type=float, default=0.2, help="seconds that a step waits")
    parser.add_argument("--secs", type=float, default=30.0, help="how long a cluster is watched")
    parser.add_argument("--longest", type=float, default=300.0, help="seconds it may take to begin")
    given = parser.parse_args()
    harness.end_on_signals()
    times, folder = Times(given.wait, given.secs, given.longest), os.path.abspath(given.folder)
    os.makedirs(folder, exist_ok=True)
    print("| strategy | workers | module | examples/s | share of ideal | ms beside waiting | "
          "MiB sent a step | ms of processors a step |\n|---|---|---|---|---|---|---|---|")  # fmt: skip
    for model in given.models:
        alone = measure(Case("alone", 1, *model), folder, times)
        _show(Case("alone", 1, *model), alone, alone, times)
        for strategy in given.strategies:
            for workers in given.workers:
                case = Case(strategy, workers, *model)
                _show(case, measure(case, folder, times), alone, times)


def _show(case: Case, found: Measured, alone: Measured, times: Times) -> None:
    share = found.examples / alone.examples / case.workers
    beside = 1000 * (found.step_secs - times.wait)
    print(f"| {case.strategy} | {case.workers} | {case.kind}, {case.megabytes:g} MiB | "
          f"{found.examples:.0f} | {share:.2f} | {beside:.0f} | {found.sent:.2f} | "
          f"{1000 * found.processor_secs:.0f} |", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
