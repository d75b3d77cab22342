"""Ctrl-C and SIGTERM at any moment of a command: one line and a status."""

from __future__ import annotations

import os
import pathlib
import signal
import subprocess
import sys

import pytest

pytestmark = pytest.mark.one_tensorflow

ROOT = str(pathlib.Path(__file__).parent.parent)
LINE = "error: Interrupted. Run the same command again.\n"

# Says where it is, and waits there. Loading takes an error for one of its own, as libraries do.
PROGRAM = """
import sys, time
from absl import flags
from hub_estimator import command_line

def wait(what):
    print(what, flush=True)
    time.sleep(60)

def command(values):
    if sys.argv[1] == "loading":
        with command_line.quiet_start():
            print("noise", file=sys.stderr)
            try:
                wait("loading")
            except BaseException:
                raise ImportError("no signal")
    try:
        wait("working")
    finally:
        print("tidied up", flush=True)

command_line.main(lambda argv: command_line.run(command, flags.FlagValues(), argv[:1], ""))
"""


@pytest.fixture
def start():
    """Starts the program, and returns it once it is where it should be."""
    processes = []

    def start(where, **environment):
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, where],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={**os.environ, "PYTHONPATH": ROOT, "TF_CPP_MIN_LOG_LEVEL": "2", **environment},
        )  # fmt: skip
        processes.append(process)
        assert process.stdout.readline() == f"{where}\n"
        return process

    yield start
    for process in processes:
        process.kill()
        process.communicate()


SIGNALS = pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["SIGINT", "SIGTERM"]
)


@SIGNALS
def test_while_libraries_are_loaded(start, number, status):
    process = start("loading")
    process.send_signal(number)
    assert process.communicate() == ("", LINE) and process.returncode == status


def test_while_libraries_are_loaded_and_what_they_say_is_shown(start):
    process = start("loading", TF_CPP_MIN_LOG_LEVEL="0")
    process.send_signal(signal.SIGTERM)
    assert process.communicate() == ("", f"noise\n{LINE}") and process.returncode == 143


@SIGNALS
def test_while_a_command_works(start, number, status):
    process = start("working")
    process.send_signal(number)
    assert process.communicate() == ("tidied up\n", LINE) and process.returncode == status


# The interpreter is taken down: what is registered by `atexit` runs, threads are waited for.
ENDING = """
import atexit, sys, time
from absl import flags
from hub_estimator import command_line

def end():
    print("ending", flush=True)
    time.sleep(0.5)
    print("ended", flush=True)

atexit.register(end)
command_line.main(lambda argv: command_line.run(lambda values: None, flags.FlagValues(), argv, ""))
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_once_a_command_is_done(number):
    process = subprocess.Popen(
        [sys.executable, "-c", ENDING], env={**os.environ, "PYTHONPATH": ROOT},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout.readline() == "ending\n"
    process.send_signal(number)
    assert process.communicate() == ("ended\n", "") and process.returncode == 0


def test_who_reads_no_further():
    program = PROGRAM.replace('wait("working")', 'print("word " * 100_000)')
    command = f"{sys.executable} -c '{program}' working | head -c 4"
    result = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command}"], check=False, capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": ROOT},
    )  # fmt: skip
    assert (result.stdout, result.stderr, result.returncode) == ("word", "", 1)
