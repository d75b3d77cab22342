"""What the programs share: the library under measure, the clock, and how figures are printed."""

from __future__ import annotations

import argparse
import contextlib
import glob
import importlib
import json
import os
import resource
import statistics
import time
from collections.abc import Iterator
from typing import Any

LIBRARIES = ("hub_estimator", "tensorflow_hub")


def parser(doc: str | None) -> argparse.ArgumentParser:
    """Returns a parser of `--library` and `--module`, to which a program adds its own."""
    made = argparse.ArgumentParser(description=(doc or "").partition("\n")[0])
    made.add_argument("--library", required=True, choices=LIBRARIES)
    made.add_argument("--module", required=True, help="the folder of a module")
    return made


def load(name: str) -> Any:
    """Returns a library with all of `hub.Module` imported, so that no clock counts imports."""
    library = importlib.import_module(name)
    assert library.Module
    return library


class Clock:
    """Measures steps of a program, in seconds of wall time."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextlib.contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.seconds[name] = time.perf_counter() - start


def peak_megabytes() -> float:
    """Returns the most memory that this process has had in RAM."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def processor_seconds() -> float:
    """Returns the seconds that the processor has worked for this process, in all its threads."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def steps_per_second(model_dir: str) -> float:
    """Returns the median of what the logs for TensorBoard have, one value for some steps each.

    The first step is in none of them, nor is what comes after the last.
    """
    import tensorflow as tf

    return statistics.median(
        value.simple_value
        for path in glob.glob(os.path.join(model_dir, "events.*"))
        for event in tf.compat.v1.train.summary_iterator(path)
        for value in event.summary.value
        if value.tag == "global_step/sec"
    )


def report(**figures: float) -> None:
    """Prints the figures where the harness looks for them: in the last line."""
    print(json.dumps(figures))
