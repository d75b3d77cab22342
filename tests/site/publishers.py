"""Publishes in processes that die at a given step; run as a program, since it forks.

    python publishers.py MODULE FOLDER

For each number it makes a site in FOLDER, in a process that is killed before so many changes of the
disk, and publishes into it again. It prints how many changes there are, or where something is wrong.
"""

from __future__ import annotations

import logging
import os
import pathlib
import shutil
import signal
import sys
import traceback

from hub_estimator.site import publishing, withdrawing
from tests.site.published import NAME
from tests.site.sites import check_shown, check_whole

_CHANGES = (
    "os.rename",
    "os.remove",
    "os.mkdir",
    "os.rmdir",
    "os.symlink",
    "os.link",
    "os.truncate",
)
_STEPS = 400


def die_before(number: int) -> None:
    """Kills this process before its change of the disk of this number."""
    done = 0

    def watch(event: str, arguments: tuple) -> None:
        nonlocal done
        if event == "open":
            is_change = bool(arguments[2] & (os.O_WRONLY | os.O_RDWR))
        else:
            is_change = event in _CHANGES
        if is_change:
            done += 1
            if done == number:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(watch)


def in_process(action, *arguments) -> int:
    """Runs something in a process of its own; returns its status, negative for a signal."""
    process = os.fork()
    if process == 0:
        try:
            action(*arguments)
        except BaseException:  # noqa: BLE001  this process must not go on as its parent
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def first(module: str, site: pathlib.Path, number: int) -> None:
    die_before(number)
    publishing.publish(module, site, NAME)


def second(module: str, site: pathlib.Path, number: int) -> None:
    """Another version, of another module, and a withdrawal of the first one."""
    die_before(number)
    publishing.publish(module, site, NAME)
    withdrawing.withdraw(site, NAME, 1, "Wrong labels.")


def main(module: str, folder: pathlib.Path) -> None:
    logging.disable(logging.CRITICAL)
    other = str(shutil.copytree(module, folder / "other"))
    (folder / "other" / "assets").mkdir(exist_ok=True)
    (folder / "other" / "assets" / "more.txt").write_text("more")
    base = folder / "base"
    publishing.publish(module, base, NAME)  # here, so that no process imports or compiles anew
    for name, action in (("first", first), ("second", second)):
        for number in range(1, _STEPS):
            site = folder / f"{name}-{number}"
            if action is second:
                shutil.copytree(base, site, symlinks=True)
            status = in_process(action, other, site, number)
            if status == 0:
                break
            assert status == -signal.SIGKILL, f"{name} {number}: status {status}"
            check_shown(site)
            assert in_process(publishing.publish, other, site, NAME) == 0, f"{name} {number}"
            if action is second:
                assert in_process(withdrawing.withdraw, site, NAME, 1, "Wrong labels.") == 0
            check_whole(site)
            shutil.rmtree(site)
        check_whole(site)
        print(name, number - 1)


if __name__ == "__main__":
    main(sys.argv[1], pathlib.Path(sys.argv[2]))
