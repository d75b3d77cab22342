"""Measures this package beside tensorflow-hub 0.15.0 and prints one table.

    make bench
    make bench ONLY=instantiate RUNS=1

Each measurement is a process of its own; ours and the peer's take turns. The modules are made where
they are missing, in the peer's environment. `results.json` beside them has all figures, by
benchmark; one that is not measured keeps what it had.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import subprocess
import sys
from typing import Any

from benchmarks import harness
from benchmarks.registry import benchmarks
from benchmarks.table import table


def main() -> None:
    arguments = _parser().parse_args()
    out = pathlib.Path(arguments.out).resolve()
    chosen = [benchmark for benchmark in benchmarks() if arguments.only in benchmark.name]
    if not chosen:
        raise SystemExit(f"error: no benchmark's name holds {arguments.only!r}")
    pythons = {harness.OURS: arguments.peer_python, harness.PEER: arguments.peer_python}
    if arguments.newest_python:
        pythons[harness.NEWEST] = arguments.newest_python
    elif any(benchmark.on_newest for benchmark in chosen):
        raise SystemExit("error: a benchmark runs on the newest TensorFlow: give --newest_python")
    folders = {"modules": str(out / "modules"), "data": str(out / "data")}
    for kind in folders:
        for name in sorted({name for benchmark in chosen for name in getattr(benchmark, kind)}):
            _make(arguments.peer_python, kind, name, out / kind / name)
    rows = []
    for benchmark in chosen:
        found = harness.measure(benchmark, pythons, folders, arguments.runs, _progress)
        _progress("")
        _save(out / "results.json", benchmark.name, harness.as_json(found))
        rows += found
    print(table(rows))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--out", default="out/bench", help="the folder of modules and results")
    parser.add_argument("--only", default="", help="measure what has this in its name")
    parser.add_argument("--runs", type=int, default=5, help="processes of each")
    parser.add_argument(
        "--peer_python", default=sys.executable, help="Python with TensorFlow 2.15 and the peer"
    )
    parser.add_argument("--newest_python", default="", help="Python with the newest TensorFlow")
    return parser


def _make(python: str, kind: str, name: str, path: pathlib.Path) -> None:
    """Makes a module or data, where it is missing."""
    if path.is_dir():
        return
    _progress(f"making {kind}/{name}")
    command = [python, "-m", f"benchmarks.{kind}", f"--name={name}", f"--path={path}"]
    done = subprocess.run(command, cwd=harness.ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"error: {' '.join(command)} failed:\n{done.stderr[-2000:]}")


def _save(path: pathlib.Path, name: str, rows: list[dict[str, Any]]) -> None:
    """Writes the results of a benchmark beside those of others that were measured before."""
    path.parent.mkdir(parents=True, exist_ok=True)  # a benchmark may need no modules and no data
    results = json.loads(path.read_text("utf-8")) if path.exists() else {}
    path.write_text(json.dumps({**results, name: rows}, indent=2) + "\n", "utf-8")


def _progress(text: str) -> None:
    """Shows what is under way on one line of a terminal, and nothing elsewhere."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
