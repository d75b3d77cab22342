"""How training scales on one machine: with threads, and with more data that is streamed.

python -m benchmarks.scale --folder=out/bench/scale --module=out/bench/modules/resnet_v2_50
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator

from benchmarks import harness


def threads(module: str, steps: int) -> Iterator[str]:
    """Measures training on a frozen image module, by what TensorFlow has; gives lines of a table."""
    core = min(os.sched_getaffinity(0))
    program = [sys.executable, "-m", "benchmarks.programs.image_steps"]
    command = [*program, f"--module={module}", f"--steps={steps}"]
    one = "TF_NUM_INTRAOP_THREADS=1", "TF_NUM_INTEROP_THREADS=1"
    ways = {
        "one core (`taskset`)": ["taskset", "-c", str(core)],
        "one thread an operation, and one for operations": ["env", *one],
        "as it is": [],
    }
    first = None
    for what, before in ways.items():
        found = harness.run([*before, *command])
        first = first or found["images_per_second"]
        yield (
            f"| {what} | {found['steps_per_second']:.2f} | {found['images_per_second']:.1f} | "
            f"{found['images_per_second'] / first:.2f} | {found['cores']:.2f} |"
        )


def memory(folder: str, examples: int, times: list[int], epochs: list[int]) -> Iterator[str]:
    """Measures training on streamed examples, once and so many times as many of them."""
    program = [sys.executable, "-m", "benchmarks.programs.streamed"]
    for number in times:
        count = examples * number
        of_data = [f"--data={os.path.join(folder, f'records_{count}')}", f"--examples={count}"]
        written = harness.run([*program, *of_data, "--write"])
        for epoch in epochs:
            found = harness.run([*program, *of_data, f"--epochs={epoch}"])
            yield (
                f"| {count:,} | {written['megabytes']:.0f} | {epoch} | {found['steps']:,} | "
                f"{found['peak']:.0f} | {found['seconds']:.0f} |"
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--folder", required=True, help="where the records are written")
    parser.add_argument("--module", help="an image module; without it threads are left out")
    parser.add_argument("--steps", type=int, default=24, help="on images")
    parser.add_argument("--examples", type=int, default=20_000, help="that are streamed")
    parser.add_argument("--times", type=int, nargs="+", default=[1, 10], help="and as many of them")
    parser.add_argument("--epochs", type=int, nargs="+", default=[1, 3])
    given = parser.parse_args()
    harness.end_on_signals()
    if given.module is not None:
        print("| TensorFlow has | steps/s | images/s | times | cores used |\n|---|---|---|---|---|")
        for line in threads(os.path.abspath(given.module), given.steps):
            print(line, flush=True)
        print()
    print("| examples | MiB | epochs | steps | peak memory, MiB | s |\n|---|---|---|---|---|---|")
    for line in memory(os.path.abspath(given.folder), given.examples, given.times, given.epochs):
        print(line, flush=True)


if __name__ == "__main__":
    main()
