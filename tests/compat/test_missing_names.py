"""The names of TensorFlow 2.15 that programs import: all are here, or in a table with the reason."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys

import pytest

from hub_estimator import compat
from tests.compat.programs import ROOT, environment

TOOL = ROOT / "tools" / "missing_names.py"
ROW = re.compile(r"^\| `([\w.]+)` \| (?:`([^`]+)`|the module) \| ([^|]+) \|$", re.MULTILINE)


@pytest.fixture(scope="module")
def tool():
    spec = importlib.util.spec_from_file_location("missing_names", TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.skipif(compat.ships_estimator(), reason="nothing of TensorFlow is missing here")
def test_what_is_missing_is_in_a_table_with_its_reason(tool):
    result = subprocess.run(
        [sys.executable, str(TOOL)],
        env=environment(), capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    page = (ROOT / "docs" / "compat.md").read_text("utf-8")
    _, _, section = page.partition("\n## What is missing\n")
    rows = {module: names.split() for module, names, _ in ROW.findall(section)}
    assert tool.parse(result.stdout) == rows


@pytest.mark.peer
def test_the_list_is_what_the_oldest_tensorflow_and_the_peer_have(tool, tmp_path):
    program = (
        f"import sys; sys.path.insert(0, {str(TOOL.parent)!r}); import missing_names as tool; "
    )
    program += "print(tool.HEADER + tool.as_text(tool.names_here()), end='')"
    result = subprocess.run(
        [sys.executable, "-c", program],
        env=environment(), capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert result.stdout == tool.LIST.read_text("utf-8"), result.stderr


def test_missing_names_are_found(tool):
    names = {
        "os.path": ["join", "no"],
        "os.nothing": ["a"],
        "nothing.at.all": [],
        "sys.flags": ["dev_mode"],
    }
    assert tool.missing(names) == {"os.path": ["no"], "os.nothing": [], "nothing.at.all": []}
    assert tool.parse("# said\n" + tool.as_text(names)) == names
