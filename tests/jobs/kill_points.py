"""Kills a process that runs jobs before each of its file operations, one after the other.

    python -m tests.jobs.kill_points FOLDER [STEP]

A process without TensorFlow forks children. The n-th is killed before its n-th file operation, or in
the middle of it where it writes; then another one does what is due, and what is there is looked at.
With a STEP of more than 1 only every so many operations. It prints how many operations there were.
"""

from __future__ import annotations

import os
import pathlib
import shutil
import signal
import sys
import threading
from typing import Any

from hub_estimator.jobs import journal, scheduler
from hub_estimator.jobs.destinations.folders import Folder, NumberedFolder
from hub_estimator.jobs.destinations.site import Site
from hub_estimator.jobs.job import ExportJob, ExportJobs
from hub_estimator.jobs.keeping import Keep
from hub_estimator.site import site_folder
from tests.jobs import job_parts
from tests.site.published import NAME
from tests.site.sites import check_shown, check_whole

OPERATIONS = ("open", "os.rename", "os.link", "os.symlink", "os.mkdir", "os.rmdir", "os.remove")
OPERATIONS += ("os.truncate",)


def jobs_in(folder: pathlib.Path) -> ExportJobs:
    job = ExportJob(
        "job",
        str(folder / "model"),
        [
            Folder(str(folder / "stable")),
            NumberedFolder(str(folder / "numbered")),
            Site(str(folder / "hub"), NAME),
        ],
        keep=Keep(newest=1),
        then=["true"],
    )
    return ExportJobs([job], str(folder / "state"))


def run_once(folder: pathlib.Path) -> Any:
    jobs, work, stopping = jobs_in(folder), job_parts.FakeWork(), threading.Event()
    with scheduler.held(jobs) as places:
        made = scheduler.Scheduler(jobs, places, work, stopping)
        outcomes = made.once(regardless=True)
        made.close()
    return outcomes["job"], work


def die_at(number: int, folder: pathlib.Path) -> None:
    """Has this process die before its operation of a number."""
    count = 0
    inside = str(folder)

    def counted() -> bool:
        nonlocal count
        count += 1
        return count == number

    def hook(event: str, args: tuple[Any, ...]) -> None:
        is_own = event in ("os.rmdir", "os.remove") or str(args[0] if args else "").startswith(
            inside
        )
        if event in OPERATIONS and is_own and counted():
            os.kill(os.getpid(), signal.SIGKILL)

    write, flush = os.write, os.fsync

    def half_a_write(descriptor: int, content: bytes) -> int:
        if counted():
            write(descriptor, content[: len(content) // 2])
            os.kill(os.getpid(), signal.SIGKILL)
        return write(descriptor, content)

    def no_flush(descriptor: int) -> None:
        if counted():
            os.kill(os.getpid(), signal.SIGKILL)
        flush(descriptor)

    os.write, os.fsync = half_a_write, no_flush
    sys.addaudithook(hook)


def is_killed(folder: pathlib.Path, number: int) -> bool:
    """Runs the jobs in a child that dies at an operation; returns whether it came to that."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            die_at(number, folder)
            outcome, _ = run_once(folder)
            status = 0 if outcome.result == "published" else 1
        finally:
            os._exit(status)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return True
    assert status == 0, f"the child failed at operation {number}"
    return False


def check_visible(folder: pathlib.Path) -> None:
    """Checks that what a reader sees is whole, whenever it looks."""
    for place in ("stable", "numbered"):
        for version in (folder / place).iterdir():
            if not version.name.startswith("."):
                check_version(version)
    assert (folder / "stable" / "latest").is_symlink()
    check_shown(folder / "hub")


def check_version(version: pathlib.Path) -> None:
    step = (version / "text" / "tfhub_module.pb").read_text()
    assert (version / "text" / "variables" / "values").read_text() == step
    assert f'"step": {step}\n' in (version / "publication.json").read_text()


def check_end(folder: pathlib.Path) -> None:
    """Checks what is there once somebody did what was due."""
    check_visible(folder)
    [version] = [name for name in os.listdir(folder / "stable") if name != "latest"]
    assert os.readlink(folder / "stable" / "latest") == version
    assert (folder / "stable" / version / "text" / "tfhub_module.pb").read_text() == "2"
    assert os.listdir(folder / "numbered") == ["2"]
    check_whole(folder / "hub")
    versions = site_folder.Site(str(folder / "hub")).versions(NAME)
    assert [(version.number, version.is_there) for version in versions] == [(2, True), (1, False)]
    assert os.listdir(folder / "state" / "work") == []
    events = journal.read(str(folder / "state" / "journal.jsonl"))
    published = [
        (event["place"], event["publication"]["step"])
        for event in events
        if event["event"] == "published"
    ]
    places = [str(folder / "stable"), str(folder / "numbered"), str(folder / "hub" / NAME)]
    assert published == [(place, step) for step in (1, 2) for place in places]
    assert events[-1]["event"] in ("then", "removed")


def main(folder: pathlib.Path, step: int) -> None:
    job_parts.publish_to_sites_here(setattr)
    (folder / "begin" / "model").mkdir(parents=True)
    (folder / "begin" / "model" / "operative_config.gin").touch()
    begin = folder / "begin"
    job_parts.save(begin / "model", 1)
    run_once(begin)
    job_parts.save(begin / "model", 2)
    here = folder / "here"
    number = 1
    while True:
        # The journal names places, so each time is in the same one.
        shutil.rmtree(here, ignore_errors=True)
        shutil.copytree(begin, here, symlinks=True)
        (here / "state" / "journal.jsonl").write_text(
            (begin / "state" / "journal.jsonl").read_text().replace(str(begin), str(here))
        )
        killed = is_killed(here, number)
        try:
            check_visible(here)
            if killed:
                outcome, _ = run_once(here)
                assert outcome.result in ("published", "unchanged"), outcome
            check_end(here)
        except BaseException:
            print(f"killed at operation {number}", file=sys.stderr)
            raise
        if not killed:
            print(number)
            return
        number += step


if __name__ == "__main__":
    main(pathlib.Path(os.path.realpath(sys.argv[1])), int((sys.argv[2:] or [1])[0]))
