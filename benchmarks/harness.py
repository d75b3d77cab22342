"""Runs programs in fresh processes, the two libraries in turn, and compares the medians."""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import signal
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

ROOT = pathlib.Path(__file__).resolve().parents[1]
# Who is measured: ours and the peer on the same TensorFlow, and ours on the newest for the record.
OURS, PEER, NEWEST = "ours", "peer", "newest"


class ProgramError(Exception):
    """A program under measure failed."""


@dataclasses.dataclass(frozen=True)
class Figure:
    """One number that a program prints, and what it is wanted to be.

    Attributes:
      key: its name in the JSON that the program prints.
      what: what it is called in the table.
      goal: the ratio ours / peer to reach: at most this, or at least where `more_is_better`.
        Where there is no peer, what ours is to reach. None is measured for the record.
      more_is_better: whether it is a throughput.
    """

    key: str
    what: str
    goal: float | None = None
    more_is_better: bool = False


@dataclasses.dataclass(frozen=True)
class Benchmark:
    """A program, how each library runs it, and the figures that it prints.

    Attributes:
      name: what `--only` chooses it by.
      ours: the arguments after `python` for this package; `{modules}` and `{data}` in them stand
        for the folders of the modules and the data.
      peer: those for the peer; None where there is nothing to compare with.
      figures: what it prints.
      modules: the names of the modules (`benchmarks.modules.NAMES`) that must be there.
      data: the names of the data (`benchmarks.data.NAMES`) that must be there.
      runs: how many runs of each, where a run is too long for the usual number.
      on_newest: whether both run on the newest TensorFlow, beside something that is there too.
    """

    name: str
    ours: Sequence[str]
    peer: Sequence[str] | None
    figures: Sequence[Figure]
    modules: Sequence[str] = ()
    data: Sequence[str] = ()
    runs: int | None = None
    on_newest: bool = False


@dataclasses.dataclass(frozen=True)
class Row:
    """One line of the results.

    Attributes:
      benchmark: the benchmark's name.
      figure: the figure.
      medians: the median by who: `OURS`, `PEER`, `NEWEST`; those that were measured.
      ratios: ours / peer of each run and its neighbour, sorted; empty without a peer.
    """

    benchmark: str
    figure: Figure
    medians: Mapping[str, float]
    ratios: Sequence[float]

    @property
    def ratio(self) -> float | None:
        """The median of ours / that of the peer; None where the peer was not measured, or is 0."""
        peer = self.medians.get(PEER)
        return self.medians[OURS] / peer if peer else None

    @property
    def reached(self) -> bool | None:
        """Whether the goal is reached; None where there is none."""
        found = self.ratio if PEER in self.medians else self.medians[OURS]
        if self.figure.goal is None or found is None:
            return None
        return (
            found >= self.figure.goal if self.figure.more_is_better else found <= self.figure.goal
        )


def measure(
    benchmark: Benchmark,
    pythons: Mapping[str, str],
    folders: Mapping[str, str],
    runs: int,
    progress: Callable[[str], None] = lambda text: None,
) -> list[Row]:
    """Runs a benchmark.

    Args:
      benchmark: the benchmark.
      pythons: the interpreter of each environment, by who it runs.
      folders: what stands for `{modules}` and `{data}`.
      runs: how many runs of each.
      progress: is told of each process.

    Raises:
      ProgramError: a program failed or printed no figures.
    """
    found: dict[str, list[dict[str, float]]] = {}
    count = min(runs, benchmark.runs or runs)
    for number in range(count):
        # In turn, so that what else the machine does meets both alike.
        for who, command in _commands(benchmark, pythons, folders):
            progress(f"{benchmark.name}: {who} {number + 1}/{count}")
            found.setdefault(who, []).append(run(command))
    return [_row(benchmark.name, figure, found) for figure in benchmark.figures]


def _commands(
    benchmark: Benchmark, pythons: Mapping[str, str], folders: Mapping[str, str]
) -> Iterable[tuple[str, list[str]]]:
    arguments = {OURS: benchmark.ours, PEER: benchmark.peer, NEWEST: benchmark.ours}
    if benchmark.on_newest:
        pythons = dict.fromkeys((OURS, PEER), pythons[NEWEST])
    for who, given in arguments.items():
        if given is not None and who in pythons:
            yield who, [pythons[who], *(argument.format(**folders) for argument in given)]


def end_on_signals() -> None:
    """Has SIGTERM end this program as Ctrl-C does, with the programs that it runs."""
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))


def environment() -> dict[str, str]:
    """Returns the environment of a program in the checkout: without accelerators, and quiet."""
    env = {**os.environ, "PYTHONPATH": str(ROOT), "CUDA_VISIBLE_DEVICES": ""}
    env.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    return env


def run(command: Sequence[str]) -> dict[str, float]:
    """Runs a program in the checkout; returns the figures in the last line that it prints.

    Raises:
      ProgramError: it failed, or its last line holds no figures.
    """
    done = subprocess.run(
        command, env=environment(), cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise ProgramError(f"{' '.join(command)} failed:\n{done.stderr[-2000:]}")
    try:
        return json.loads(done.stdout.strip().rpartition("\n")[2])
    except ValueError as error:
        raise ProgramError(f"{' '.join(command)} printed no figures: {done.stdout!r}") from error


def _row(name: str, figure: Figure, found: Mapping[str, list[dict[str, float]]]) -> Row:
    values = {who: [result[figure.key] for result in results] for who, results in found.items()}
    medians = {who: statistics.median(measured) for who, measured in values.items()}
    pairs = zip(values.get(OURS, ()), values.get(PEER, ()), strict=False)
    return Row(name, figure, medians, sorted(ours / peer for ours, peer in pairs if peer))


def as_json(rows: Iterable[Row]) -> list[dict[str, Any]]:
    """Returns the results as plain values."""
    return [
        {
            "what": row.figure.what,
            "goal": row.figure.goal,
            "more_is_better": row.figure.more_is_better,
            "medians": dict(row.medians),
            "ratio": row.ratio,
            "ratios": list(row.ratios),
            "reached": row.reached,
        }
        for row in rows
    ]
