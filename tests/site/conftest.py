"""A small module and the run that it is of, made once for all tests of sites."""

from __future__ import annotations

import json
import os
import shutil
import subprocess

import pytest

from tests import text_data

PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)


@pytest.fixture(scope="session")
def made_module(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made") / "module"
    text_data.write_module(folder)
    return folder


@pytest.fixture(autouse=True)
def environment(monkeypatch, tmp_path):
    """No setting of the machine reaches a test; the cache is the test's own."""
    for name in list(os.environ):
        if name.upper().endswith("_PROXY") or name.startswith(("TFHUB_", "HUB_ESTIMATOR_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("NETRC", str(tmp_path / "no-netrc"))
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path / "cache"))


@pytest.fixture
def module(made_module, tmp_path):
    """A module of the test's own."""
    return shutil.copytree(made_module, tmp_path / "module")


@pytest.fixture
def exported(made_module, tmp_path):
    """A module as an exporter makes it in a model folder, with all that a run leaves there."""
    model_dir = tmp_path / "run"
    export = model_dir / "export" / "module" / "1700000000"
    module = shutil.copytree(made_module, export / "text")
    (export / "global_step").write_text("2000\n")
    (export / "metrics.json").write_text('{"accuracy": 0.9, "global_step": 2000, "odd": "x"}')
    parents = {"text": {"handle": "https://models.example.com/a/b/1", "sha256": "ab" * 32}}
    (export / "checkpoint.json").write_text(json.dumps({"parents": parents}))
    (model_dir / "operative_config.gin").write_text("MODULE = 'https://models.example.com/a/b/1'\n")
    counted = {"": {"size": 2, "names": ["bad", "good"], "counts": [20, 30]}}
    (model_dir / "training_classes.json").write_text(json.dumps(counted))
    report = model_dir / "report"
    (report / "images").mkdir(parents=True)
    (report / "report.md").write_text(
        "# Evaluation at step 2000\n\n## What was evaluated\n\n- Data: test.csv, 50 examples\n"
    )
    for name in ("confusion_matrix.png", "roc.png", "images/1.png"):
        (report / name).write_bytes(PNG + name.encode())
    return module


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 4 MB."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=4m", "none", str(place)]
    try:
        made = subprocess.run(command, check=False, capture_output=True, text=True)
    except FileNotFoundError:
        pytest.skip("there is no mount")
    if made.returncode:
        pytest.skip(f"a disk cannot be made here: {made.stderr.strip()}")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)
