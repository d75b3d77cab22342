"""The pages of documentation name what is there, and their examples run."""

from __future__ import annotations

import dataclasses
import pathlib
import re

import pytest
import tensorflow as tf

import hub_estimator as hub
from hub_estimator.format import library, operation_rules
from hub_estimator.format.reading_limits import ReadingLimits
from tests.format.editing import export

ROOT = pathlib.Path(__file__).parent.parent
TRUST = (ROOT / "docs" / "trust.md").read_text(encoding="utf-8")
VARIABLE = re.compile(r"`(HUB_ESTIMATOR_[A-Z_]+|TFHUB_[A-Z_]+)`")


def test_its_settings_are_those_that_are_read():
    assert set(VARIABLE.findall(TRUST)) == {
        f"HUB_ESTIMATOR_{field.name.upper()}" for field in dataclasses.fields(ReadingLimits)
    }
    assert "| 1 GiB |" in TRUST and ReadingLimits().max_constant_bytes == 1 << 30
    assert f"| {ReadingLimits().max_operations:,} |" in TRUST
    assert f"more than {vars(library)['_MOST_LEVELS']} levels deep" in TRUST


def test_it_says_what_each_kind_of_operation_does():
    kinds = {rule.kind for rule in operation_rules.RULES.values()} | {operation_rules.UNKNOWN}
    words = ("read", "write", "list", "restore", "reach", "call Python", "stored as data", "end")
    assert len(kinds) == len((*words, "library"))
    for word in (*words, "library beside TensorFlow"):
        assert word in TRUST


def test_its_functions_take_what_it_says():
    for name in re.findall(r"`hub\.([A-Za-z_]+)`", TRUST):
        assert getattr(hub, name) is not None
    for function in (hub.load_module_spec, hub.load, hub.create_module_spec_from_saved_model):
        assert "refuse_side_effects" in function.__annotations__


def test_its_example_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)

    def module_fn():
        hub.add_signature(outputs=tf.io.read_file("/etc/hostname", name="read"))

    export(module_fn, "my_module")
    (program,) = re.findall(r"```python\n(.*?)```", TRUST, re.DOTALL)
    exec(compile(program, "trust.md", "exec"), {})  # noqa: S102  it is our own
    assert capsys.readouterr().out == "frozenset() reads files ReadFile read\n"


def test_its_warning_is_the_one_that_comes(tmp_path, caplog):
    def module_fn():
        with tf.control_dependencies([tf.io.write_file("/tmp/x", "", name="log/WriteFile")]):
            hub.add_signature(outputs=tf.io.read_file("/etc/hostname", name="read"))

    path = export(module_fn, tmp_path / "module")
    with caplog.at_level("WARNING", "hub_estimator"):
        hub.load_module_spec(path)
    said = caplog.messages[-1].replace(path, "/models/x")
    shown = next(block for block in TRUST.split("```") if "does more than compute" in block)
    assert " ".join(shown.split()) == said


@pytest.mark.parametrize("page", sorted((ROOT / "docs").glob("*.md")), ids=lambda page: page.name)
def test_links_are_there(page):
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!http)(.+?)\)", text):
        assert (page.parent / target).exists(), target


def test_the_files_where_changes_go_are_there():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    table = text.split("## Where changes go")[1].split("## Rules")[0]
    rows = [line for line in table.splitlines() if line.startswith("| a")]
    assert len(rows) == 18
    for row in rows:
        named = re.findall(r"`([\w./<> ]+/?[\w<> ]*\.\w+|[\w/]+/)`", row.split("|")[2])
        assert 1 <= len(named) <= 3, row
        for path in named:
            there = ROOT / "hub_estimator" / (path if "<" not in path else path.split("<")[0])
            assert there.exists(), path
