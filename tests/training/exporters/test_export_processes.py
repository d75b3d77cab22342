"""Exports of several processes into one folder, and of killed ones."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys

import pytest

PROGRAM = str(pathlib.Path(__file__).parent / "exporting_processes.py")


@pytest.fixture
def run(tmp_path, make_checkpoint):
    """Runs a kind of exports so often; returns what went wrong, and the names in the folders."""

    def start(what, count):
        folder = tmp_path / "export"
        command = [sys.executable, PROGRAM, what, str(folder), make_checkpoint(3), str(count)]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        assert result.returncode == 0, result.stderr
        folders = [folder, tmp_path / "export_kept", tmp_path / "export_best"]
        return result.stdout, [sorted(os.listdir(each)) for each in folders if each.exists()]

    return start


@pytest.mark.one_tensorflow
def test_twenty_at_once_take_twenty_names(run, tmp_path):
    found, (latest, kept, best) = run("at_once", 20)
    assert found == ""
    *times, link = latest
    assert link == "latest" and len(times) == 20 and all(map(str.isdecimal, times))
    assert os.readlink(tmp_path / "export/latest") == times[-1]
    assert kept == [os.readlink(tmp_path / "export_kept/latest"), "latest"]
    # Of the best ones only those that are better than what came before them.
    *times, link, state = best
    assert (link, state) == ("best", "best.json") and 1 <= len(times) <= 20
    assert os.readlink(tmp_path / "export_best/best") == times[-1]
    assert (tmp_path / "export_best/best/metrics.json").read_text() == '{\n  "a": 19\n}\n'


@pytest.mark.one_tensorflow
def test_exports_that_are_killed_at_any_moment(run):
    found, [names] = run("killed", 30)
    assert found == ""
    *times, link = names
    assert link == "latest" and len(times) == 2
