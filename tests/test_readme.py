"""The README's examples run, and what it names is there."""

from __future__ import annotations

import pathlib
import re

import pytest
import tensorflow as tf

import hub_estimator as hub
from hub_estimator import compat
from tests import text_data

ROOT = pathlib.Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


RUN, MODULE, KERAS_MODEL = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def execute(program, **names):
    exec(compile(program, "README.md", "exec"), names)  # noqa: S102  it is our own
    return names


def test_the_run_in_python_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    text_data.write_module(tmp_path / "out" / "module")
    (tmp_path / "out" / "reviews").mkdir()
    for name in ("train.csv", "test.csv"):
        text_data.write_data(tmp_path / "out" / "reviews" / name)
    lines = [line for line in RUN.splitlines() if line and "import" not in line]
    assert len(lines) <= 16
    execute(RUN.replace("2000", "4").replace("500", "4"))
    assert 0 <= float(capsys.readouterr().out) <= 1
    assert (tmp_path / "out" / "python" / "model.ckpt-4.index").is_file()


def test_it_is_the_run_of_make_train():
    settings = {"[256]", "0.3", "AdagradOptimizer", "0.05", "BinaryClassHead", "2000", "500", "128"}
    files = ("text_classification.gin", "model.gin", "table.gin")
    configuration = "".join((ROOT / "configs" / name).read_text() for name in files)
    for setting in settings:
        assert setting in RUN and setting in configuration


def test_the_module_in_python_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = execute(MODULE)
    assert names["features"].shape.as_list() == [5, 2]
    assert hub.load_module_spec("my_module").get_signature_names() == ["default"]


def test_the_model_of_keras_trains(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text_data.write_module(tmp_path / "out" / "module")
    with compat.eagerly():
        model = execute(KERAS_MODEL, hub=hub, keras=tf.keras)["model"]
        model.compile("adam", "mse")
        model.fit(tf.constant(["good", "bad"]), tf.constant([[1.0], [0.0]]), verbose=0)
        assert len(model.trainable_weights) > 2


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md", "examples/README.md"])
def test_links_and_make_commands_are_there(document):
    text = (ROOT / document).read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!http)(.+?)\)", text):
        assert ((ROOT / document).parent / target).exists(), target
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"(?:`|\$ )make ([a-z-]+)", text):
        assert re.search(f"^{target}:", makefile, re.MULTILINE), target


def test_the_train_command_is_that_of_the_makefile():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    command = "-m hub_estimator.train --gin_file=text_classification.gin"
    assert command in README
    assert command in makefile
    assert (ROOT / "configs" / "text_classification.gin").is_file()
