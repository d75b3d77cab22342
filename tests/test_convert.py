"""The command that converts: what it prints, its errors, kills, and a full disk."""

from __future__ import annotations

import importlib
import os
import pathlib
import signal
import subprocess
import sys

import pytest

import hub_estimator as hub
from tests import modules
from tests.conversion import objects
from tests.test_full_disk import disk, files_of_at_most, fill  # noqa: F401  a fixture

ROOT = str(pathlib.Path(__file__).parent.parent)
KILLED = """
import os, signal, sys, importlib
command = importlib.import_module("hub_estimator.convert")
import hub_estimator.conversion.converting as converting
from hub_estimator.files import whole
whole.flush_tree = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
sys.exit(command.run(sys.argv))
"""


@pytest.fixture
def module(tmp_path):
    spec = modules.define(hub, "file_table", str(tmp_path / "sources"))
    return modules.export(hub, spec, str(tmp_path / "module"))


def run(*flags):
    return importlib.import_module("hub_estimator.convert").run(["convert", *flags])


def test_there_and_back(module, tmp_path, capsys):
    for to, source, target in (("tf2", module, "tf2"), ("tf1", tmp_path / "tf2", "back")):
        assert run(f"--module={source}", f"--to={to}", f"--export_path={tmp_path}/{target}") == 0
        head, *lines = capsys.readouterr().out.splitlines()
        what = {"tf1": "TF1 Hub module", "tf2": "TF2 SavedModel"}[to]
        assert head.startswith(f"Converted to a {what} of ") and head.endswith(
            f"{tmp_path}/{target}"
        )
        assert lines[-2:] == ["Variables: 1 with 8 values", "Assets: vocabulary.txt"]
        start = "- default: default string (None,) -> default float32 "
        assert any(line.startswith(start) and ", rows int64 " in line for line in lines)
    call = modules.CASES["file_table"].calls[0]
    assert objects.outputs(tmp_path / "back", call.inputs) == objects.outputs(module, call.inputs)


def test_errors(module, tmp_path, capsys):
    assert run(f"--module={module}", "--to=tf1", f"--export_path={tmp_path}/m") == 1
    assert capsys.readouterr().err == (
        f"error: The module {module} is a TF1 Hub module already. Give a checkpoint, to have it with the "
        "values of a training, or convert it to tf2 or serving.\n"
    )
    assert run(f"--module={tmp_path}/none", "--to=tf1", f"--export_path={tmp_path}/m") == 1
    assert capsys.readouterr().err.startswith("error: There is nothing at ")


def test_flags(capsys):
    assert run("--module=x", "--to=tf1") == 2
    assert "export_path" in capsys.readouterr().err
    assert run("--module=x", "--to=tf3", "--export_path=x") == 2
    assert run("--help") == 0
    assert "python -m hub_estimator.convert" in capsys.readouterr().out


@pytest.mark.parametrize("to", ["serving", "tf2"])
def test_what_a_killed_one_left_goes(module, tmp_path, to, capsys):
    out = tmp_path / "out"
    flags = [f"--module={module}", f"--to={to}", f"--export_path={out}/m"]
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, *flags],
        check=False, env={**os.environ, "PYTHONPATH": ROOT}, capture_output=True,
    )  # fmt: skip
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    [left] = os.listdir(out)
    assert left.startswith(".m.tmp-")
    assert run(*flags) == 0
    assert os.listdir(out) == ["m"]


@pytest.mark.parametrize("to", ["serving", "tf2"])
def test_a_disk_that_is_full(module, disk, to, capsys):  # noqa: F811  the fixture
    flags = [f"--module={module}", f"--to={to}", f"--export_path={disk}/m"]
    fill(disk, 8 << 10)
    assert run(*flags) == 1
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.startswith("error: [Errno 28] No space left on device: '"), line
    assert os.listdir(disk) == ["filler"]
    (disk / "filler").unlink()
    assert run(*flags) == 0
    assert os.listdir(disk) == ["m"]


def test_a_limit_of_the_size_of_files(module, tmp_path, capsys):
    flags = [f"--module={module}", "--to=serving", f"--export_path={tmp_path}/out/m"]
    with files_of_at_most(1 << 10):
        assert run(*flags) == 1
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.startswith("error: [Errno 27] File too large: '"), line
    assert os.listdir(tmp_path / "out") == []


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write everywhere")
def test_a_place_that_cannot_be_written_to(module, tmp_path, capsys):
    (tmp_path / "locked").mkdir(mode=0o500)
    assert run(f"--module={module}", "--to=tf2", f"--export_path={tmp_path}/locked/m") == 1
    assert capsys.readouterr().err.startswith("error: [Errno 13] Permission denied: ")
