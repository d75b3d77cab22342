"""The page about converting: its commands run, and its example prints what it says."""

from __future__ import annotations

import importlib
import pathlib
import re

import pytest
import tensorflow as tf

import hub_estimator as hub
from hub_estimator import compat
from tests import modules
from tests.modules import tf1

PAGE = (pathlib.Path(__file__).parent.parent.parent / "docs" / "convert.md").read_text("utf-8")


def test_its_commands_run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    modules.export(hub, modules.define(hub, "dense", ""), "my_module")
    with tf.Graph().as_default(), tf1.Session() as session:
        hub.Module("my_module", name="encoder")
        modules.initialize(session)
        tf1.train.Saver().save(session, "model/model.ckpt")
    commands = re.findall(r"^python -m hub_estimator\.convert (.*)$", PAGE, re.MULTILINE)
    assert len(commands) == 4
    for command in commands:
        run = importlib.import_module("hub_estimator.convert").run
        assert run(["convert", *command.split()]) == 0, capsys.readouterr().err


@pytest.mark.skipif(compat.ships_estimator(), reason="TensorFlow 2.15 has no Keras 3")
def test_its_example_prints_what_it_says(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    program, printed = re.search(r"```python\n(.*?)```\n\n```\n(.*?)```", PAGE, re.DOTALL).groups()
    with compat.eagerly():
        exec(compile(program, "convert.md", "exec"), {})  # noqa: S102  it is our own

    def without_numbers(text):
        return re.sub(r"\d+\.\d kB", "", text)

    assert without_numbers(capsys.readouterr().out) == without_numbers(printed)
