"""Measures this package beside tensorflow-hub 0.15.0 and prints one table.

    make bench
    make bench ONLY=instantiate RUNS=1

Each measurement is a process of its own; ours and the peer's take turns. The modules are made where
they are missing, in the peer's environment. `results.json` beside them holds all figures.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import subprocess
import sys

from benchmarks import harness, modules
from benchmarks.registry import benchmarks
from benchmarks.table import table


def main() -> None:
    arguments = _parser().parse_args()
    out = pathlib.Path(arguments.out).resolve()
    chosen = [each for each in benchmarks() if arguments.only in each.name]
    if not chosen:
        raise SystemExit(f"error: no benchmark's name holds {arguments.only!r}")
    pythons = {harness.OURS: arguments.peer_python, harness.PEER: arguments.peer_python}
    if arguments.newest_python:
        pythons[harness.NEWEST] = arguments.newest_python
    folders = {"modules": str(out / "modules"), "data": str(out / "data")}
    for name in sorted({name for benchmark in chosen for name in benchmark.modules}):
        _make_module(arguments.peer_python, name, out / "modules" / name)
    rows = []
    for benchmark in chosen:
        rows += harness.measure(benchmark, pythons, folders, arguments.runs, _progress)
        _progress("")
    results = {"runs": arguments.runs, "rows": harness.as_json(rows)}
    (out / "results.json").write_text(json.dumps(results, indent=2) + "\n", "utf-8")
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


def _make_module(python: str, name: str, path: pathlib.Path) -> None:
    assert name in modules.NAMES
    if path.is_dir():
        return
    _progress(f"making the module {name}\n")
    command = [python, "-m", "benchmarks.modules", f"--name={name}", f"--path={path}"]
    done = subprocess.run(command, cwd=harness.ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"error: {' '.join(command)} failed:\n{done.stderr[-2000:]}")


def _progress(text: str) -> None:
    """Shows what is under way on one line of a terminal, and nothing elsewhere."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
