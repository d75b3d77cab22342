"""Runs small programs in processes of their own: what a process imports first is what is tested."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).parent.parent.parent


def environment(**changes: str | None) -> dict[str, str]:
    """Returns this process's environment, changed, without any choice of Keras."""
    result = {**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}
    for name in ("TF_USE_LEGACY_KERAS", "TF_CONFIG"):
        result.pop(name, None)
    result.update({name: value for name, value in changes.items() if value is not None})
    return result


def run(program: str, *arguments: str, **changes: str | None) -> subprocess.CompletedProcess[str]:
    """Runs a program's text to its end, and returns its output and error output."""
    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        env=environment(**changes), capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
