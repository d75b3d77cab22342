"""The command, on real trainings: killed, begun again, and what is said of wrong flags."""

from __future__ import annotations

import os
import pathlib
import re
import signal
import subprocess
import sys
import time

import pytest

from hub_estimator.sweep import __main__ as command
from tests import text_data
from tests.sweep.light_runs import evaluations

ROOT = pathlib.Path(__file__).parent.parent.parent
FLAGS = [
    "--gin_file=smoke.gin",
    "--gin_file=sweep.gin",
    *(
        f"--gin_bindings={text}"
        for text in (
            *text_data.LEAN,
            "MODULES=['module']",
            "TRAIN_DATA='data.csv'",
            "EVAL_DATA='data.csv'",
            "FINE_TUNES=[False]",
            "MAX_STEPS=30",
        )
    ),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return text_data.write_both(tmp_path_factory.mktemp("command"))


@pytest.fixture
def here(folder, monkeypatch):
    monkeypatch.chdir(folder)
    return folder


def start(folder, *flags):
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, sys.path)]),
        "XDG_CACHE_HOME": str(folder / "cache"),
    }
    return subprocess.Popen(
        [sys.executable, "-m", "hub_estimator.sweep", *FLAGS, *flags],
        cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def test_a_sweep_that_is_killed_goes_on_and_shares_what_frozen_modules_give(folder):
    sweep = folder / "out"
    flags = ["--sweep_dir=out", "--workers=2"]
    killed = start(folder, *flags)
    while not list(sweep.glob("trials/*/metrics.jsonl")):
        assert killed.poll() is None, killed.communicate()[1]
        time.sleep(0.05)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    begun = [path.parent for path in sweep.glob("trials/*/metrics.jsonl")]
    again = start(folder, *flags)
    _, said = again.communicate(timeout=300)
    assert again.returncode == 0, said
    assert "waits to be run again" in said and "Traceback" not in said and "Warning" not in said
    for number in range(2):
        steps = [each["step"] for each in evaluations(sweep / "trials" / str(number))]
        assert steps[-1] == 30 and steps == sorted(set(steps))
    # It went on from its checkpoint. A step reads its own number before or after it counts itself.
    log = (sweep / "logs" / f"{begun[0].name}.log").read_text()
    steps = [int(number) for number in re.findall(r"step (\d+) of 30,", log)]
    assert steps[0] <= 11 and steps == sorted(set(steps)), log
    logs = "".join(path.read_text() for path in sweep.glob("logs/*.log"))
    entries = list((folder / "cache").glob("hub_estimator/features/*/entry.json"))
    assert entries and logs.count("computed outputs of encoder") == len(entries)


def test_sigterm_ends_it_with_nothing_lost(folder):
    process = start(folder, "--sweep_dir=stopped", "--trials=1")
    while not (folder / "stopped" / "logs" / "0.log").exists():
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 143
    assert said.splitlines()[-1] == (
        "error: Stopped by SIGTERM. What trials did is saved; run the same command again to go on."
    )
    assert "trial 0: stopped; it is run again" in said and "Traceback" not in said


def test_before_it_began_there_is_no_leaderboard(here, capsys):
    status = command.run(["sweep", *FLAGS, "--sweep_dir=none", "--leaderboard"])
    assert status == 1 and capsys.readouterr().err == (
        f"error: There is no sweep in {str(here / 'none')!r} yet. Leave out --leaderboard to begin "
        "it.\n"
    )
    assert not (here / "none").exists()


def test_a_remote_folder(here, capsys):
    assert command.run(["sweep", *FLAGS, "--sweep_dir=gs://bucket/x"]) == 1
    assert capsys.readouterr().err == (
        "error: --sweep_dir is 'gs://bucket/x'; it must be a folder on this machine, or one that it "
        "shares with others.\n"
    )


def test_a_folder_in_a_module_is_refused_before_anything_is_written(here, capsys):
    before = sorted(os.listdir("module"))
    for given, where in (("module", "the module itself"), ("module/a/b", "in the module, ")):
        assert command.run(["sweep", *FLAGS, f"--sweep_dir={given}"]) == 1
        where += f"'{here}/module'" if where.endswith(" ") else ""
        assert capsys.readouterr().err == (
            f"error: The folder of a sweep '{here}/{given}' is {where}, which is read and must stay as "
            "it is. Choose another place.\n"
        )
    assert sorted(os.listdir("module")) == before


def test_a_folder_that_no_url_can_have(here, capsys):
    assert command.run(["sweep", *FLAGS, "--sweep_dir=100%"]) == 1
    assert capsys.readouterr().err == (
        "error: --sweep_dir is '100%'; the URL of a storage in it can have none of ? % { } in its "
        "path. Choose another one, or give --storage.\n"
    )


def test_wrong_flags(capsys):
    assert command.run(["sweep", "--sweep_dir=x"]) == 2
    assert command.run(["sweep", *FLAGS, "--sweep_dir=x", "--workers=0"]) == 2
    assert command.run(["sweep", "--help"]) == 0
    assert "--storage" in capsys.readouterr().out
