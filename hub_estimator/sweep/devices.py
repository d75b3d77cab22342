"""Which part of a machine a trial has: threads of its cores, and a GPU."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import threading
import time
from collections.abc import Iterator, Sequence

from hub_estimator import environment, files
from hub_estimator.files import locks
from hub_estimator.sweep.sweep import Gpus

_THREADS = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS")
_VISIBLE = "CUDA_VISIBLE_DEVICES"
_GROWTH = "TF_FORCE_GPU_ALLOW_GROWTH"
_DEVICE = re.compile(r"nvidia(\d+)")
_LOOK_SECS = 0.5

_logger = logging.getLogger("hub_estimator")


def threads(workers: int) -> dict[str, str]:
    """Returns the variables that give each of some workers its share of the cores.

    A single one has all of them; what the user set stays.
    """
    if workers < 2:
        return {}
    share = str(max(1, environment.cores() // workers))
    return {name: share for name in _THREADS if name not in os.environ}


def gpus() -> list[str]:
    """Returns the GPUs that programs may use here, as CUDA names them."""
    given = os.environ.get(_VISIBLE)
    if given is not None:
        names = [name.strip() for name in given.split(",") if name.strip()]
        return [] if "-1" in names else names
    devices = files.listing("/dev") if os.path.isdir("/dev") else []
    numbers = sorted(int(found[1]) for name in devices if (found := _DEVICE.fullmatch(name)))
    return list(map(str, numbers))


@contextlib.contextmanager
def gpu(
    use: Gpus, index: int, there: Sequence[str], stopping: threading.Event
) -> Iterator[dict[str, str]]:
    """Gives a trial a GPU for the time of a `with` block: the variables that say which.

    Args:
      use: see `Sweep`.
      index: the number of the worker on this machine.
      there: the GPUs; without any there is nothing to give.
      stopping: ends the waiting for one, without one.
    """
    if not there:
        yield {}
        return
    start = index % len(there)
    in_order = [*there[start:], *there[:start]]
    with contextlib.ExitStack() as stack:
        chosen = in_order[0] if use == "shared" else _in_turn(in_order, stack, stopping)
        # Else the first trial on it takes all of its memory.
        growth = {} if _GROWTH in os.environ else {_GROWTH: "true"}
        yield {_VISIBLE: chosen, **growth}


def _in_turn(
    in_order: Sequence[str], stack: contextlib.ExitStack, stopping: threading.Event
) -> str:
    """Waits for a GPU that nobody has, and holds it."""
    folder = files.join(files.user_cache_folder(), "gpus")
    files.make_folder(folder)
    since = time.monotonic()
    has_told = False
    while not stopping.is_set():
        for name in in_order:
            path = files.join(folder, f"{re.sub('[^A-Za-z0-9-]', '_', name)}.lock")
            with contextlib.ExitStack() as attempt:
                if attempt.enter_context(locks.held_if_free(path)):
                    stack.enter_context(attempt.pop_all())
                    return name
        if not has_told and time.monotonic() - since > 1:
            _logger.info("waits for a GPU: other trials have all of %s", ", ".join(in_order))
            has_told = True
        stopping.wait(_LOOK_SECS)
    return in_order[0]
