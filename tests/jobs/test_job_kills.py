"""Kills of a process that runs jobs, before any of its file operations; see `kill_points`."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys

import pytest

pytestmark = pytest.mark.one_tensorflow

ROOT = pathlib.Path(__file__).parent.parent.parent


def test_a_kill_at_any_file_operation_leaves_each_version_once_and_whole(tmp_path):
    result = subprocess.run(
        [sys.executable, "-m", "tests.jobs.kill_points", str(tmp_path), "7"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert int(result.stdout) > 100
