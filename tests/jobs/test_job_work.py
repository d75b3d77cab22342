"""The command that follows an export: its environment, failures, time, and a stop."""

from __future__ import annotations

import os
import pathlib
import sys
import threading
import time

import pytest

from hub_estimator import errors
from hub_estimator.jobs import work
from hub_estimator.jobs.destinations.folders import Folder
from hub_estimator.jobs.job import ExportJob
from hub_estimator.jobs.work import Worker

pytestmark = pytest.mark.one_tensorflow


@pytest.fixture
def worker(tmp_path):
    return Worker(str(tmp_path / "logs"), threading.Event())


def job(*command, **settings):
    return ExportJob("job", "model", [Folder("out")], then=command, **settings)


def test_its_environment_and_output(worker, tmp_path):
    worker.run_command(job("sh", "-c", "echo $EXPORT_PATH; pwd; cat"), {"EXPORT_PATH": "/a b"})
    log = (tmp_path / "logs" / "job.log").read_text()
    assert log.splitlines() == ["/a b", os.getcwd()]


def test_the_log_is_that_of_the_last_process(worker, tmp_path):
    for word in ("first", "second"):
        worker.run_command(job("echo", word), {})
    assert (tmp_path / "logs" / "job.log").read_text() == "second\n"


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (
            ["sh", "-c", "echo a; echo because. >&2; exit 3"],
            (
                "The command 'sh -c echo a; echo because. >&2; exit 3' ended with status 3: because. "
                "What was published stays; the command is run again."
            ),
        ),
        (
            ["false"],
            (
                "The command 'false' ended with status 1. What was published stays; the command is run "
                "again."
            ),
        ),
        (
            ["./not-there"],
            (
                "The command './not-there' cannot be run: [Errno 2] No such file or directory: "
                "'./not-there'. What was published stays."
            ),
        ),
    ],
    ids=["with a reason", "without", "no command"],
)
def test_failures(worker, command, message):
    with pytest.raises(errors.FollowUpError) as caught:
        worker.run_command(job(*command), {})
    assert str(caught.value) == message


SLEEPING = (
    "import pathlib, os, time; pathlib.Path('pid').write_text(str(os.getpid())); time.sleep(60)"
)


def ends(pid):
    """Waits for the end of a process, whether or not somebody asks how it ended."""
    deadline = time.monotonic() + 60
    stat = pathlib.Path(f"/proc/{pid}/stat")
    while stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z":
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def test_its_time(worker, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    # What the shell started is ended too.
    sleeping = job("sh", "-c", f'{sys.executable} -c "{SLEEPING}"; true', timeout_minutes=0.05)
    with pytest.raises(errors.FollowUpError) as caught:
        worker.run_command(sleeping, {})
    assert str(caught.value).endswith(
        " took longer than 0.05 minutes and was ended. What was published stays. Raise "
        "ExportJob.timeout_minutes."
    )
    assert ends((tmp_path / "pid").read_text())


def test_a_stop(worker, monkeypatch):
    monkeypatch.setattr(work, "_GRACE_SECS", 0.3)
    worker.stopping.set()
    with pytest.raises(errors.InterruptedRunError) as caught:
        worker.run_command(job("sleep", "60"), {})
    assert str(caught.value) == "The command 'sleep 60' was stopped."


def test_a_stop_lets_a_short_command_end(worker):
    worker.stopping.set()
    worker.run_command(job("true"), {})


def test_what_a_command_started_ends_with_it(worker, monkeypatch, tmp_path):
    """Also what does not listen to SIGTERM, where the command itself does."""
    monkeypatch.setattr(work, "_GRACE_SECS", 0.5)
    program = (
        f"(trap '' TERM; echo $BASHPID > {tmp_path}/pid; while true; do sleep 0.1; done) & wait"
    )
    with pytest.raises(errors.FollowUpError, match="took longer than"):
        worker.run_command(job("bash", "-c", program, timeout_minutes=0.02), {})
    pid = int((tmp_path / "pid").read_text())
    end = time.monotonic() + 10
    while _is_alive(pid) and time.monotonic() < end:
        time.sleep(0.05)
    assert not _is_alive(pid)


def _is_alive(pid):
    try:
        state = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"
